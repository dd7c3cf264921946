"""Tests mirror the rooms they look into."""
