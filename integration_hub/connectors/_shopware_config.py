"""What a merchant fills in to connect a Shopware 6 shop."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option


@dataclass(frozen=True, kw_only=True)
class ShopwareConfig:
    """How to reach one shop and what to tell it."""

    url: str = option(say("Address of the shop"), help=say("For example https://shop.example.com"))
    access_key: str = option(
        say("Access key ID"), secret=True, help=say("Shopware, Settings, System, Integrations: it begins with SWIA.")
    )
    access_secret: str = option(say("Secret access key"), secret=True)
    shop_secret: str = option(
        say("Shop secret for webhooks"),
        default="",
        secret=True,
        help=say("From the registration of your app in the shop. Empty: no webhooks, orders are polled."),
    )
    ready_states: tuple[str, ...] = option(
        say("Payment states that are ready to be fulfilled"),
        default=("paid", "authorized"),
        help=say("Shopware's technical names, for example open for every unpaid order."),
    )
    ready_methods: tuple[str, ...] = option(
        say("Payment methods that are ready before they are paid"),
        default=(),
        help=say("Technical names, for example payment_invoicepayment. Failed and cancelled payments still wait."),
    )
    accepted_state: str = option(
        say("Order state once the ERP has the order"),
        default="",
        choices=(("", say("Stays as it is")), ("in_progress", say("In progress"))),
    )
    shipped_state: str = option(
        say("Order state once everything is shipped"),
        default="",
        choices=(("", say("Stays as it is")), ("completed", say("Done"))),
        help=say("The delivery itself is always set to shipped."),
    )
    cancelled_state: str = option(
        say("Order state once the sale is cancelled in the ERP"),
        default="",
        choices=(("", say("Stays as it is")), ("cancelled", say("Cancelled"))),
    )
    returns: bool = option(
        say("The shop has Shopware's return management"),
        default=False,
        help=say("Part of the extension Shopware Commercial. Returns come with their lines then."),
    )
    mail_shipped: bool = option(say("Shopware mails the customer when a delivery is shipped"), default=True)

    @property
    def base(self) -> str:
        """The shop's address without what people paste along with it."""
        address = self.url.strip().split("/admin")[0].split("/api")[0].rstrip("/")
        return address if not address or "://" in address else f"https://{address}"
