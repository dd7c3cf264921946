"""The cockpit says what is open, a month is closed once all is well or for a reason, and only two people open it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounting.models import Closing, Entry, Origin, Period, Reopening
from accounting.services import closing, cockpit, exporting
from accounting.services.cockpit import Month
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from orders.models import Order
from tests.accounting import ledger, papers
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db
NOVEMBER = Month(2026, 11)


@pytest.fixture
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    """November is over."""
    monkeypatch.setattr(
        timezone, "localdate", lambda *_args: datetime(2026, 12, 3, tzinfo=timezone.get_current_timezone()).date()
    )


@pytest.fixture
def order(ordered: Callable[..., Order]) -> Order:
    made = ordered(1, total="109.36")
    Order.objects.filter(pk=made.pk).update(state="ACCEPTED", fulfilment="FULL", placed_at="2026-11-10T10:00:00Z")
    made.refresh_from_db()
    return made


def open_points(month: Month = NOVEMBER) -> dict[str, int]:
    return {line.point.code: line.count for line in cockpit.lines(month) if not line.is_good}


def sold(order: Order) -> None:
    made = papers.issue(
        "RE-2026-1",
        [("Kanne", "85.57", "DOMESTIC", "19"), ("Buch", "23.79", "DOMESTIC", "7")],
        order=order,
        day="2026-11-10",
    )
    Origin.objects.create(document=made, order=order, scope="order")


def test_an_order_that_is_due_is_open_until_it_is_billed_posted_and_exported(order: Order, psp: Connection) -> None:
    ledger.keep()
    assert open_points() == {"orders": 1}
    (row,) = cockpit.rows(NOVEMBER, cockpit.point_of("orders"))  # type: ignore[arg-type]
    assert (row.what, row.pk, row.label, row.amount) == ("order", order.pk, order.number, Decimal("109.36"))
    with transaction.atomic():
        sold(order)
    assert open_points() == {"posted": 1}
    ledger.post()
    assert open_points() == {"exported": 1}
    exporting.request(2026, 11, by=None)
    while exporting.work():
        pass
    assert open_points() == {}


def test_another_month_has_points_of_its_own(order: Order) -> None:
    assert open_points(Month(2026, 10)) == {}
    assert open_points(Month(2026, 11)) == {"orders": 1}


def test_a_payout_with_a_remainder_and_a_movement_not_posted_are_open(order: Order, psp: Connection) -> None:
    tell(psp, capture("ch_1", "109.36", order="laden:1"))
    tell(psp, {"id": "po_9", "amount": "54.00", "created": "2026-11-20T10:00:00Z"}, topic="payout")
    found = open_points()
    assert found["payouts"] == 1
    assert found["money"] >= 1


def test_tax_that_is_posted_otherwise_is_open(order: Order) -> None:
    ledger.keep()
    with transaction.atomic():
        sold(order)
    ledger.post()
    with connection.cursor() as cursor:  # as somebody might who works on the tables
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL hub.purge = 'on'")
        cursor.execute("UPDATE accounting_posting SET credit = credit + 1 WHERE side = 'TAX' AND credit > 0")
        cursor.execute("SET LOCAL hub.purge = 'off'")
    assert open_points()["tax"] == 1


def test_a_month_is_closed_when_it_is_over_and_the_database_takes_nothing_more(
    order: Order, december: None, person: Callable[..., User]
) -> None:
    frida = person("finance", "frida")
    ledger.keep()
    with transaction.atomic():
        sold(order)
    ledger.post()
    period = Period.objects.get(year=2026, month=11)
    with pytest.raises(NotNow):
        closing.close(period, by=frida)  # not exported yet
    made = closing.close(period, by=frida, why="the adviser exports it by hand")
    assert [point["code"] for point in made.points if point["open"]] == ["exported"]
    with pytest.raises(NotNow):
        closing.close(period, by=frida, why="once more, for no reason")
    late = Entry.objects.earliest("pk")
    late.pk, late.subject_id = None, 999_999
    with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
        late.save(force_insert=True)


def test_a_month_that_runs_is_not_closed(person: Callable[..., User]) -> None:
    today = timezone.localdate()
    period = Period.objects.create(year=today.year, month=today.month)
    with pytest.raises(NotNow):
        closing.close(period, by=person("finance"), why="I want to go home early")


def test_two_people_open_a_month_again_and_the_database_sees_to_it(december: None, person: Callable[..., User]) -> None:
    frida, felix = person("finance", "frida"), person("finance", "felix")
    period = Period.objects.create(year=2026, month=11)
    closing.close(period, by=frida)
    with pytest.raises(IntegrityError, match="nobody has approved"), transaction.atomic():
        Period.objects.filter(pk=period.pk).update(state="OPEN")
    closing.ask_to_reopen(period, by=frida, why="an invoice was forgotten")
    with pytest.raises(NotNow):
        closing.ask_to_reopen(period, by=felix, why="an invoice was forgotten, too")
    with pytest.raises(NotNow):
        closing.decide(period, by=frida, approve=True)
    with pytest.raises(IntegrityError, match="reopening_has_four_eyes"), transaction.atomic():
        Reopening.objects.update(state="APPROVED", decided_by=frida, decided_at=Now())
    closing.decide(period, by=felix, approve=True)
    period.refresh_from_db()
    assert period.state == "OPEN"
    assert Closing.objects.count() == 1


def test_an_old_approval_opens_no_month_that_was_closed_again(december: None, person: Callable[..., User]) -> None:
    frida, felix = person("finance", "frida"), person("finance", "felix")
    period = Period.objects.create(year=2026, month=11)
    closing.close(period, by=frida)
    closing.ask_to_reopen(period, by=frida, why="an invoice was forgotten")
    Reopening.objects.update(state="DECLINED", decided_by=felix, decided_at=Now())
    with pytest.raises(IntegrityError, match="nobody has approved"), transaction.atomic():
        Period.objects.filter(pk=period.pk).update(state="OPEN")


def test_the_pages_lead_from_the_months_to_the_rows(
    order: Order, december: None, person: Callable[..., User], client: Client
) -> None:
    client.force_login(person("finance"))
    months = client.get(reverse("months"))
    assert reverse("month", args=[2026, 12]).encode() in months.content
    page = client.get(reverse("month", args=[2026, 11]))
    rows = reverse("month_rows", args=[2026, 11, "orders"])
    assert rows.encode() in page.content
    assert reverse("order", args=[order.pk]).encode() in client.get(rows).content
    client.post(reverse("month_action", args=[2026, 11, "accounting.close"]), {"why": "closed for a good reason"})
    assert Period.objects.get().state == "LOCKED"
    client.force_login(person("auditor"))
    client.post(reverse("month_action", args=[2026, 11, "accounting.ask_reopen"]), {"why": "closed for a good reason"})
    assert not Reopening.objects.exists()
    assert client.get(reverse("month", args=[2026, 13])).status_code == 404
