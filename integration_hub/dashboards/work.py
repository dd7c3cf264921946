"""The figures of operations: what runs through, how fast, how well, and what is about to go wrong."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions.models import ExceptionCase
from integration_hub.backoffice.words import duration, number, percentage
from integration_hub.models import Figure
from integration_hub.models.figure import Span
from inventory.models import Listing
from orders import silence
from orders.aftersales.models import AfterSale
from orders.aftersales.states import AfterSaleState

from . import sections, traffic
from .figures import Tile
from .rollup import RISK


def throughput() -> Tile:
    """Messages and commands worked in this hour and the one before."""
    found = traffic.rates()
    return Tile(
        label=_("Worked in this hour and the last"),
        value=number(found.worked),
        url=f"{reverse('start_page', args=['operations'])}#traffic",
        remark=gettext("messages and commands"),
    )


def errors() -> Tile:
    """The share of messages and tries that went wrong in this hour and the one before."""
    found = traffic.rates()
    rate = found.error_rate
    tone = "good" if not rate else "bad" if rate > traffic.BAD else "warn"
    return Tile(
        label=_("Went wrong"),
        value="–" if rate is None else percentage(rate),
        url=f"{reverse('start_page', args=['operations'])}#traffic",
        remark=gettext("%(errors)s of %(tries)s in this hour and the last")
        % {"errors": number(found.errors), "tries": number(found.tries)},
        tone=tone,
    )


def delay() -> Tile:
    """From an order's message to its sale in the ERP: half of them, 95 of 100, the longest."""
    found = traffic.whole_way()
    remark = gettext("95 %% within %(p95)s, longest %(worst)s, in 24 hours")
    return Tile(
        label=_("From message to ERP"),
        value=duration(found.p50) if found.number else "–",
        url=f"{reverse('start_page', args=['operations'])}#delay",
        remark=remark % {"p95": duration(found.p95), "worst": duration(found.worst_ms)}
        if found.number
        else gettext("no order in 24 hours"),
    )


def breakers() -> Tile:
    """Systems that the hub does not call at the moment."""
    count = len(sections.interrupted())
    return Tile(
        label=_("Interrupted systems"), value=number(count), url=reverse("connections"), tone="bad" if count else "good"
    )


def silences() -> Tile:
    """Shops from which nothing comes although much usually does."""
    count = ExceptionCase.objects.open().filter(kind=silence.KIND).count()
    url = f"{reverse('exceptions')}?tab=all&kind={silence.KIND}"
    return Tile(label=_("Silent shops"), value=number(count), url=url, tone="bad" if count else "good")


def oversell() -> Tile:
    """Articles that are oversold or will soon be, as counted within the last hour."""
    count = (
        Figure.objects.filter(span=Span.HOUR, what=RISK).order_by("-at").values_list("number", flat=True).first() or 0
    )
    return Tile(
        label=_("Oversell risk"), value=number(count), url=reverse("stock_risk"), tone="warn" if count else "good"
    )


def to_inspect() -> Tile:
    """Returned goods that have arrived and wait for an inspection."""
    arrived = AfterSale.objects.filter(state=AfterSaleState.ARRIVED)
    count = arrived.count()
    url = f"{reverse('after_sales')}?tab=inspect"
    return Tile(label=_("Returns to inspect"), value=number(count), url=url, tone="warn" if count else "good")


def unmapped() -> Tile:
    """Articles of shops and ERPs of which nobody has said what they are."""
    count = Listing.objects.filter(variant=None, ignored=False, gone=False).count()
    return Tile(
        label=_("Mappings missing"), value=number(count), url=reverse("mapping"), tone="warn" if count else "good"
    )
