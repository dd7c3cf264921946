"""The exception list: filters, actions, masking, pages."""
