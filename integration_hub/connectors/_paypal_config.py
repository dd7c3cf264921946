"""What a merchant fills in to connect PayPal."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option


@dataclass(frozen=True, kw_only=True)
class PayPalConfig:
    """One business account at PayPal, as a REST app of its own sees it."""

    client_id: str = option(say("Client ID"), help=say("PayPal, Developer Dashboard, Apps & Credentials."))
    client_secret: str = option(
        say("Client secret"),
        secret=True,
        help=say("The app needs Transaction Search; after that is switched on PayPal takes up to nine hours."),
    )
    webhook_id: str = option(
        say("Webhook ID"),
        secret=True,
        help=say("The id of the webhook that points here. PayPal signs it along, so it is kept like a secret."),
    )
    url: str = option(say("Address of the interface"), default="https://api-m.paypal.com")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.strip().rstrip("/")
