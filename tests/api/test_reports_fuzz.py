"""Whatever is thrown at the reports door: never a 5xx, and what it takes the connector can read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_hub.kernel.messages import OrderReport
from integration_hub.messaging import inbox
from integration_hub.models import Connection, InboundEvent
from tests.api.conftest import Caller, order, post
from tests.connectors.nonsense import mutations
from tests.connectors.soundness import assert_sound

pytestmark = pytest.mark.django_db
TRIES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def reporter(caller: Caller, own_system: Connection) -> Client:
    return caller("integrator")


def assert_taken_or_refused(answer: Any) -> None:
    assert answer.status_code in (200, 202, 400, 409, 413), (answer.status_code, answer.content[:500])
    if answer.status_code in (200, 202):
        event = InboundEvent.objects.get(pk=answer.json()["event"])
        (report,) = inbox.reports_of(event)
        assert isinstance(report, OrderReport)
        assert_sound(report)
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@TRIES
@given(body=mutations(order()))
def test_a_twisted_order_is_taken_or_refused(reporter: Client, body: Any) -> None:
    assert_taken_or_refused(post(reporter, json.dumps(body).encode()))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@TRIES
@given(name=st.sampled_from([*order(), "refunded", "shipping", "note", "test"]), value=_JSON)
def test_any_value_in_any_field_is_taken_or_refused(reporter: Client, name: str, value: Any) -> None:
    assert_taken_or_refused(post(reporter, json.dumps(order(**{name: value})).encode()))


@TRIES
@given(
    raw=st.binary(max_size=300),
    key=st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300),
)
def test_any_bytes_and_any_key_are_refused(reporter: Client, raw: bytes, key: str | None) -> None:
    assert_taken_or_refused(post(reporter, raw, key=key))
