"""The chain view: one page from order to bank, or back, for everybody who may see movements of money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounting import posted_hop
from accounting.panel import documents_of
from accounting.states import DocumentState
from integration_hub.backoffice.pages import context, person, required
from payments import chain


@required("payments.view_transaction")
def page(request: HttpRequest, start: str, pk: int) -> HttpResponse:
    """From an order, a payout or a bank line."""
    build = chain.STARTS.get(start)
    if build is None:
        raise Http404
    try:
        found = build(pk)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    if start == "order":
        found.hops.append(_documents(pk))
    title = _("Where is the money: %(what)s") % {"what": found.title}
    if person(request).has_perm("accounting.view_entry"):
        found = replace(found, hops=[*found.hops, posted_hop.hop(start, pk)])
    return render(request, "dashboards/chain.html", context(request, title, chain=found))


def _documents(order_pk: int) -> chain.Hop:
    """The documents that bill the order, corrections with their sign; red while one is in doubt."""
    rows = documents_of(order_pk)
    issued = [row for row in rows if row.state == DocumentState.ISSUED]
    sums: dict[str, Decimal] = {}
    for row in issued:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.gross
    links = [
        chain.Link(
            f"{row.get_kind_display()} {row.number}",
            row.get_absolute_url(),
            row.gross,
            row.currency,
            chain.GOOD if row.state == DocumentState.ISSUED else chain.BAD,
        )
        for row in rows[: chain.SHOWN]
    ]
    tone = chain.BAD if len(rows) > len(issued) else chain.GOOD if issued else chain.NONE
    return chain.Hop(
        title=_("Documents"),
        tone=tone,
        sums=list(sums.items()),
        links=links,
        number=len(rows),
        note="" if rows else _("No document yet."),
    )
