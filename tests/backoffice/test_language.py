"""The language: one's own choice, else the browser's cookie, else German; never guessed from the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from integration_hub.models import User

pytestmark = pytest.mark.django_db


def spoken(client: Client, **headers: str) -> str:
    return str(client.get("/admin/login/", headers=headers).headers["Content-Language"])


def test_german_whatever_the_browser_would_like() -> None:
    assert spoken(Client(), **{"Accept-Language": "en-GB,en;q=0.9"}) == "de"


def test_a_choice_on_the_login_page_is_remembered_by_the_browser() -> None:
    client = Client()
    client.post("/language/", {"language": "en", "next": "/admin/login/"})
    assert spoken(client) == "en"


def test_a_persons_choice_follows_them_to_another_browser(person: Callable[..., User]) -> None:
    user, one, other = person("operations"), Client(), Client()
    one.force_login(user)
    one.post("/language/", {"language": "en", "next": "/"})
    other.force_login(user)
    user.refresh_from_db()
    assert user.language == "en"
    assert other.get("/orders/").headers["Content-Language"] == "en"


def test_the_persons_choice_goes_before_the_browsers(person: Callable[..., User]) -> None:
    user, client = person("operations"), Client()
    User.objects.filter(pk=user.pk).update(language="en")
    client.force_login(user)
    client.cookies["hub_language"] = "de"
    assert client.get("/orders/").headers["Content-Language"] == "en"


@pytest.mark.parametrize("code", ["fr", "", "../../etc", "DE"])
def test_what_is_no_language_of_ours_changes_nothing(code: str, person: Callable[..., User]) -> None:
    user, client = person("operations"), Client()
    client.force_login(user)
    client.post("/language/", {"language": code, "next": "/"})
    user.refresh_from_db()
    assert user.language == ""
    assert client.get("/orders/").headers["Content-Language"] == "de"


def test_nobody_is_sent_to_another_site() -> None:
    answer = Client().post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def test_reading_does_not_switch() -> None:
    assert Client().get("/language/?language=en").status_code == 405
