"""Products and variants, what they are called elsewhere, and later their stock."""
