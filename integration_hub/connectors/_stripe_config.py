"""What a merchant fills in to connect a Stripe account."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option


@dataclass(frozen=True, kw_only=True)
class StripeConfig:
    """One account at Stripe, and the webhook endpoint that points here."""

    api_key: str = option(
        say("API key"),
        secret=True,
        help=say(
            "A restricted key (rk_…) that may read charges, refunds, disputes, payouts and balance transactions; "
            "and write refunds if the hub is to refund."
        ),
    )
    webhook_secret: str = option(
        say("Signing secret of the webhook endpoint"), secret=True, help=say("Stripe, Developers, Webhooks: whsec_…")
    )
    previous_webhook_secret: str = option(
        say("Previous signing secret"),
        secret=True,
        default="",
        help=say("While you roll the secret: webhooks signed with this one are taken as well, until the time below."),
    )
    previous_until: str = option(
        say("Previous secret is good until (UTC)"),
        default="",
        help=say("For example 2026-12-01T12:00. Empty: the previous secret opens nothing any more."),
    )
    account: str = option(
        say("Connected account"),
        default="",
        help=say("Only for a platform with Stripe Connect: acct_… of the account meant. Events of others are refused."),
    )
    url: str = option(say("Address of the interface"), default="https://api.stripe.com")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.strip().rstrip("/")
