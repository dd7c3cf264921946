"""What a merchant fills in to connect a Shopify shop."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option


@dataclass(frozen=True, kw_only=True)
class ShopifyConfig:
    """How to reach one shop and what to tell it."""

    shop: str = option(say("Shop domain"), help=say("For example my-shop.myshopify.com"))
    access_token: str = option(
        say("Admin API access token"),
        secret=True,
        help=say("Of the app that you made for the hub; it starts with shpat_."),
    )
    api_secret: str = option(
        say("App secret"), secret=True, help=say("Shopify signs the app's webhooks with it; it starts with shpss_.")
    )
    notification_secret: str = option(
        say("Signing secret of notifications"),
        default="",
        secret=True,
        help=say("Only for webhooks made by hand under Settings, Notifications."),
    )
    ready_financial_statuses: tuple[str, ...] = option(
        say("Payment statuses that are ready to be fulfilled"),
        default=("authorized", "paid", "partially_refunded"),
        help=say("Add pending to fulfil on invoice, partially_paid to fulfil on a deposit."),
    )
    notify_customer: bool = option(say("Shopify mails the tracking number to the customer"), default=True)
    api_version: str = option(say("API version"), default="2026-07")
    api_url: str = option(
        say("Other address of the API"), default="", help=say("Only for trials; empty for a real shop.")
    )

    @property
    def base(self) -> str:
        """The address of the GraphQL endpoint."""
        domain = self.shop.strip().removeprefix("https://").removeprefix("http://").split("/")[0]
        if domain and "." not in domain:
            domain = f"{domain}.myshopify.com"
        root = self.api_url.strip().rstrip("/") or f"https://{domain}"
        return f"{root}/admin/api/{self.api_version.strip()}/graphql.json"
