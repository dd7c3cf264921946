"""The last hop of the chain: what the books say of an order or a payout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from payments.chain import BAD, GOOD, NONE, SHOWN, Hop, Link
from payments.models import Allocation, BankLine, PayoutItem

from .events import Source, Standing
from .models import Booking, Document, Entry, Posting


def _of_order(pk: int) -> Q:
    documents = Document.objects.filter(order_id=pk).values("pk")
    moved = Allocation.objects.filter(order_id=pk).values("transaction_id")
    return Q(source=Source.DOCUMENT, subject_id__in=documents) | Q(source=Source.MOVEMENT, subject_id__in=moved)


def _of_payout(pk: int) -> Q:
    items = PayoutItem.objects.filter(payout_id=pk).values("transaction_id")
    return Q(source=Source.PAYOUT, subject_id=pk) | Q(source=Source.MOVEMENT, subject_id__in=items)


def _of_bank_line(pk: int) -> Q:
    moved = BankLine.objects.filter(pk=pk).values("transaction_id")
    return Q(source=Source.BANK_LINE, subject_id=pk) | Q(source=Source.MOVEMENT, subject_id__in=moved)


_STARTS: Mapping[str, Callable[[int], Q]] = {"order": _of_order, "payout": _of_payout, "bankline": _of_bank_line}


def hop(start: str, pk: int) -> Hop:
    """How the documents and money of this start are posted; five queries, however many there are."""
    bookings = Booking.objects.filter(_STARTS[start](pk))
    standing = dict(bookings.values_list("state").annotate(number=Sum(1)))
    entries = Entry.objects.filter(booking__in=bookings)
    rows = Posting.objects.filter(entry__in=entries, side="HEAD")
    shown = list(entries.order_by("pk")[:SHOWN])
    worth = {
        row["entry_id"]: row["debit"] + row["credit"]
        for row in Posting.objects.filter(entry__in=shown, side="HEAD").values("entry_id").annotate(
            debit=Sum("debit"), credit=Sum("credit")
        )
    }  # fmt: skip
    currency = settings.HUB_BOOK_CURRENCY
    links = [
        Link(f"{one} {one.text}", reverse("entry", args=[one.pk]), worth.get(one.pk, Decimal(0)), currency)
        for one in shown
    ]
    open_ = sum(standing.get(state, 0) for state in (Standing.DUE, Standing.WAITING, Standing.REFUSED))
    tone = BAD if standing.get(Standing.REFUSED) else GOOD if links and not open_ else NONE
    note = _("%(rows)s rows") % {"rows": rows.count()} if links else _("not posted yet")
    if open_ and links:
        note += f", {_('%(count)s not posted yet') % {'count': open_}}"
    return Hop(title=_("Posting"), tone=tone, links=links, number=standing.get(Standing.POSTED, 0), note=note)
