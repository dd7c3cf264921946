"""The web of a hub that knows the stand-in systems."""

from __future__ import annotations

from integration_hub.wsgi import application
from tests import standin

__all__ = ["application", "standin"]
