"""Odoo as ERP (written for 17 to 19): sales orders written once; their state, parcels, products and stock polled.

Facts: odoo/odoo ``addons/rpc/controllers/json2.py``, the external API pages of odoo/documentation, and a live Odoo 17.
``client_order_ref`` holds our unique reference; Odoo itself does not keep it unique, so we look before we create.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import CancelSale, WriteReturn
from integration_hub.kernel.errors import HubError, unreadable
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Command, Listed, Report, WriteSale, Written
from integration_hub.kernel.text import say

from ._apart import apart
from ._gone import GONE_TOPIC, gone_delivery, gone_report
from ._odoo_cancel import Canceller
from ._odoo_goods import LOCATION_TOPIC, PRODUCT_TOPIC, STOCK_TOPIC, Goods
from ._odoo_goods_reports import location_report, product_report, stock_report
from ._odoo_payment import Cashier, journal_of
from ._odoo_poll import Poll
from ._odoo_reports import RETURN_STAGES, STAGES, sale_report
from ._odoo_return import Returner
from ._odoo_rpc import AUTO, JSON2, JSON_RPC, OdooRpc
from ._odoo_writer import SaleWriter
from .base import Capability, Connector, Delivery, Finding, Page, Role, Stream, option
from .http import Http


class Odoo(Connector):
    """Sales to Odoo; state, parcels, products and stock back."""

    code = "odoo"
    label = "Odoo"
    roles = frozenset({Role.ERP})
    capabilities = frozenset(
        {
            Capability.WRITE_SALE,
            Capability.POLL,
            Capability.LIST_SALES,
            Capability.LIST_LEVELS,
            Capability.SWEEP_PRODUCTS,
            Capability.CANCEL_SALE,
            Capability.WRITE_RETURN,
            Capability.REGISTER_PAYMENT,
        }
    )
    streams = (
        Stream("sales", timedelta(minutes=1), timedelta(minutes=5), say("Sales and deliveries")),
        Stream("products", timedelta(minutes=15), timedelta(minutes=30), say("Products")),
        Stream("locations", timedelta(hours=1), timedelta(days=1), say("Locations")),
        Stream("stock", timedelta(minutes=1), timedelta(minutes=5), say("Stock levels"), after="products"),
    )
    cannot = (
        say("Odoo sends no signed webhooks; changes are found by polling, once a minute."),
        say("Carrier and tracking number need Odoo's delivery module; without it shipments come without them."),
        say("Returns of kits, and of articles with lots or serial numbers, are booked in Odoo by hand."),
        say("Payments are registered on the customer's account; matching them with the invoice is done in Odoo."),
        say("Customers that Odoo already holds under the same code are used as they are, not overwritten."),
    )

    words = {"sale": STAGES, "return": RETURN_STAGES}

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """What a connection to Odoo needs."""

        url: str = option(say("Address"), help=say("Where Odoo is opened in the browser, without /web."))
        database: str = option(say("Database"))
        login: str = option(say("User"), default="", help=say("Only needed before Odoo 19."))
        api_key: str = option(say("API key"), secret=True)
        transport: str = option(
            say("Interface"),
            default=AUTO,
            choices=(
                (AUTO, say("Find out (JSON-2, else JSON-RPC)")),
                (JSON2, say("JSON-2 (Odoo 19 and later)")),
                (JSON_RPC, say("JSON-RPC (before Odoo 19)")),
            ),
        )
        shipping_product: str = option(say("Product for shipping costs (internal reference)"), default="")
        fee_product: str = option(say("Product for fees and rounding (internal reference)"), default="")
        discount_product: str = option(say("Product for vouchers and rebates (internal reference)"), default="")
        payment_journal: str = option(
            say("Journal for payments (short code)"),
            default="",
            help=say("A bank or cash journal; only needed where payments are registered in Odoo."),
        )
        warehouse: str = option(say("Warehouse (short name)"), default="", help=say("Empty: Odoo decides."))
        confirm: bool = option(say("Confirm the sale in Odoo"), default=True)

    def __init__(self, config: Any, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.url.rstrip("/")
        self._rpc = OdooRpc(http, config.database, config.login, config.api_key, config.transport)

    def find(self, command: Command) -> Written | None:
        """The sale of this reference, unfinished where it is a draft that still has to be confirmed."""
        if isinstance(command, CancelSale):
            return Canceller(self._rpc, command).find()
        if isinstance(command, WriteReturn):
            return Returner(self._rpc, command).find()
        if isinstance(command, RegisterPayment):
            return Cashier(self._rpc, self.config.payment_journal, command).find()
        if not isinstance(command, WriteSale):
            return super().find(command)
        return self._writer().find(command)

    def send(self, command: Command) -> Written:
        """Create and confirm the sale, or finish what an earlier try began."""
        if isinstance(command, CancelSale):
            return Canceller(self._rpc, command).carry_out()
        if isinstance(command, WriteReturn):
            return Returner(self._rpc, command).write()
        if isinstance(command, RegisterPayment):
            return Cashier(self._rpc, self.config.payment_journal, command).register()
        if not isinstance(command, WriteSale):
            return super().send(command)
        return self._writer().write(command)

    def _writer(self) -> SaleWriter:
        return SaleWriter(self._rpc, self.config)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        """One page of sales (those whose parcels changed follow), products, locations or levels."""
        if stream == "sales":
            return Poll(self._rpc).sales(since, token)
        goods = Goods(self._rpc)
        with apart():
            if stream == "products":
                return goods.products(since, token)
            if stream == "locations":
                return goods.locations(since)
            if stream == "stock":
                return goods.changed_levels(since, token) if since else goods.levels(token)
        return super().poll(stream, since, token)

    def list_levels(self, token: str | None) -> Page:
        """Some hundred variants at every place; the places come with the first page."""
        with apart():
            return Goods(self._rpc).levels(token)

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        with apart():
            return Goods(self._rpc).missing(product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        return gone_delivery(product_id)

    def list_sales(self, references: Sequence[str]) -> Sequence[Listed]:
        return Poll(self._rpc).standing_under(references)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic == GONE_TOPIC:
            return [gone_report(delivery)]
        body = codec.load_object(delivery.body)
        if delivery.topic == "sale.polled":
            return [sale_report(body)]
        if delivery.topic == PRODUCT_TOPIC:
            return [product_report(body)]
        if delivery.topic == LOCATION_TOPIC:
            return [location_report(body)]
        if delivery.topic == STOCK_TOPIC:
            return [stock_report(body, delivery.context)]
        raise unreadable("unknown topic %(topic)s", topic=delivery.topic)

    def check(self) -> Sequence[Finding]:
        """Log in, look at the rights, and find the products and taxes that the settings speak of."""
        try:
            companies = self._rpc.rows("res.company", "search_read", names=["name"], limit=1)
            name = fields.words(companies[0], "name") if companies else ""
            door = "JSON-2" if self._rpc.transport == JSON2 else "JSON-RPC"
            found = [Finding(True, say("Logged in to %(company)s over %(door)s.", company=name, door=door))]
            return [
                *found,
                *self._check_sales(),
                *self._check_products(),
                self._check_taxes(),
                *self._check_journal(),
                self._check_stock(),
            ]
        except HubError as error:
            return [Finding(False, error.text)]

    def _check_sales(self) -> Sequence[Finding]:
        count = self._rpc.count("sale.order", [["client_order_ref", "!=", False]])
        return [Finding(True, say("Sales orders can be read (%(count)s with a reference).", count=count))]

    def _check_products(self) -> Sequence[Finding]:
        config = self.config
        wanted = dict.fromkeys((config.shipping_product, config.fee_product, config.discount_product))
        return [self._check_product(code) for code in wanted if code]

    def _check_product(self, code: str) -> Finding:
        count = self._rpc.count("product.product", [["default_code", "=", code]])
        if count == 1:
            return Finding(True, say("Product %(code)s is there.", code=code))
        return Finding(
            False,
            say("Odoo has %(count)s products with the reference %(code)s; one is needed.", count=count, code=code),
        )

    def _check_taxes(self) -> Finding:
        rates = sorted({tax.rate * 100 for tax in self._writer().taxes()})
        shown = ", ".join(format(rate.normalize(), "f") for rate in rates)
        if not rates:
            return Finding(False, say("Odoo has no sale taxes in percent."))
        return Finding(True, say("Sale taxes in percent: %(rates)s.", rates=shown))

    def _check_journal(self) -> Sequence[Finding]:
        """Whether payments can be registered, where the settings name a journal."""
        code = self.config.payment_journal
        if not code:
            return []
        try:
            journal_of(self._rpc, code)
        except HubError as error:
            return [Finding(False, error.text)]
        return [Finding(True, say("The journal %(code)s for payments is there.", code=code))]

    def _check_stock(self) -> Finding:
        """Whether products and stock can be read; a right that is missing for them alone does not stop the sales."""
        goods = Goods(self._rpc)
        try:
            goods.products(None, None)
            if not goods.has_stock:
                return Finding(True, say("Odoo's Inventory app is not there: there is no stock to be read."))
            goods.levels(None)
            names = [location_report(codec.load_object(item.body)).name for item in goods.locations(None).deliveries]
        except HubError as error:
            return Finding(False, error.text)
        return Finding(
            True, say("Products and stock can be read; locations: %(names)s.", names=", ".join(names) or "—")
        )
