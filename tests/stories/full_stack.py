"""The whole hub with the world around it: its web server, connectors as shipped, played shops and ERP over real HTTP."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exceptions.models import ExceptionCase
from integration_hub.messaging import polling, pump
from integration_hub.models import Attempt, Breaker, Connection, InboundEvent, OutboundCommand, ProcessSwitch
from integration_hub.models.inbound import UNFINISHED
from integration_hub.models.outbound import MOVING
from integration_hub.processes import PROCESSES
from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox
from integration_hub.sandbox.basket import Basket, Item, Sum
from integration_hub.sandbox.catalogue import ARTICLES, Article
from integration_hub.sandbox.people import Person
from orders.models import Order
from tests.sandbox.play import control, state, until_idle

LONG_AGO = "2020-01-01T00:00:00Z"
TRIES = 25
ROUNDS = 12  # of webhooks and work; a loop of echoes would never come to rest
GOODS = {article.sku: article for article in ARTICLES}
STANDARD, REDUCED = Decimal("0.19"), Decimal("0.07")
ERIKA = Person(
    "Erika", "Groß", "", "", "erika@example.com", "+49 40 123456", "Am Kai 7", "", "20457", "Hamburg", customer=7
)
FIRM = Person(
    "Özlem", "Weiß", "Teestube Möller GmbH", "DE129273398", "einkauf@moeller.example", "+49 30 7654321",
    "Hauptstraße 12a", "Hinterhaus", "10115", "Berlin", customer=8,
)  # fmt: skip
AUNT = Person("Käthe", "Lehmann", "", "", "", "", "Schloßallee 3", "c/o Krüger", "80331", "München")
SHOPS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "woo": (
        "laden",
        "woocommerce",
        {
            "consumer_key": facts.WOO_KEY,
            "consumer_secret": facts.WOO_SECRET,
            "webhook_secret": facts.WOO_WEBHOOK_SECRET,
        },
    ),
    "shopify": (
        "teehaus",
        "shopify",
        {"access_token": facts.SHOPIFY_TOKEN, "api_secret": facts.SHOPIFY_SECRET},
    ),
}


def item(sku: str, quantity: int = 1, *, rate: Decimal | None = None, percent: int = 0) -> Item:
    """So many of an article of the catalogue; another ``rate`` makes the order wrong."""
    article = GOODS[sku]
    return Item(article, quantity, article.rate if rate is None else rate, percent)


def basket(*items: Item, **changes: Any) -> Basket:
    """What somebody orders: paid, sent to the buyer, shipping at the standard rate."""
    percent = items[0].percent
    said: dict[str, Any] = {
        "buyer": ERIKA,
        "items": items,
        "shipping": Sum(Decimal("4.90"), STANDARD),
        "fee": None,
        "coupon": f"TEE{percent}" if percent else "",
        "percent": percent,
        "payment": "stripe",
        "note": "",
        "placed_at": datetime.now(UTC).replace(microsecond=0),
    }
    said |= changes
    said.setdefault("recipient", said["buyer"])
    return Basket(**said)


def everything() -> Basket:
    """An order with all there is: two tax rates, a variant, coupon, fee, another delivery address, a note with marks."""
    return basket(
        item("TK-100", 2, percent=10),
        item("TEE-250", 3, percent=10),
        item("TS-M", percent=10),
        buyer=FIRM,
        recipient=AUNT,
        fee=Sum(Decimal("3.50"), STANDARD),
        payment="cod",
        note='Bitte vor 12 Uhr – "Klingel defekt" & <b>Hinterhaus</b> 🎁',
    )


def unknown() -> Item:
    """An article that neither hub nor ERP knows."""
    return Item(Article(90, "TK-100-B", "", "Teekanne Blau", Decimal("44.95")), 1, STANDARD)


@dataclass
class Stack:
    """The running hub at ``url`` and the sandbox beside it."""

    sandbox: Sandbox
    url: str

    def connect(self, slug: str, kind: str, role: str, config: dict[str, Any], secrets: dict[str, str]) -> Connection:
        made = Connection(slug=slug, name=slug.title(), kind=kind, role=role, config=config)
        made.set_secrets(secrets)
        made.save()
        polling.prepare(made)
        return made

    def odoo(self, **config: Any) -> Connection:
        """The played ERP, its products taken over."""
        settings = {
            "url": f"{self.sandbox.url}/odoo",
            "database": facts.ODOO_DATABASE,
            "login": facts.ODOO_LOGIN,
            "shipping_product": "VERSAND",
            "fee_product": "GEBUEHR",
            "discount_product": "RABATT",
        }
        made = self.connect("odoo", "odoo", "ERP", settings | config, {"api_key": facts.ODOO_KEY})
        self.work()
        return made

    def erpnext(self, **config: Any) -> Connection:
        """The other played ERP, its products taken over."""
        settings = {
            "url": f"{self.sandbox.url}/erpnext",
            "api_key": facts.ERPNEXT_KEY,
            "shipping_product": "VERSAND",
            "fee_product": "GEBUEHR",
            "discount_product": "RABATT",
            "scrap_warehouse": "Ausschuss - ST",
            "payment_account": "1200 - Bank - ST",
        }
        made = self.connect("erpnext", "erpnext", "ERP", settings | config, {"api_secret": facts.ERPNEXT_SECRET})
        self.work()
        return made

    def shop(self, name: str, erp: Connection, *, slug: str = "", **config: Any) -> Connection:
        """A played shop with all processes towards the ERP, and its webhooks pointed at the hub."""
        usual, kind, secrets = SHOPS[name]
        settings = {"woo": {"url": f"{self.sandbox.url}/woo", "tracking": "shipment_tracking"}}.get(
            name, {"shop": facts.SHOPIFY_SHOP, "api_url": f"{self.sandbox.url}/shopify"}
        )
        made = self.connect(slug or usual, kind, "SHOP", settings | config, secrets)
        self.join(made, erp)
        self.subscribe(name, slug=slug)
        self.work()
        return made

    def join(self, channel: Connection, erp: Connection) -> None:
        for process in PROCESSES:
            ProcessSwitch.objects.create(channel=channel, process=process.code, target=erp, since=LONG_AGO)

    def subscribe(self, name: str, *, secret: str = "", slug: str = "") -> None:
        usual, _kind, secrets = SHOPS[name]
        signing = secret or secrets.get("webhook_secret", secrets.get("api_secret", ""))
        control(self.sandbox, "subscribe", shop=name, url=f"{self.url}/webhooks/{slug or usual}/", secret=signing)

    def place(self, shop: str, *baskets: Basket, announce: bool = True) -> list[str]:
        """Customers order; the ids in the shop."""
        counter = self.sandbox.woo.shop if shop == "woo" else self.sandbox.shopify.shop
        return [str(counter.place(wanted, announce)["id"]) for wanted in baskets]

    def work(self) -> None:
        """Let webhooks arrive and workers work until nothing moves any more."""
        for _ in range(ROUNDS):
            until_idle(self.sandbox)
            if not pump.drain(lanes=("poll", "in", "out")) and not self.sandbox.later.pending():
                return
        raise AssertionError("it never comes to rest")

    def later(self) -> None:
        """Let every pause run out, then work."""
        for model in (InboundEvent, OutboundCommand):
            model._default_manager.update(due_at=LONG_AGO)
        Breaker.objects.update(rest_until=LONG_AGO, probe_at=LONG_AGO)
        self.work()

    def persist(self, *, orders: int) -> None:
        """Let the pauses run out, as often as it takes until so many orders are written."""
        for _ in range(TRIES):
            if Order.objects.filter(sales__isnull=False).count() == orders:
                return
            self.later()
        raise AssertionError("it never got through")

    def poll(self, *connections: Connection) -> None:
        for connection in connections:
            polling.poll_now(connection)
        self.work()

    def ship(self, order: Order, *, partial: bool = False) -> None:
        """The warehouse of the played ERP sends what is open; the hub looks."""
        erp = order.sales.get().connection
        control(self.sandbox, f"{erp.kind}/ship", order=order.reference, partial=partial)
        self.poll(erp)

    def shop_order(self, shop: str, number: str) -> dict[str, Any]:
        """The order as the shop holds it."""
        found = self.sandbox.world.store.get(f"{shop}.orders", int(number))
        assert found is not None
        return found

    def sale(self, order: Order) -> dict[str, Any]:
        """The one sale that the played ERP holds for this order."""
        held = [row for row in self.rows("sale.order") if row.get("client_order_ref") == order.reference]
        assert len(held) == 1, f"{order.reference}: {len(held)} sales"
        return held[0]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.sandbox.world.store.rows(table)

    def fault(self, target: str, **values: float) -> None:
        control(self.sandbox, "faults", target=target, **values)

    def all_well(self) -> None:
        control(self.sandbox, "reset")

    def in_order(self, *, cases: Mapping[str, int] | None = None) -> None:
        """One sale per accepted order and none besides, nothing waits, and just these cases are open, by kind."""
        found = state(self.sandbox)
        accepted = {order.reference for order in Order.objects.filter(sales__connection__kind="odoo")}
        assert (found["doubles"], set(found["sales"])) == ({}, accepted)
        assert unwritten() == []
        assert at_rest() == ([], [])
        assert open_cases() == dict(cases or {}), list(
            ExceptionCase.objects.open().values_list("cause", "found", "data")
        )


def next_second() -> None:
    """Shops state whole seconds: what is to be later than before must be so by the clock."""
    time.sleep(1.02 - time.time() % 1)


def unwritten() -> list[str]:
    """Accepted orders without a sale."""
    return [order.reference for order in Order.objects.filter(state="ACCEPTED", sales=None)]


def at_rest() -> tuple[list[InboundEvent], list[OutboundCommand]]:
    """The events and commands that still wait."""
    return (
        list(InboundEvent.objects.filter(state__in=UNFINISHED)),
        list(OutboundCommand.objects.filter(state__in=MOVING)),
    )


def open_cases() -> dict[str, int]:
    """How many cases of which kind are open."""
    return dict(Counter(ExceptionCase.objects.open().values_list("kind", flat=True)))


def outcomes(verb: str = "sale.write") -> list[str]:
    """How every attempt at these commands ended, in order."""
    tries = Attempt.objects.filter(command__verb=verb).order_by("pk")
    return list(tries.values_list("outcome", flat=True))


def requests_made(method: str, part: str = "") -> list[dict[str, Any]]:
    """What the hub sent while carrying out commands, by method and a part of the address."""
    made = [exchange for attempt in Attempt.objects.order_by("pk") for exchange in attempt.exchanges]
    return [exchange for exchange in made if exchange["method"] == method and part in exchange["url"]]
