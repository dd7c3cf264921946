"""A hub with a shop and an ERP whose books are a file that every process sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from integration_hub.models import Connection, PollState
from tests import spine

from .running import Books


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "erp")


@pytest.fixture
def sold(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The shop, with a product that the hub knows; nothing is polled by itself."""
    monkeypatch.setenv("HUB_SECRET_KEY", settings.SECRET_KEY)
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join(settings.HUB_ENCRYPTION_KEYS))
    PollState.objects.all().delete()
    spine.teapot()
    return joined
