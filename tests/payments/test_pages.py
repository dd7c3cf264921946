"""The pages of money: a fixed number of queries at any size, personal data masked, the chain from every end."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration_hub.models import Connection, User
from orders.models import Order
from payments import chain, payouts
from payments.models import OpenItem, Payout, PayoutItem, Transaction
from tests.payments import money
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db

LISTS = ("open_items", "transactions", "payouts", "refunds", "disputes", "bank_lines", "fees")


@pytest.fixture
def sign(person: Callable[..., User]) -> Callable[[str], Client]:
    def make(role: str) -> Client:
        client = Client()
        client.force_login(person(role))
        return client

    return make


@pytest.mark.parametrize("name", LISTS)
def test_empty_lists_say_what_will_appear(name: str, sign: Callable[[str], Client]) -> None:
    assert "hub-empty" in sign("finance").get(reverse(name)).content.decode()


def test_lists_and_pages_need_the_same_queries_at_any_size(
    psp: Connection, ordered: Callable[..., Order], sign: Callable[[str], Client]
) -> None:
    client = sign("finance")
    ordered(1)
    tell(psp, capture("ch_1", order="1", payout="po_1"))
    tell(psp, {"id": "po_1", "amount": "28.02"}, topic="payout")
    money.arguments()
    addresses = [reverse(name) for name in LISTS]
    addresses += [reverse("payout", args=[Payout.objects.get().pk]), *_chains()]
    addresses += [reverse("transaction", args=[Transaction.objects.get(external_id="ch_1").pk])]
    few = [_queries(client, address) for address in addresses]
    for number in range(2, 12):
        ordered(number)
        tell(psp, capture(f"ch_{number}", order=str(number), payout="po_1", gross="20.00"))
        tell(psp, {"id": f"po_{number}", "amount": "1.00"}, topic="payout")
    many = [_queries(client, address) for address in addresses]
    assert many == few
    assert max(few) < 30


def _queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(database) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def _chains() -> list[str]:
    order, payout, line = Order.objects.get(), Payout.objects.get(), money.bank_line()
    return [
        reverse("chain", args=[start, row.pk])
        for start, row in (("order", order), ("payout", payout), ("bankline", line))
    ]


def test_the_chain_leads_from_order_to_bank_and_back(
    psp: Connection, bank: Connection, ordered: Callable[..., Order], sign: Callable[[str], Client]
) -> None:
    order = ordered(7)
    tell(psp, capture(order="7", payout="po_1"))
    tell(psp, {"id": "po_1", "amount": "28.02", "reference": "PO-778899"}, topic="payout")
    line = {"key": "1", "amount": "28.02", "text": "PO-778899"}
    tell(bank, {"number": "1", "opening": "0", "closing": "28.02", "lines": [line]}, topic="statement")
    payout = Payout.objects.get()
    for found in (chain.of_order(order.pk), chain.of_payout(payout.pk), chain.of_bank_line(payout.bank_line_id or 0)):
        assert [hop.tone for hop in found.hops] == ["good"] * 5
        assert [hop.sums for hop in found.hops[2:4]] == [[("EUR", Decimal("-0.68"))], [("EUR", Decimal("28.02"))]]
        assert found.is_good
    page = sign("finance").get(reverse("chain", args=["order", order.pk])).content.decode()
    assert reverse("payout", args=[payout.pk]) in page
    assert reverse("chain", args=["bankline", payout.bank_line_id]) in page


def test_a_remainder_is_red_and_in_the_control_sum(psp: Connection, ordered: Callable[..., Order]) -> None:
    order = ordered(7)
    tell(psp, capture(order="7", payout="po_1"))
    tell(psp, {"id": "po_1", "amount": "30.00"}, topic="payout")
    found = chain.of_order(order.pk)
    assert (found.hops[3].tone, [one.amount for one in found.control]) == ("bad", [Decimal("1.98")])


def test_personal_data_is_masked(psp: Connection, ordered: Callable[..., Order], person: Callable[..., User]) -> None:
    row = money.movement(ordered(1))
    somebody = person("finance")
    client = Client()
    client.force_login(somebody)
    assert "Erika" in client.get(reverse("transaction", args=[row.pk])).content.decode()
    User.objects.get(pk=somebody.pk).groups.get().permissions.filter(codename="see_personal_data").first()
    somebody.groups.get().permissions.remove(*somebody.groups.get().permissions.filter(codename="see_personal_data"))
    client.force_login(User.objects.get(pk=somebody.pk))
    assert "Erika" not in client.get(reverse("transaction", args=[row.pk])).content.decode()


def test_a_payout_is_explained_on_its_page(psp: Connection, sign: Callable[[str], Client]) -> None:
    for number, net in enumerate(["10.00", "15.00"]):
        tell(
            psp, {"id": f"t{number}", "gross": net, "settled": net, "kind": "ADJUSTMENT", "at": "2026-11-10T10:00:00Z"}
        )
    tell(psp, {"id": "po_1", "amount": "25.00", "has_items": False}, topic="payout")
    payout, client = Payout.objects.get(), sign("finance")
    page = client.get(reverse("payout", args=[payout.pk]) + "?propose=1")
    assert [row.external_id for row in page.context["proposal"]] == ["t0", "t1"]
    found, _rest = payouts.propose(payout)
    client.post(
        reverse("payout_action", args=[payout.pk, "payments.take_proposal"]),
        {"movements": " ".join(str(row.pk) for row in found)},
    )
    assert PayoutItem.objects.count() == 2
    assert Payout.objects.get().state == "EXPLAINED"


@pytest.mark.parametrize(
    "query", ["?order=none", "?q=ch_1", "?q=%231", "?kind=REFUND&state=FAILED", "?of_order=1", "?q=%27%00"]
)
def test_movements_are_found(
    psp: Connection, ordered: Callable[..., Order], sign: Callable[[str], Client], query: str
) -> None:
    money.movement(ordered(1))
    assert sign("finance").get(reverse("transactions") + query).status_code == 200


@pytest.mark.parametrize("query", ["?state=OPEN", "?what=over", "?after=2026-11-20|1", "?after=nonsense"])
def test_open_items_are_found(
    ordered: Callable[..., Order], psp: Connection, sign: Callable[[str], Client], query: str
) -> None:
    order = ordered(1)
    tell(psp, capture(order="1", gross="50.00"))
    assert OpenItem.objects.get(pk=order.pk).overpaid
    answer = sign("finance").get(reverse("open_items") + query)
    assert (answer.status_code, len(answer.context["rows"])) == (200, 1 if query == "?what=over" else 0)


def test_the_start_page_of_finance_shows_money(psp: Connection, sign: Callable[[str], Client]) -> None:
    tell(psp, capture(text="no idea"))
    page: Any = sign("finance").get(reverse("start_page", args=["finance"]))
    tiles = {str(tile.label): tile for tile in page.context["tiles"]}
    assert any("28,70" in tile.value and "order=none" in tile.url for tile in tiles.values())
