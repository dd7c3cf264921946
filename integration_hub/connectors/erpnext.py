"""ERPNext as ERP (written for 14 to 16): sales orders written once; their state, parcels, products and stock polled.

Facts: the source of frappe/frappe and frappe/erpnext as named in the parts, and docs.frappe.io.  The field that holds our
reference is found before anything is made; where the merchant has made it unique, ERPNext itself refuses a second sale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.aftersales import CancelSale, WriteReturn
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Command, Listed, Report, WriteSale, Written
from integration_hub.kernel.text import say

from ._apart import apart
from ._erpnext_api import ErpNextApi
from ._erpnext_cancel import Canceller
from ._erpnext_check import Check
from ._erpnext_config import CUSTOMER_DETAILS, PO_NO, ErpNextConfig
from ._erpnext_goods import LOCATION_TOPIC, PRODUCT_TOPIC, STOCK_TOPIC, Goods
from ._erpnext_goods_reports import location_report, product_report, stock_report
from ._erpnext_payment import Cashier
from ._erpnext_poll import SALE_TOPIC, Poll
from ._erpnext_reports import RETURN_STAGES, STAGES, sale_report
from ._erpnext_return import Returner
from ._erpnext_writer import SaleWriter
from ._gone import GONE_TOPIC, gone_delivery, gone_report
from .base import Capability, Connector, Delivery, Finding, Page, Role, Stream
from .http import Http


class ErpNext(Connector):
    """Sales to ERPNext; state, parcels, products and stock back."""

    code = "erpnext"
    label = "ERPNext"
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
        Stream("stock", timedelta(minutes=1), timedelta(minutes=5), say("Stock levels")),
    )
    cannot = (
        say("Webhooks of ERPNext are not used; changes are found by polling, once a minute."),
        say("Goods that leave with a sales invoice instead of a delivery note are not told as parcels."),
        say("Returns of articles with batches or serial numbers are booked in ERPNext by hand."),
        say(
            "Payments are registered in the company's currency only; refunds stay unallocated on the customer's account."
        ),
        say("Credit notes are made in ERPNext; the return delivery note is what they are made from."),
        say("Customers that ERPNext already holds under the same code are used as they are, not overwritten."),
    )
    words = {"sale": STAGES, "return": RETURN_STAGES}
    Config = ErpNextConfig

    def __init__(self, config: Any, http: Http) -> None:
        reference, code = config.reference_field or PO_NO, config.customer_field or CUSTOMER_DETAILS
        super().__init__(replace(config, reference_field=reference, customer_field=code), http)
        http.base_url = config.url.rstrip("/")
        self._api = ErpNextApi(http, config.api_key, config.api_secret)

    def find(self, command: Command) -> Written | None:
        """What the command would make, unfinished where a try that broke off left it half done."""
        if isinstance(command, CancelSale):
            return Canceller(self._api, self.config, command).find()
        if isinstance(command, WriteReturn):
            return Returner(self._api, self.config, command).find()
        if isinstance(command, RegisterPayment):
            return Cashier(self._api, self.config, command).find()
        if not isinstance(command, WriteSale):
            return super().find(command)
        return SaleWriter(self._api, self.config).find(command)

    def send(self, command: Command) -> Written:
        """Carry it out, or finish what an earlier try began."""
        if isinstance(command, CancelSale):
            return Canceller(self._api, self.config, command).carry_out()
        if isinstance(command, WriteReturn):
            return Returner(self._api, self.config, command).write()
        if isinstance(command, RegisterPayment):
            return Cashier(self._api, self.config, command).register()
        if not isinstance(command, WriteSale):
            return super().send(command)
        return SaleWriter(self._api, self.config).write(command)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        """One page of sales (those whose notes or parcels changed follow), products, locations or levels."""
        if stream == "sales":
            return Poll(self._api, self.config).sales(since, token)
        goods = Goods(self._api, self.config)
        with apart():
            if stream == "products":
                return goods.products(since, token)
            if stream == "locations":
                return goods.locations(since)
            if stream == "stock":
                return goods.changed_levels(since, token) if since else goods.levels(token)
        return super().poll(stream, since, token)

    def list_levels(self, token: str | None) -> Page:
        """Some hundred items at every warehouse; the warehouses come with the first page."""
        with apart():
            return Goods(self._api, self.config).levels(token)

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        with apart():
            return Goods(self._api, self.config).missing(product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        return gone_delivery(product_id)

    def list_sales(self, references: Sequence[str]) -> Sequence[Listed]:
        return Poll(self._api, self.config).standing_under(references)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic == GONE_TOPIC:
            return [gone_report(delivery)]
        body = codec.load_object(delivery.body)
        if delivery.topic == SALE_TOPIC:
            return [sale_report(body)]
        if delivery.topic == PRODUCT_TOPIC:
            return [product_report(body)]
        if delivery.topic == LOCATION_TOPIC:
            return [location_report(body)]
        if delivery.topic == STOCK_TOPIC:
            return [stock_report(body, delivery.context)]
        raise unreadable("unknown topic %(topic)s", topic=delivery.topic)

    def check(self) -> Sequence[Finding]:
        """Log in, look at the rights, and find what the settings speak of."""
        return Check(self._api, self.config).findings()
