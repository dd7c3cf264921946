"""The template words: amounts, rates, moments, links and badges as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from integration_hub.backoffice import words
from integration_hub.kernel.text import say
from integration_hub.messaging import dispatch
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState, Outcome
from integration_hub.templatetags import hub
from orders.states import OrderState


@pytest.mark.parametrize(
    ("value", "german", "english"),
    [(Decimal("2.0000"), "2", "2"), (Decimal("1234.5000"), "1.234,5", "1,234.5"), (1234567, "1.234.567", "1,234,567")],
)
def test_quantities_have_no_empty_places(value: Any, german: str, english: str) -> None:
    with translation.override("de"):
        assert hub.number(value) == german
    with translation.override("en"):
        assert hub.number(value) == english


@pytest.mark.parametrize(("rate", "shown"), [("0.19", "19 %"), ("0.07", "7 %"), ("0.105", "10,5 %"), ("0", "0 %")])
def test_rates_are_per_cent(rate: str, shown: str) -> None:
    with translation.override("de"):
        assert hub.percent(Decimal(rate)) == shown


def test_the_clock_shows_milliseconds_in_the_hubs_time_zone() -> None:
    assert hub.clock(datetime(2026, 11, 20, 9, 2, 11, 406_999, UTC)) == "10:02:11.406"


@pytest.mark.parametrize(
    ("distance", "wanted"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(hours=3, minutes=5), "3 hours ago"),
        (-timedelta(hours=2, minutes=1), "in 2 hours"),
    ],
)
def test_how_long_ago_is_one_unit(distance: timedelta, wanted: str) -> None:
    with translation.override("en"):
        assert hub.ago(timezone.now() - distance).replace("\xa0", " ") == wanted


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "JAVASCRIPT:x"])
def test_only_addresses_of_the_web_become_links(address: str) -> None:
    assert hub.weblink(address) == ""


def test_a_badge_shows_what_it_is_given_and_runs_nothing() -> None:
    assert "<script>" not in hub.badge("<script>", "good")


def test_a_link_keeps_the_filter_and_drops_what_is_empty() -> None:
    request = RequestFactory().get("/orders/?state=HELD&before=7")
    context = Context({"request": request})
    assert Template("{% load hub %}{% keep before=None %}").render(context) == "?state=HELD"
    assert Template("{% load hub %}{% keep before=9 %}").render(context) == "?state=HELD&amp;before=9"


def test_no_stored_sentence_shows_a_code_of_ours() -> None:
    with translation.override("en"):
        for state in OrderState.values:
            assert state not in words.words(say("Order: %(old)s → %(to)s", old=state, to=state))
        for verb in dispatch.verbs():
            assert verb not in words.words(say("Told %(shop)s: %(what)s", shop="Laden", what=verb))
        for outcome in Outcome.values:
            assert outcome not in words.words(say("Try: %(outcome)s", outcome=outcome))


def test_what_other_people_say_is_left_as_it_is() -> None:
    assert words.words(say("Shipped: %(number)s", number="HELD")) == words.words(say("Shipped: HELD"))


def test_every_state_has_a_tone_that_the_style_sheet_knows() -> None:
    known = {"good", "warn", "bad", "info", "none"}
    states = (*OrderState.values, *EventState.values, *CommandState.values, *Outcome.values)
    assert {hub.tone(state) for state in states} <= known
    assert [hub.tone(state) for state in ("HELD", "PARKED", "DONE", "WAITING")] == ["bad", "bad", "good", "warn"]
