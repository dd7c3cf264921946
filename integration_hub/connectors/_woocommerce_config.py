"""What a merchant fills in to connect a WooCommerce shop."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.money import is_currency
from integration_hub.kernel.text import Text, say

from ._woocommerce_goods import Shop
from .base import option


@dataclass(frozen=True, kw_only=True)
class WooCommerceConfig:
    """How to reach one shop and what to tell it."""

    url: str = option(say("Address of the shop"), help=say("For example https://shop.example.com"))
    consumer_key: str = option(say("Consumer key"), secret=True)
    consumer_secret: str = option(
        say("Consumer secret"),
        secret=True,
        help=say("WooCommerce, Settings, Advanced, REST API: a key with the permission Read/Write."),
    )
    webhook_secret: str = option(
        say("Webhook secret"), secret=True, help=say("The same secret in every webhook that points here.")
    )
    ready_statuses: tuple[str, ...] = option(
        say("Statuses that are ready to be fulfilled"),
        default=("processing", "completed"),
        help=say("Add on-hold to fulfil on invoice before the money is here. Completed always counts as fulfilled."),
    )
    accepted_status: str = option(
        say("Status once the ERP has the order"), default="", help=say("Empty: the status stays, a note is added.")
    )
    shipped_status: str = option(
        say("Status once everything is shipped"), default="completed", help=say("Empty: the status stays.")
    )
    cancelled_status: str = option(
        say("Status once the sale is cancelled in the ERP"),
        default="",
        help=say("Empty: the status stays, a note is added."),
    )
    tracking: str = option(
        say("How the customer gets the tracking number"),
        default="note",
        choices=(
            ("note", say("Note for the shop's staff only")),
            ("customer_note", say("Note that WooCommerce mails to the customer")),
            ("shipment_tracking", say("Plugin Shipment Tracking (a staff note where it is missing)")),
        ),
    )

    currency: str = option(
        say("Currency of the shop's prices"), default="", help=say("For example EUR. Empty: unknown.")
    )
    prices: str = option(
        say("Prices of products in the shop"),
        default="",
        choices=(("", say("Unknown")), ("gross", say("Include the tax")), ("net", say("Without the tax"))),
    )
    weight_unit: str = option(
        say("Weight unit of the shop"),
        default="",
        choices=(("", say("Unknown")), ("kg", Text("kg")), ("g", Text("g")), ("lbs", Text("lbs")), ("oz", Text("oz"))),
        help=say("Of products; empty: their weights are not taken over."),
    )

    @property
    def shop(self) -> Shop:
        """What payloads do not say of themselves."""
        currency = self.currency.strip().upper()
        return Shop(
            weight_unit=self.weight_unit,
            prices_include_tax={"gross": True, "net": False}.get(self.prices),
            currency=currency if is_currency(currency) else "",
        )

    @property
    def base(self) -> str:
        """The shop's address without what people paste along with it."""
        address = self.url.strip().split("/wp-json")[0].rstrip("/")
        return address if not address or "://" in address else f"https://{address}"
