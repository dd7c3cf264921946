"""Template words of the hub: ``{% load hub %}``."""
