"""The money figures of the start pages, by amount and age; each leads to its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.words import ago, money
from payments import sums
from payments.models import Dispute, Refund, WriteOff
from payments.states import UNDECIDED, RefundState, WriteOffState

from .figures import Tile


def _amounts(rows: Sequence[dict[str, Any]]) -> str:
    return " + ".join(money(row["sum"], row["currency"]) for row in rows if row["sum"]) or "0"


def _oldest(rows: Sequence[dict[str, Any]]) -> str:
    moments = [row["oldest"] for row in rows if row["oldest"]]
    return gettext("the oldest %(ago)s") % {"ago": ago(min(moments))} if moments else ""


def unexplained() -> Tile:
    """Money received that no order explains."""
    rows = sums.without_order()
    url = f"{reverse('transactions')}?order=none&kind=CAPTURE"
    return Tile(
        label=_("Money without order"),
        value=_amounts(rows),
        url=url,
        remark=_oldest(rows),
        tone="bad" if rows else "good",
    )


def remainders() -> Tile:
    """Payouts that are not explained to the cent."""
    rows = sums.with_remainder()
    url = f"{reverse('payouts')}?rest=yes"
    return Tile(
        label=_("Payouts with a remainder"),
        value=_amounts(rows),
        url=url,
        remark=_oldest(rows),
        tone="bad" if rows else "good",
    )


def disputes() -> Tile:
    """Disputes that wait for evidence, and when the first is due."""
    rows = Dispute.objects.filter(state__in=UNDECIDED)
    first = rows.exclude(evidence_due=None).order_by("evidence_due").values_list("evidence_due", flat=True).first()
    number = rows.count()
    tone = "bad" if first and first < timezone.now() else "warn" if number else "good"
    remark = gettext("the first is due %(ago)s") % {"ago": ago(first)} if first else ""
    return Tile(label=_("Disputes to answer"), value=str(number), url=reverse("disputes"), remark=remark, tone=tone)


def fees() -> Tile:
    """What was taken beyond contract within a year."""
    rows = sums.too_much_fee()
    return Tile(
        label=_("Fees above contract"), value=_amounts(rows), url=reverse("fees"), remark=gettext("in 365 days"),
        tone="warn" if rows else "good",
    )  # fmt: skip


def to_approve() -> Tile:
    """Refunds and write-offs that wait for a second person."""
    number = Refund.objects.filter(state=RefundState.REQUESTED).count()
    number += WriteOff.objects.filter(state=WriteOffState.REQUESTED).count()
    return Tile(
        label=_("Waits for a second person"),
        value=str(number),
        url=reverse("refunds"),
        tone="warn" if number else "good",
    )
