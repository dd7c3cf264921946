"""``manage.py <name>``: one module each."""
