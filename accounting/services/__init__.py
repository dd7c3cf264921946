"""The verbs of the books; the only writers."""
