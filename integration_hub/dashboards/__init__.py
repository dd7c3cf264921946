"""What cuts across the apps: start pages, the view of the whole."""
