"""The ledger's pages and addresses: postings, why an account, the mapping with its preview, exports from dry run to file."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounting.models import AccountRule, Booking, Choice, Download, Entry, Export, Posting
from accounting.services import exporting
from integration_hub.models import Connection, User
from orders.models import Order
from tests.accounting import ledger, papers
from tests.accounting.test_export import content, month, spoil
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(person: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(person("finance"))
    return client


def shown(client: Client, name: str, *args: object, **asked: str) -> str:
    answer = client.get(reverse(name, args=args), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_postings_are_found_and_say_why(finance: Client, psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    assert "RE-2026-1" in shown(finance, "postings")
    assert "RE-2026-1" not in shown(finance, "postings", account="8125")
    sale = Posting.objects.filter(contra="8400", side="HEAD").get().entry_id
    page = shown(finance, "entry", sale)
    assert "8400" in page
    assert "Erlöse 19 % USt" in page
    assert "Inland" in page or "domestic" in page
    assert shown(finance, "chain", "order", Order.objects.get(documents__number="RE-2026-1").pk).count("B-") >= 2


def test_a_change_of_the_mapping_is_shown_before_and_done_after(
    finance: Client, psp: Connection, ordered: Callable[..., Order]
) -> None:
    month(psp, ordered)
    wanted = {"event": "REVENUE", "tax_case": "DOMESTIC", "percent": "19", "country": "", "channel": str(
        Connection.objects.get(slug="laden").pk), "account": "8401", "why": "a shop of its own"}  # fmt: skip
    page = shown(finance, "account_mapping", **wanted)
    assert "8401" in page
    assert (AccountRule.objects.filter(account="8401").count(), Entry.objects.count()) == (0, 5)
    finance.post(reverse("account_mapping_action", args=["accounting.change_rule"]), wanted | {"again": "on"})
    rule = AccountRule.objects.get(account="8401")
    assert (rule.since.number, rule.since.why) == (3, "a shop of its own")  # 2 was the provider's clearing account
    ledger.post()
    assert "8400" not in ledger.balances()
    assert str(ledger.balances()["8401"]) == "-71.91"
    finance.post(
        reverse("account_mapping_action", args=["accounting.retire_rule"]), {"rule": rule.pk, "why": "not any more"}
    )
    rule.refresh_from_db()
    assert rule.until is not None


def test_a_choice_keeps_who_and_why(finance: Client) -> None:
    asked = {"name": "finalised", "value": "1", "adviser": "Kanzlei Muster", "why": "as agreed"}
    finance.post(reverse("books_action", args=[1, "accounting.choose"]), asked)
    made = Choice.objects.get()
    assert (made.value, made.adviser, made.by and made.by.username) == (True, "Kanzlei Muster", "finance")
    page = shown(finance, "books_choices")
    assert "Kanzlei Muster" in page
    finance.post(reverse("books_action", args=[1, "accounting.choose"]), asked | {"value": "perhaps"})
    assert Choice.objects.count() == 1


def test_from_the_dry_run_to_the_file(finance: Client, psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    spoil({"belegfeld1": "RE 2026:1"})
    assert "RE 2026:1" in shown(finance, "export_month", 2026, 11)
    make = reverse("export_make", args=[2026, 11])
    finance.post(make)
    assert Export.objects.count() == 0
    finance.post(make, {"without": "today"})
    made = Export.objects.get()
    assert "progress" in shown(finance, "export", made.pk)
    while exporting.work():
        pass
    page = shown(finance, "export", made.pk)
    assert "8300" in page
    assert "B-" in page
    taken = finance.post(reverse("export_take", args=[made.pk, 1]))
    assert b"".join(taken) == content(made.files.get())
    assert "Wiederholung" in finance.post(reverse("export_take", args=[made.pk, 1])).headers["Content-Disposition"]
    assert Download.objects.count() == 2
    assert made.sha256 or str(made) in shown(finance, "exports")


def test_the_same_over_rest(finance: Client, psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    entries = finance.get("/api/v1/entries/?account=8125").json()["results"]
    assert len(entries) == 1
    detail = finance.get(f"/api/v1/entries/{entries[0]['id']}/").json()
    assert [(line["account"], line["eu_id"]) for line in detail["lines"] if line["side"] == "HEAD"] == [
        ("10001", "ATU33864707")
    ]
    rules = finance.get("/api/v1/account-rules/?in_force=true&chart=03&event=CLEARING").json()["results"]
    assert [rule["account"] for rule in rules] == ["1361"]
    made = finance.post(
        "/api/v1/exports/make/", json.dumps({"year": 2026, "month": 11}), content_type="application/json"
    )
    assert made.status_code == 201
    while exporting.work():
        pass
    whole = finance.get(f"/api/v1/exports/{made.json()['id']}/").json()
    assert (whole["state"], whole["proof"]["rows"]) == ("READY", 7)
    file = finance.post(f"/api/v1/exports/{made.json()['id']}/files/1/")
    assert file.headers["X-Checksum-SHA256"] == whole["files"][0]["sha256"]


@pytest.mark.parametrize("name", ["postings", "account_mapping", "exports"])
def test_lists_ask_the_same_however_long_they_are(
    finance: Client,
    psp: Connection,
    ordered: Callable[..., Order],
    name: str,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    month(psp, ordered)
    papers.issue("RE-2026-9", [("Kanne", "1.00", "DOMESTIC", "19")], order=ordered(9), day="2026-11-14")
    tell(psp, capture("ch_9", "1.00", order="laden:9"))
    ledger.post()
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        shown(finance, name)
    assert Booking.objects.filter(state="REFUSED").count() == 0
