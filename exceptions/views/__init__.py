"""The pages of the exception list."""
