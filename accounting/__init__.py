"""Documents, postings and the close.  The floor is laid; its first process is an issue of its own."""
