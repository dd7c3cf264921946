"""Tryton 8.0 and later as the ERP: sales over its REST interface, states, parcels, products and stock by polling.

Needs Tryton's module ``web_shop``: it keeps (web shop, web id) unique, which makes "exactly one sale" a fact of the
database.  ``sale_discount`` shows prices before discounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from integration_hub.kernel.aftersales import CancelSale, WriteReturn
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.messages import Command, Listed, Report, WriteSale, Written
from integration_hub.kernel.text import say

from . import _tryton_goods_reports as goods
from . import _tryton_reports as reports
from ._apart import apart
from ._gone import GONE_TOPIC, gone_delivery, gone_report
from ._tryton_cancel import Canceller
from ._tryton_check import findings
from ._tryton_goods import LOCATION_TOPIC, PRODUCT_TOPIC, STOCK_TOPIC, Goods
from ._tryton_records import Records
from ._tryton_rest import Rest, Row
from ._tryton_return import Returner
from ._tryton_sale import SaleWriter
from .base import Capability, Connector, Delivery, Finding, Page, Role, Stream, option

THROUGH = ("processing", "done", "cancelled")


class Tryton(Connector):
    """Sales to Tryton, their states and parcels back, its products and its stock."""

    code = "tryton"
    label = "Tryton"
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
        }
    )
    streams = (
        Stream("sales", timedelta(minutes=1), timedelta(minutes=5), say("Sales and shipments")),
        Stream("products", timedelta(minutes=15), timedelta(minutes=30), say("Products")),
        Stream("locations", timedelta(hours=1), timedelta(days=1), say("Locations")),
        Stream("stock", timedelta(minutes=1), timedelta(minutes=5), say("Stock levels"), after="products"),
    )
    cannot = (
        say("Tryton sends no webhooks; changes are found by polling, once a minute."),
        say("Tryton knows the day of a shipment, not the hour, and no carrier; the tracking number is its reference."),
        say("Customers that Tryton already holds under the same code are used as they are, not overwritten."),
        say("VAT numbers of customers are not written to Tryton."),
        say("Payments are not registered in Tryton."),
    )

    words = {"sale": {**reports.UNSHIPPED, **reports.STAGES}}

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """What a connection to Tryton needs."""

        url: str = option(say("Address"), help=say("Of the Tryton server, such as https://erp.example.com"))
        database: str = option(say("Database"))
        api_key: str = option(
            say("API key"), secret=True, help=say("Tryton: preferences of the user, applications, REST.")
        )
        web_shop: str = option(
            say("Web shop"), help=say("The name of the web shop in Tryton that the sales belong to.")
        )
        company: int = option(say("Company"), default=0, help=say("Its number in Tryton; 0 takes the first."))
        warehouse: str = option(say("Warehouse (code)"), default="", help=say("Empty: the first of the web shop."))
        shipping_product: str = option(say("Product for shipping (code)"), default="SHIP-DHL")
        fee_product: str = option(say("Product for fees (code)"), default="SURCHARGE")
        discount_product: str = option(say("Product for discounts (code)"), default="DISCOUNT")
        rounding_product: str = option(say("Product for rounding differences (code)"), default="SURCHARGE")
        confirm: bool = option(say("Confirm the sale in Tryton"), default=True)

    @cached_property
    def _rest(self) -> Rest:
        return Rest(self.http, self.config.url, self.config.database, self.config.api_key)

    @cached_property
    def _records(self) -> Records:
        config = self.config
        return Records(self._rest, config.company, config.web_shop, config.warehouse)

    @property
    def _services(self) -> dict[str, str]:
        kinds = ("shipping", "fee", "discount", "rounding")
        return {kind: getattr(self.config, f"{kind}_product") for kind in kinds}

    def _writer(self, command: WriteSale) -> SaleWriter:
        return SaleWriter(self._rest, self._records, self._services, command)

    def _canceller(self, command: CancelSale) -> Canceller:
        return Canceller(self._rest, self._records.shop["id"], command)

    def _returner(self, command: WriteReturn) -> Returner:
        return Returner(self._rest, self._records.shop["id"], command)

    def send(self, command: Command) -> Written:
        """Create the sale and push it through, or finish what an earlier try began."""
        if isinstance(command, CancelSale):
            return self._canceller(command).carry_out()
        if isinstance(command, WriteReturn):
            return self._returner(command).write()
        if not isinstance(command, WriteSale):
            return super().send(command)
        sale, was_there = self._writer(command).write(confirm=self.config.confirm)
        return _written(sale, was_there=was_there)

    def find(self, command: Command) -> Written | None:
        """The sale of this reference, unfinished where a button is still to be pressed or a draft has another total."""
        if isinstance(command, CancelSale):
            return self._canceller(command).find()
        if isinstance(command, WriteReturn):
            return self._returner(command).find()
        if not isinstance(command, WriteSale):
            return super().find(command)
        writer = self._writer(command)
        sale = writer.find()
        if sale is None:
            return None
        unfinished = sale["state"] not in THROUGH if self.config.confirm else writer.off(sale)
        return replace(_written(sale, was_there=True), unfinished=unfinished)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        """One page of changed sales of our web shop, or of products, locations or levels."""
        if stream == "sales":
            return reports.sale_page(self._rest, self._records.shop["id"], since, token)
        with apart():
            if stream == "products":
                return self._goods().products(since, token)
            if stream == "locations":
                return self._goods().locations(since)
            if stream == "stock":
                return self._goods().changed_levels(since, token) if since else self._goods().levels(token)
        return super().poll(stream, since, token)

    def _goods(self) -> Goods:
        company = self._records.company
        return Goods(self._rest, sorted(set(self._services.values())), company["currency"]["code"])

    def list_levels(self, token: str | None) -> Page:
        """Some hundred variants at every warehouse; the warehouses come with the first page."""
        with apart():
            return self._goods().levels(token)

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        return self._goods().missing(product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        return gone_delivery(product_id)

    def list_sales(self, references: Sequence[str]) -> Sequence[Listed]:
        return reports.standing_under(self._rest, self._records.shop["id"], references)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic == reports.SALE_TOPIC:
            return [reports.sale_report(delivery.body)]
        if delivery.topic == PRODUCT_TOPIC:
            return [goods.product_report(delivery.body)]
        if delivery.topic == GONE_TOPIC:
            return [gone_report(delivery)]
        if delivery.topic == LOCATION_TOPIC:
            return [goods.location_report(delivery.body)]
        if delivery.topic == STOCK_TOPIC:
            return [goods.stock_report(delivery.body, delivery.context)]
        raise unreadable("unknown topic %(topic)s", topic=delivery.topic)

    def check(self) -> Sequence[Finding]:
        """Server, key, company, web shop, warehouse, products and stock, one after the other."""
        return findings(self._rest, self._records, self._services)


def _written(sale: Row, *, was_there: bool) -> Written:
    return Written(
        external_id=str(sale["id"]),
        number=sale["number"] or "",
        vendor_status=sale["state"],
        was_there=was_there,
    )
