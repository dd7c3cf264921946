"""Whose payment it is: certain at once, likely ones proposed with a reason, the rest asked; never by amount alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from exceptions.actions import by_code
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.models import Connection
from orders.models import Order
from payments import chores
from payments.models import Allocation, NumberRule, OpenItem, Transaction, Unassigned
from payments.names import numbers_in
from tests import spine
from tests.conftest import make_connection
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db


def tied() -> list[tuple[str, str, str]]:
    """Movement, order and ground of every allocation."""
    rows = Allocation.objects.order_by("transaction_id", "position")
    return [
        (row.transaction.external_id, row.order.number, row.ground)
        for row in rows.select_related("transaction", "order")
    ]


def wait_over() -> None:
    Unassigned.objects.update(ask_at=timezone.now())
    chores.find_orders()


@pytest.mark.parametrize("reference", ["laden:7", "#7", "7", "laden:7 "])
def test_a_reference_names_its_order(psp: Connection, ordered: Callable[..., Order], reference: str) -> None:
    order = ordered(7)
    tell(psp, capture(order=reference))
    assert tied() == [("ch_1", "#7", "REFERENCE")]
    item = OpenItem.objects.get(pk=order.pk)
    assert (item.state, item.captured, item.open) == ("PAID", order.total, 0)
    assert spine.open_kinds() == set()


def test_the_shop_knows_the_payment(psp: Connection, ordered: Callable[..., Order]) -> None:
    Order.objects.filter(pk=ordered(7).pk).update(transaction_id="pi_9")
    tell(psp, capture(ids=["pi_9"]))
    assert tied() == [("ch_1", "#7", "PAYMENT_ID")]


def test_one_payment_of_two_orders_is_split_by_their_totals(psp: Connection, ordered: Callable[..., Order]) -> None:
    Order.objects.filter(pk__in=[ordered(1).pk, ordered(2).pk]).update(transaction_id="pi_9")
    tell(psp, capture(gross="57.40", ids=["pi_9"]))
    assert [row[:2] for row in tied()] == [("ch_1", "#1"), ("ch_1", "#2")]
    tell(psp, {"id": "re_1", "kind": "REFUND", "gross": "-57.40", "parent": "ch_1"})
    assert [row[:2] for row in tied()[2:]] == [("re_1", "#1"), ("re_1", "#2")]


def test_a_payment_before_its_order_is_tied_when_the_order_comes(
    psp: Connection, ordered: Callable[..., Order]
) -> None:
    tell(psp, capture(order="laden:7"))
    assert (tied(), spine.open_kinds()) == ([], set())
    wait_over()
    assert spine.open_kinds() == {"payment_unmatched"}
    ordered(7)
    chores.find_orders()
    chores.bring_up_to_date()
    assert tied() == [("ch_1", "#7", "REFERENCE")]
    assert spine.open_kinds() == set()
    assert OpenItem.objects.get().state == "PAID"


def test_a_refund_before_its_payment_follows_it(psp: Connection, ordered: Callable[..., Order]) -> None:
    order = ordered(7)
    tell(psp, {"id": "re_1", "kind": "REFUND", "gross": "-5.00", "parent": "ch_1"})
    assert tied() == []
    tell(psp, capture(order="7"))
    assert sorted(tied()) == [("ch_1", "#7", "REFERENCE"), ("re_1", "#7", "PARENT")]
    assert OpenItem.objects.get(pk=order.pk).state == "PARTLY_REFUNDED"


def test_a_number_two_shops_have_is_not_certain(
    psp: Connection, ordered: Callable[..., Order], erp: Connection
) -> None:
    ordered(7)
    other = Order.objects.get()
    other.pk, other.channel, other.number = None, _shop("zweitladen"), "7"
    other.total += 1
    other.save()
    tell(psp, capture("ch_2", gross="1.00", order="7"))
    assert spine.open_kinds() == {"payment_ambiguous"}
    tell(psp, capture(order="7"))
    assert tied() == [("ch_1", "#7", "TEXT")], "the amount decides between orders that are both named"


def _shop(slug: str) -> Connection:
    return make_connection("standin-shop", slug, "SHOP")


def test_never_by_amount_alone(psp: Connection, ordered: Callable[..., Order]) -> None:
    ordered(7)
    tell(psp, capture(text="Danke"))
    wait_over()
    assert tied() == []
    assert spine.open_kinds() == {"payment_unmatched"}


def test_amount_and_payer_are_proposed_and_confirmed(
    psp: Connection, ordered: Callable[..., Order], person: Callable[..., Any]
) -> None:
    order = ordered(7)
    tell(psp, capture(email="Kunde7@example.com"))
    case = ExceptionCase.objects.get()
    assert (case.kind, case.size) == ("payment_proposed", 1)
    action = by_code(case, "payments.assign")
    assert action
    perform(action, case, by=person("finance"), data={"order": str(order.pk)})
    assert tied() == [("ch_1", "#7", "SCORE")]
    assert spine.open_kinds() == set()


@pytest.mark.parametrize(
    "text", ["Bestellung 4711 danke", "Order #4711", "AUFTRAG-4711", "RNR WEB-4711", "47 11 Mustermann"]
)
def test_numbers_hide_in_texts(psp: Connection, ordered: Callable[..., Order], shop: Connection, text: str) -> None:
    NumberRule.objects.create(channel=shop, prefix="WEB-")
    ordered(4711)
    tell(psp, capture(text=text))
    assert tied() == [("ch_1", "#4711", "TEXT")]


def test_a_number_with_another_amount_is_only_proposed(psp: Connection, ordered: Callable[..., Order]) -> None:
    ordered(4711)
    tell(psp, capture(gross="20.00", text="Bestellung 4711"))
    assert tied() == []
    assert spine.open_kinds() == {"payment_proposed"}


def test_another_currency_is_asked_and_takes_an_amount_of_the_order(
    psp: Connection, ordered: Callable[..., Order], person: Callable[..., Any]
) -> None:
    ordered(4711)
    tell(psp, capture(gross="31.00", currency="USD", order="4711"))
    case = ExceptionCase.objects.get()
    assert case.kind == "payment_other_currency"
    action = by_code(case, "payments.assign")
    assert action
    perform(action, case, by=person("finance"), data={"number": "#4711", "order_amount": "28.70"})
    assert OpenItem.objects.get().state == "PAID"


def test_no_more_is_given_away_than_there_is(psp: Connection, ordered: Callable[..., Order]) -> None:
    first, second = ordered(1), ordered(2)
    tell(psp, capture(order="1"))
    row = Transaction.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Allocation.objects.create(
            transaction=row, position=2, order=second, amount=1, order_amount=1, how="PERSON", ground="CHOSEN"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Transaction.objects.filter(pk=row.pk).update(gross=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        first.delete()


def test_numbers_in_texts_are_found_in_every_form() -> None:
    assert {"1001", "WEB1001"} <= set(numbers_in("Zahlung WEB-1001 vom 3.11."))
    assert "20261001" in numbers_in("AU 2026-1001")
    assert len(numbers_in("1234 " * 500)) <= 40
