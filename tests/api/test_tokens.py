"""Tokens: who may make which, what they may, and what happens with bad ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from integration_hub.api import tokens
from integration_hub.kernel.errors import Rejected
from integration_hub.models import Activity, ApiToken, User

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def get(token: str, url: str = ORDERS) -> Any:
    return Client().get(url, headers={"Authorization": f"Bearer {token}"})


def test_a_person_gives_away_only_what_the_person_has(person: Callable[..., User]) -> None:
    marketing = person("marketing")
    assert [group.name for group in tokens.grantable(marketing)] == ["marketing"]
    with pytest.raises(Rejected) as refused:
        tokens.issue(marketing, "too strong", role("finance"))
    assert refused.value.code == "role_exceeds"
    assert not ApiToken.objects.exists()


def test_a_token_is_no_stronger_than_its_role(person: Callable[..., User]) -> None:
    boss = person("administrator")
    _token, weak = tokens.issue(boss, "shop list", role("marketing"))
    _token, strong = tokens.issue(boss, "orders", role("operations"))
    assert get(weak).status_code == 403
    assert get(strong).status_code == 200


def test_a_token_is_no_stronger_than_what_its_person_may_by_now(person: Callable[..., User]) -> None:
    user = person("operations")
    _token, plain = tokens.issue(user, "orders", role("operations"))
    assert get(plain).status_code == 200
    user.groups.set([role("marketing")])
    assert get(plain).status_code == 403


def test_only_a_digest_is_kept_and_making_and_ending_leave_a_trace(person: Callable[..., User]) -> None:
    user = person("operations")
    token, plain = tokens.issue(user, "orders", role("operations"))
    assert plain not in str(ApiToken.objects.values().get())
    tokens.revoke(token, by=user)
    assert get(plain).status_code == 401
    trail = Activity.objects.order_by("pk").values_list("action", "actor")
    assert list(trail) == [("tokens.issued", user.pk), ("tokens.revoked", user.pk)]


@pytest.mark.parametrize(("name", "expiry"), [("  ", None), ("x", timedelta(0)), ("x", timedelta(days=-1))])
def test_a_token_needs_a_name_and_a_time_ahead(
    person: Callable[..., User], name: str, expiry: timedelta | None
) -> None:
    with pytest.raises(Rejected):
        tokens.issue(person("operations"), name, role("operations"), expiry)


def test_an_expired_token_and_one_of_somebody_who_left_are_refused(person: Callable[..., User]) -> None:
    user = person("operations")
    _token, short = tokens.issue(user, "short", role("operations"), timedelta(minutes=5))
    _token, endless = tokens.issue(user, "endless", role("operations"))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert get(short).status_code == 401
        assert get(endless).status_code == 200
    User.objects.update(is_active=False)
    assert get(endless).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer a b",
        "Bearer \u00e9\u00ff",
        "Bearer " + "x" * 9000,
        "Bearer %00",
        "Basic eDp5",
        "Bearer -\u0080",
    ],
)
def test_what_is_no_token_is_401_and_says_so(header: str) -> None:
    answer = Client().get(ORDERS, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["status"] == 401


def test_last_use_is_written_at_most_once_a_minute(person: Callable[..., User]) -> None:
    token, plain = tokens.issue(person("operations"), "orders", role("operations"))
    start = timezone.now()
    seen = []
    for seconds in (0, 30, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            get(plain)
        token.refresh_from_db()
        seen.append(round((token.last_used_at - start).total_seconds()) if token.last_used_at else None)
    assert seen == [0, 0, 61]


def test_a_session_is_good_too(person: Callable[..., User]) -> None:
    browser = Client()
    browser.force_login(person("operations"))
    assert browser.get(ORDERS).status_code == 200
