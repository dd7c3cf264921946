"""The connection test of ERPNext: what was looked at and whether it is well, in plain words; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.text import say

from ._erpnext_api import ErpNextApi, Row
from ._erpnext_goods import Goods
from ._erpnext_payment import account_of
from ._erpnext_writer import SaleWriter
from .base import Finding


class Check:
    """Looks at one connection."""

    def __init__(self, api: ErpNextApi, config: Any) -> None:
        self._api = api
        self._config = config
        self._writer = SaleWriter(api, config)

    def findings(self) -> list[Finding]:
        """Without a login or a company nothing else can be said."""
        try:
            user = self._api.call("frappe.auth.get_logged_user")
            company = self._writer.company["name"]
            found = [Finding(True, say("Logged in to %(company)s as %(user)s.", company=company, user=str(user)))]
        except HubError as error:
            return [Finding(False, error.text)]
        looks = (
            self._sales,
            self._customers,
            self._products,
            self._taxes,
            self._selling,
            self._warehouse_there,
            self._account,
            self._stock,
        )
        return [*found, *(finding for look in looks for finding in _told(look))]

    def _sales(self) -> Iterator[Finding]:
        own = self._config.reference_field
        self._api.rows("Sales Order", [own], [[own, "is", "set"]], limit=1)
        self._api.rows("Delivery Note", ["po_no"], limit=1)
        yield Finding(
            True, say("Sales orders and delivery notes can be read; our reference goes to %(field)s.", field=own)
        )

    def _customers(self) -> Iterator[Finding]:
        own = self._config.customer_field
        self._api.rows("Customer", [own], [[own, "is", "set"]], limit=1)
        yield Finding(True, say("Customers can be read; their code goes to %(field)s.", field=own))

    def _products(self) -> Iterator[Finding]:
        wanted = dict.fromkeys(self._config.services)
        found = (
            {row["name"] for row in self._api.every("Item", [], [["name", "in", list(wanted)]])} if wanted else set()
        )
        for code in wanted:
            if code in found:
                yield Finding(True, say("Product %(code)s is there.", code=code))
            else:
                yield Finding(False, say("ERPNext has no item %(code)s.", code=code))

    def _taxes(self) -> Iterator[Finding]:
        rates = sorted(one.rate * 100 for one in self._writer.templates)
        shown = ", ".join(format(rate.normalize(), "f") for rate in rates)
        if not rates:
            yield Finding(False, say("ERPNext has no item tax templates for this company."))
        elif len(set(rates)) < len(rates):
            yield Finding(
                False, say("Several tax templates have the same rate: %(rates)s. Name those to use.", rates=shown)
            )
        else:
            yield Finding(True, say("Sale taxes in percent: %(rates)s.", rates=shown))

    def _selling(self) -> Iterator[Finding]:
        """Vouchers are rows with a negative rate, which ERPNext delivers only where that is allowed; and it promises what came
        back to its order again, unless told otherwise."""
        settings = self._api.read("Selling Settings", "Selling Settings")
        rounds = self._config.discount_product or self._config.fee_product
        if rounds and not _on(settings, "allow_negative_rates_for_items"):
            yield Finding(
                False,
                say(
                    "Allow negative rates for items in the Selling Settings, else orders with vouchers or rounding cannot be delivered."
                ),
            )
        if not _on(settings, "dont_reserve_sales_order_qty_on_sales_return"):
            yield Finding(
                False,
                say(
                    "Switch on in the Selling Settings that returned goods are not reserved again, else they stay unavailable."
                ),
            )

    def _warehouse_there(self) -> Iterator[Finding]:
        names = [name for name in (self._config.warehouse, self._config.scrap_warehouse) if name]
        found = {row["name"] for row in self._api.every("Warehouse", [], [["name", "in", names]])} if names else set()
        for name in names:
            if name not in found:
                yield Finding(False, say("ERPNext has no warehouse %(code)s.", code=name))

    def _account(self) -> Iterator[Finding]:
        """Whether payments can be registered, where the settings name an account."""
        name = self._config.payment_account
        if name:
            account_of(self._api, name, self._writer.company["name"])
            yield Finding(True, say("The account %(name)s for payments is there.", name=name))

    def _stock(self) -> Iterator[Finding]:
        """Whether products and stock can be read; a right that is missing for them alone does not stop the sales."""
        goods = Goods(self._api, self._config)
        goods.products(None, None)
        goods.levels(None)
        names = ", ".join(one.object_id for one in goods.locations(None).deliveries) or "—"
        yield Finding(True, say("Products and stock can be read; locations: %(names)s.", names=names))


def _on(settings: Row, name: str) -> bool:
    """Whether a setting is on; a version that does not have it is well as it is."""
    return name not in settings or fields.flag(settings, name)


def _told(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except HubError as error:
        return [Finding(False, error.text)]
