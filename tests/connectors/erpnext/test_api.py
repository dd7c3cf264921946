"""Frappe's answers in our words: errors by their class, and the hour that comes twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_hub.connectors._erpnext_api import ErpNextApi
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from tests.connectors.world import everything, outside

from .mine import Erp, connector, sale, settings

BERLIN = ZoneInfo("Europe/Berlin")


def api() -> ErpNextApi:
    it = ErpNextApi(Http(base_url="https://erp.example.test"), "key", "secret-of-tests")
    it.__dict__["zone"] = BERLIN
    return it


def told(kind: str, message: str, **more: Any) -> str:
    inner = json.dumps({"message": message, "title": "Meldung"})
    return json.dumps({"exc_type": kind, "_server_messages": json.dumps([inner]), **more})


@pytest.mark.parametrize(
    ("status", "kind", "error", "code"),
    [
        (417, "ValidationError", Rejected, "refused"),
        (417, "MandatoryError", Rejected, "refused"),
        (417, "LinkValidationError", Rejected, "refused"),
        (417, "UniqueValidationError", Rejected, "duplicate"),
        (409, "DuplicateEntryError", Rejected, "duplicate"),
        (404, "DoesNotExistError", Rejected, "not_there"),
        (417, "DataError", Misconfigured, "unknown_field"),
        (403, "PermissionError", Misconfigured, "refused_rights"),
        (401, "AuthenticationError", Misconfigured, "refused_credentials"),
        (417, "TimestampMismatchError", RetryLater, "their_conflict"),
        (508, "QueryDeadlockError", RetryLater, "their_conflict"),
        (500, "AttributeError", RetryLater, "their_fault"),
        (429, "TooManyRequestsError", RetryLater, "slow_down"),
    ],
)
def test_each_exception_says_who_acts(status: int, kind: str, error: type[HubError], code: str) -> None:
    with everything((status, {}, told(kind, "<b>Zeile 1</b>: so &amp; nicht"))), pytest.raises(error) as caught:
        api().create("Sales Order", {"customer": "Erika"})
    assert caught.value.code == code
    if error is Rejected:
        assert str(caught.value.text).endswith("Zeile 1: so & nicht")


def test_what_broke_off_while_writing_may_be_there() -> None:
    with everything((500, {}, "<html>")), pytest.raises(RetryLater) as caught:
        api().create("Sales Order", {})
    assert caught.value.maybe_written
    with everything((500, {}, "<html>")), pytest.raises(RetryLater) as caught:
        api().rows("Sales Order", [])
    assert not caught.value.maybe_written


def test_a_page_that_is_not_there_is_no_erpnext() -> None:
    with everything((404, {}, "<html>")), pytest.raises(Misconfigured):
        api().rows("Sales Order", [])


@pytest.mark.parametrize("broken", ["", "no json", "[1]", '["x"]', '{"a": 1}', "[null]"])
def test_messages_that_cannot_be_read_leave_the_exception(broken: str) -> None:
    body = json.dumps(
        {"exc_type": "ValidationError", "_server_messages": broken, "exception": "frappe.exceptions.X: weil so"}
    )
    with everything((417, {}, body)), pytest.raises(Rejected) as caught:
        api().rows("Sales Order", [])
    assert str(caught.value.text).endswith("X: weil so")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 7200))
def test_no_time_of_theirs_lies_before_since(naive: datetime, seconds: int) -> None:
    since = naive.replace(tzinfo=UTC)
    there = (since + timedelta(seconds=seconds)).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert there >= api().since(since)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_a_time_is_read_back_as_it_was(naive: datetime) -> None:
    it = api()
    moment = naive.replace(tzinfo=UTC)
    it.answered_at = moment  # it was written just now
    there = moment.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert datetime.fromisoformat(it.moment(there)) == moment


def test_times_of_one_digit_and_none() -> None:
    it = api()
    assert it.moment("2026-11-21 9:05:01.5") == "2026-11-21T08:05:01.500000+00:00"
    assert it.moment("2026-07-01") == "2026-06-30T22:00:00+00:00"
    assert it.moment(None) == ""
    with pytest.raises(RetryLater):
        it.moment("gestern")


def test_the_key_travels_as_frappe_wants_it() -> None:
    erp = Erp()
    with outside(erp):
        it = connector()
        it.send(sale())
    assert it.http.headers["Authorization"] == f"token {settings()['api_key']}:{settings()['api_secret']}"
    assert settings()["api_secret"] not in repr(it.http.exchanges)


def test_the_check_says_what_is_wrong_in_plain_words() -> None:
    erp = Erp()
    with outside(erp):
        findings = connector(
            company="", fee_product="NIX", scrap_warehouse="Keller - ST", payment_account="1400 - Forderungen - ST"
        ).check()
    assert [str(one.text) for one in findings if not one.ok] == [
        "ERPNext has no item NIX.",
        "ERPNext has no warehouse Keller - ST.",
        "The settings name no bank account of ERPNext's for payments (1400 - Forderungen - ST).",
    ]


def test_the_check_looks_at_the_selling_settings() -> None:
    erp = Erp()
    docs = erp.erp.docs
    with docs.transaction():
        found = docs.get("Selling Settings", "Selling Settings")
        off = {"allow_negative_rates_for_items": 0, "dont_reserve_sales_order_qty_on_sales_return": 0}
        docs.put("Selling Settings", {**found, **off})
    with outside(erp):
        words = [str(one.text) for one in connector().check() if not one.ok]
    assert [text.partition(" ")[0] for text in words] == ["Allow", "Switch"]
