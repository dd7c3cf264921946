"""Which colour a state has: one table for all screens, so that the same word looks the same everywhere."""

from __future__ import annotations

_GOOD = (
    "DONE",
    "FOUND",
    "ACTIVE",
    "ACCEPTED",
    "FULL",
    "PAID",
    "SOLVED",
    "CONFIRMED",
    "SHIPPED",
    "SUCCEEDED",
    "SETTLED",
    "EXPLAINED",
    "CLOSED",
    "WON",
    "PAYMENT",
    "PAYOUT",
    "ISSUED",
)
_WARN = (
    "PENDING",
    "REQUESTED",
    "SENT",
    "ANNOUNCED",
    "UNDER_REVIEW",
    "PARTLY_PAID",
    "AUTHORISED",
    "NEW",
    "DUE",
    "LEASED",
    "WAITING",
    "PAUSED",
    "PARTIAL",
    "PARTLY_SHIPPED",
    "PARTLY_REFUNDED",
    "RETRY",
    "AMBIGUOUS",
)
_BAD = (
    "FAILED",
    "IN_BANK",
    "CAME_BACK",
    "NEEDS_RESPONSE",
    "WARNING",
    "LOST",
    "IN_DISPUTE",
    "OVERPAID",
    "ASKED",
    "PARKED",
    "HELD",
    "MISCONFIGURED",
    "REFUSED",
    "DEFECT",
    "TROUBLE",
    "OPEN_CASE",
    "DOUBT",
)
_INFO = ("LIVE", "REFUNDED")

_TONES = (
    dict.fromkeys(_GOOD, "good")
    | dict.fromkeys(_WARN, "warn")
    | dict.fromkeys(_BAD, "bad")
    | dict.fromkeys(_INFO, "info")
)


def of(state: object) -> str:
    """``good``, ``warn``, ``bad``, ``info``, or ``none`` for what is neither."""
    return _TONES.get(str(state), "none")
