"""What a merchant fills in to connect Mollie."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option


@dataclass(frozen=True, kw_only=True)
class MollieConfig:
    """One profile at Mollie, and the organisation's books."""

    api_key: str = option(
        say("API key"),
        secret=True,
        help=say("Mollie, Developers, API keys: live_… or test_…, for payments and refunds."),
    )
    access_token: str = option(
        say("Organisation access token"),
        secret=True,
        default="",
        help=say(
            "access_… with the rights balances.read and settlements.read. Without it the hub sees neither fees nor payouts."
        ),
    )
    webhook_secret: str = option(
        say("Signing secret of the webhook"),
        secret=True,
        default="",
        help=say("For webhooks made in Mollie's dashboard. Webhooks of a single payment are unsigned and need none."),
    )
    previous_webhook_secret: str = option(
        say("Previous signing secret"),
        secret=True,
        default="",
        help=say("While you change the secret: taken as well as long as it stands here. Clear it afterwards."),
    )
    url: str = option(say("Address of the interface"), default="https://api.mollie.com/v2")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.strip().rstrip("/")
