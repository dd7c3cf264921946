"""Screens in a real browser: headless Chromium against the live server."""
