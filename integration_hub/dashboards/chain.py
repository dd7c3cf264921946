"""The chain view: one page from order to bank, or back, for everybody who may see movements of money."""

from __future__ import annotations

from dataclasses import replace

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounting import posted_hop
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
    title = _("Where is the money: %(what)s") % {"what": found.title}
    if person(request).has_perm("accounting.view_entry"):
        found = replace(found, hops=[*found.hops, posted_hop.hop(start, pk)])
    return render(request, "dashboards/chain.html", context(request, title, chain=found))
