"""The Tryton connector, pure and against a real server."""
