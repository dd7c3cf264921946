"""Somebody at the screen, and trouble to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.utils import translation

from integration_hub.models import User


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def at_screen(person: Callable[..., User]) -> Callable[..., Client]:
    """``at_screen("operations")`` is a signed-in browser without scripts, in English so that sentences can be read."""

    def sit(role: str, name: str = "") -> Client:
        client, user = Client(), person(role, name)
        User.objects.filter(pk=user.pk).update(language="en")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sit
