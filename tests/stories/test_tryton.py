"""From the played WooCommerce shop through the hub into a real Tryton, and what the warehouse there does back to the shop."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests

from exceptions import actions as everyday
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.connectors.http import Answer, Http
from integration_hub.models import Connection, InboundEvent, User
from integration_hub.sandbox import world as facts
from integration_hub.sandbox.basket import Basket, Item, Sum
from integration_hub.sandbox.catalogue import Article
from integration_hub.sandbox.hooks import signature
from inventory.models import Variant
from orders.models import Order
from tests.erp.office import Office
from tests.erp.server import Erp
from tests.sandbox.play import control

from .full_stack import (
    AUNT,
    FIRM,
    REDUCED,
    STANDARD,
    Stack,
    at_rest,
    basket,
    everything,
    item,
    open_cases,
    outcomes,
    unwritten,
)

pytestmark = pytest.mark.erp
Person = Callable[..., User]
_shops = itertools.count(1)
FREE = Sum(Decimal(0), REDUCED)


@pytest.fixture
def tryton(stack: Stack, real_erp: Erp) -> Connection:
    config = {"url": real_erp.url, "database": real_erp.database, "web_shop": "shop"}
    made = stack.connect("tryton", "tryton", "ERP", config, {"api_key": real_erp.key})
    stack.work()
    return made


@pytest.fixture
def shop(stack: Stack, tryton: Connection) -> Connection:
    """The shop under a name of its own: Tryton keeps the sales of all stories, and its references are unique."""
    return stack.shop("woo", tryton, slug=f"laden{next(_shops)}")


def in_order(office: Office, *, cases: dict[str, int] | None = None) -> None:
    """One processed sale of the right total per order, nothing waits, and just these cases are open."""
    for order in Order.objects.filter(state="ACCEPTED"):
        sale = office.sale(order.reference, "total_amount", "tax_amount", "reference")
        assert (sale["total_amount"], sale["reference"]) == (order.total, order.number)
        assert abs(sale["tax_amount"] - order.total_tax) <= Decimal("0.02")
    assert unwritten() == []
    assert at_rest() == ([], [])
    assert open_cases() == (cases or {})


def of_all_kinds() -> list[Basket]:
    """Mixed rates, one rate, coupon, fee, a firm with another place of delivery, free shipping, a variant, cents that do not divide."""
    return [
        basket(item("TK-100"), item("TEE-250", 3)),
        basket(item("TEE-KR", 7), shipping=Sum(Decimal("4.90"), REDUCED)),
        basket(item("BE-500", 3, percent=15), item("BUCH-01", percent=15)),
        basket(item("SIEB-01", 2), fee=Sum(Decimal("3.50"), STANDARD), payment="cod"),
        basket(item("TK-200", 2), item("HONIG-500", 5), buyer=FIRM, recipient=AUNT),
        basket(item("TS-S"), item("TS-L", 3), shipping=Sum(Decimal(0), STANDARD)),
        basket(item("TEE-100G", 3, percent=10), shipping=FREE),
        everything(),
    ]


def test_orders_of_all_kinds_are_in_tryton_to_the_cent(stack: Stack, office: Office, shop: Connection) -> None:
    placed = stack.place("woo", *of_all_kinds())
    stack.work()
    assert Order.objects.filter(state="ACCEPTED").count() == 8
    order = Order.objects.get(external_id=placed[-1])
    places = ("invoice_address.street", "invoice_address.postal_code", "shipment_address.city", "party.name", "comment")
    sale = office.sale(order.reference, *places, "invoices.id", "shipments.id")
    assert (sale["invoice_address"]["postal_code"], sale["shipment_address"]["city"]) == (FIRM.postcode, AUNT.city)
    assert sale["party"]["name"] == FIRM.company
    assert "Klingel" in sale["comment"]
    assert (len(sale["invoices"]), len(sale["shipments"])) == (1, 1)
    assert len(stack.rows("woo.notes")) == 8  # Tryton's number, once per order
    in_order(office)


def test_the_same_webhook_ten_times_is_one_sale(stack: Stack, office: Office, shop: Connection) -> None:
    stack.place("woo", basket(item("TK-100")))
    stack.work()
    event = InboundEvent.objects.filter(connection=shop, topic="order.created").get()
    headers = {"X-WC-Webhook-Topic": "order.created", "X-WC-Webhook-Signature": signed(bytes(event.body))}
    address = f"{stack.url}/webhooks/{shop.slug}/"
    answers = [requests.post(address, data=bytes(event.body), headers=headers, timeout=10) for _ in range(10)]
    assert [answer.json() for answer in answers] == [{"stored": 0, "known": 1}] * 10
    stack.later()
    assert len(office.sales(Order.objects.get().reference)) == 1
    in_order(office)


def signed(body: bytes) -> str:
    return signature(facts.WOO_WEBHOOK_SECRET, body)


@pytest.mark.parametrize("write", ["customer", "sale", "confirmation"])
def test_tryton_has_written_and_its_answer_never_comes(
    stack: Stack, office: Office, shop: Connection, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    part = {"customer": "/model/party.party", "sale": "/model/sale.sale", "confirmation": "/confirm"}[write]
    silent_once(monkeypatch, part)
    stack.place("woo", everything())
    stack.work()
    order = Order.objects.get()
    assert (outcomes(), order.sales.count()) == (["AMBIGUOUS"], 0)
    if write != "customer":
        assert wait_for_sale(office, order.reference) == 1  # it is there, and the hub does not know
    stack.persist(orders=1)
    assert outcomes()[-1] in ("DONE", "FOUND")
    assert len(office.sales(order.reference)) == 1
    in_order(office)


def silent_once(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """The first writing request to such an address gets no time for an answer."""
    real = Http._send
    struck: list[str] = []

    def send(self: Http, method: str, url: str, params: Any, body: Any, headers: Any, timeout: Any) -> Answer:
        if method == "POST" and url.endswith(part) and not struck:
            struck.append(url)
            timeout = (5.0, 0.005)
        return real(self, method, url, params, body, headers, timeout)

    monkeypatch.setattr(Http, "_send", send)


def wait_for_sale(office: Office, reference: str) -> int:
    """How many sales of this reference there are once Tryton is through with what it was doing."""
    for _ in range(100):
        if found := office.sales(reference):
            return len(found)
        time.sleep(0.05)
    return 0


def test_parcels_of_the_warehouse_reach_the_shop(
    stack: Stack, office: Office, shop: Connection, tryton: Connection
) -> None:
    (number,) = stack.place("woo", basket(item("TK-100", 2), item("TEE-250", 3)))
    stack.work()
    order = Order.objects.get()
    office.ship(order.reference, "00340434000001", only={"TK-100": 2})
    stack.poll(tryton)
    order.refresh_from_db()
    assert (order.fulfilment, stack.shop_order("woo", number)["status"]) == ("PARTIAL", "processing")
    office.ship(order.reference, "00340434000002")
    stack.poll(tryton)
    order.refresh_from_db()
    told = [row["tracking_number"] for row in stack.rows("woo.trackings")]
    assert told == ["00340434000001", "00340434000002"]
    assert (order.fulfilment, stack.shop_order("woo", number)["status"]) == ("FULL", "completed")
    packed = [
        {line.line.sku: line.quantity for line in parcel.lines.all()} for parcel in order.shipments.order_by("pk")
    ]
    assert packed == [{"TK-100": 2}, {"TEE-250": 3}]
    in_order(office)


def test_a_sale_cancelled_in_tryton_is_told_to_the_shop(
    stack: Stack, office: Office, shop: Connection, tryton: Connection
) -> None:
    (number,) = stack.place("woo", basket(item("TK-100")))
    stack.work()
    control(stack.sandbox, f"woo/orders/{number}", action="cancel")
    stack.work()
    order = Order.objects.get()
    assert open_cases() == {"cancelled_after_export": 1}
    office.cancel_shipments(order.reference)
    office.ignore_cancelled(order.reference)
    stack.poll(tryton)
    assert order.sales.get().stage == "CANCELLED"
    assert sum("cancelled]" in row["note"] for row in stack.rows("woo.notes")) == 1
    in_order(office)


def test_what_tryton_refuses_is_fixed_there_and_tried_again(
    stack: Stack, office: Office, shop: Connection, person: Person
) -> None:
    news = Article(91, f"NEU-{shop.slug}", "", "Teedose Neuheit", Decimal("9.90"))
    Variant.objects.create(sku=news.sku, title=news.title)
    stack.place("woo", basket(Item(news, 2, STANDARD)), basket(item("TK-200")))
    stack.work()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.size, Order.objects.filter(sales=None).count()) == ("target_refused", 1, 1)
    in_tryton(office, news)
    perform(everyday.RETRY, case, by=person("operations"), data={})
    stack.work()
    in_order(office)


def in_tryton(office: Office, article: Article) -> None:
    """What somebody types into Tryton: a product like the others at 19 %."""
    (like,) = office.rest.search(
        "product.product", [["code", "=", "TK-100"]], ["account_category.id", "default_uom.id"]
    )
    values = {
        "name": article.title,
        "code": article.sku,
        "type": "goods",
        "salable": True,
        "list_price": 8,
        "account_category": like["account_category"]["id"],
        "default_uom": like["default_uom"]["id"],
        "sale_uom": like["default_uom"]["id"],
        "products": [["create", [{}]]],
    }
    office.rest.create("product.template", values)
