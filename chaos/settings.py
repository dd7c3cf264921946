"""The hub's settings, and this harness as one more app."""

from __future__ import annotations

from integration_hub import settings as hub

globals().update({name: getattr(hub, name) for name in dir(hub) if name.isupper()})

INSTALLED_APPS = [*hub.INSTALLED_APPS, "chaos.apps.ChaosConfig"]
