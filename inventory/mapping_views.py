"""Mapping: what nobody has said the meaning of, with suggestions; one listing; who mapped what; what others say differently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.actions import Invalid, may, perform
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError

from . import services, sheets
from .article_actions import IGNORE, LISTING_ACTIONS, MAP, UNDO
from .article_filters import DifferenceFilter, ListingFilter, StepFilter
from .models import Field, Listing, MappingStep
from .services import Suggestion, ownership

PAGE = 25
SURE = 90  # a suggestion this good is ticked beforehand; the row itself never is
VIEW = "inventory.view_listing"


@dataclass(frozen=True)
class Row:
    """One listing on the page of mapping: what it may be, and how many orders wait."""

    listing: Listing
    suggestions: list[Suggestion]
    waiting: int

    @property
    def chosen(self) -> int:
        """The suggestion that is ticked beforehand."""
        best = self.suggestions[0] if self.suggestions else None
        return best.variant.pk if best and best.score >= SURE else 0


@required(VIEW)
def mapping(request: HttpRequest) -> HttpResponseBase:
    """What waits to be mapped, newest first."""
    found = ListingFilter(request.GET, Listing.objects.select_related("connection", "variant"), request=request)
    if file := exports.asked(request, sheets.LISTINGS, found.qs.order_by("-pk")):
        return file
    slice_ = keyset.newest(found.qs, request, size=PAGE)
    unmapped = [row for row in slice_.rows if row.variant_id is None and not row.ignored]
    suggested = dict(
        zip([row.pk for row in unmapped], services.suggest_many([services.named(row) for row in unmapped]), strict=True)
    )
    waiting = services.waiting(slice_.rows)
    shown = {
        "slice": slice_,
        "rows": [Row(row, suggested.get(row.pk, []), waiting[row.pk]) for row in slice_.rows],
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in ListingFilter.base_filters),
        "may_map": may(MAP, person(request)),
        "here": request.get_full_path(),
    }
    return render(request, "inventory/mapping.html", context(request, _("Map articles"), **shown))


@dataclass
class Outcome:
    """What came of confirming many."""

    mapped: int = 0
    orders: int = 0
    wrong: list[str] = field(default_factory=list)


@require_POST
@required("inventory.map_variant")
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the ticked rows with their chosen suggestions, each in a transaction of its own."""
    came = Outcome()
    ids = [int(pk) for pk in request.POST.getlist("pick")[:PAGE] if pk.isascii() and pk.isdigit() and len(pk) < 19]
    for listing in Listing.objects.filter(pk__in=ids).select_related("connection").order_by("pk"):
        _confirm(request, listing, came)
    if came.mapped:
        said = ngettext("%(count)s article mapped.", "%(count)s articles mapped.", came.mapped) % {"count": came.mapped}
        run = ngettext("%(count)s order runs on.", "%(count)s orders run on.", came.orders) % {"count": came.orders}
        messages.success(request, f"{said} {run}")
    elif not came.wrong:
        messages.warning(request, _("Nothing was ticked."))
    for text in came.wrong:
        messages.error(request, text)
    back = request.POST.get("here", "")
    return redirect(back if back.startswith(f"{reverse('mapping')}?") else "mapping")


def _confirm(request: HttpRequest, listing: Listing, came: Outcome) -> None:
    variant, _colon, score = request.POST.get(f"choice-{listing.pk}", "").partition(":")
    waiting = services.waiting([listing])[listing.pk]
    try:
        perform(MAP, listing, by=person(request), data={"variant": variant, "score": score})
    except Invalid:
        came.wrong.append(_("%(listing)s: no suggestion was chosen.") % {"listing": listing})
    except HubError as error:
        came.wrong.append(f"{listing}: {words(error.text)}")
    else:
        came.mapped, came.orders = came.mapped + 1, came.orders + waiting


@required(VIEW)
def listing_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One listing: what its system says, what it may be, what was said about it."""
    listing = get_object_or_404(Listing.objects.select_related("connection", "variant"), pk=pk)
    mine = person(request)
    shown = {
        "listing": listing,
        "facts": facts(listing),
        "suggestions": services.suggest(services.named(listing)) if listing.variant_id is None else [],
        "waiting": services.waiting([listing])[listing.pk],
        "cases": [Shown(case) for case in cases.open_cases_of(listing).order_by("due_at")],
        "steps": services.steps(listing).select_related("connection", "before", "after", "by")[:50],
        "map": MAP.unbound(listing) if may(MAP, mine) and MAP.allowed(listing) is None else None,
        "buttons": buttons(request, (IGNORE, UNDO), listing, "listing_action"),
        "differs": said_differently(listing) if listing.variant else [],
    }
    return render(request, "inventory/listing.html", context(request, str(listing), **shown))


def facts(listing: Listing) -> list[tuple[Any, Any]]:
    """What the system states, field by field."""
    names = ("sku", "gtin", "title", "product_title", "external_id", "parent_id", "stock_id", "kind", "unit", "group")
    labels = {column.name: column.verbose_name for column in Listing._meta.fields}
    rows = [(labels[name], getattr(listing, name)) for name in (*names, "tax_class")]
    rows += [(axis, value) for axis, value in listing.options]
    return [(label, value) for label, value in rows if value]


@dataclass(frozen=True)
class Difference:
    """A field in which a system says otherwise: the hub's value, theirs, who owns it."""

    label: Any
    ours: str
    theirs: str
    owner: Any = ""


def said_differently(listing: Listing, held: ownership.Owners | None = None) -> list[Difference]:
    """In which fields this listing differs from its article, in words."""
    fields = [Field(name) for name in listing.differs]
    return [
        Difference(
            one.label,
            ownership.shown(listing.variant, one),
            ownership.shown(listing, one),
            held.label(one) if held else "",
        )
        for one in fields
    ]


@require_POST
@required(VIEW)
def listing_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a listing's page."""
    press(request, LISTING_ACTIONS, code, get_object_or_404(Listing.objects.select_related("connection"), pk=pk))
    return redirect("listing", pk=pk)


@require_GET
@required("inventory.view_variant")
def lookup(request: HttpRequest, field: str) -> JsonResponse:
    """Articles for what is being typed into a field that takes a number."""
    if field != "sku":
        raise Http404
    found = services.find(request.GET.get("q", "")[:80].replace("\x00", ""))
    return JsonResponse({"found": [{"value": value, "label": label} for value, label in found]})


@required("inventory.view_mappingstep")
def history(request: HttpRequest) -> HttpResponseBase:
    """Who mapped what, newest first."""
    rows = MappingStep.objects.select_related("connection", "before", "after", "by")
    found = StepFilter(request.GET, rows, request=request)
    if file := exports.asked(request, sheets.STEPS, found.qs.order_by("-pk")):
        return file
    return _list(request, "inventory/history.html", _("Mapping history"), found)


@required(VIEW)
def differences(request: HttpRequest) -> HttpResponseBase:
    """What systems say differently from the article, newest listing first."""
    rows = Listing.objects.exclude(differs=[]).select_related("connection", "variant")
    found = DifferenceFilter(request.GET, rows, request=request)
    if file := exports.asked(request, sheets.DIFFERENCES, found.qs.order_by("-pk")):
        return file
    held = ownership.owners()
    page = keyset.newest(found.qs, request)
    said = [(row, said_differently(row, held)) for row in page.rows]
    return _list(request, "inventory/differences.html", _("What others say differently"), found, slice=page, said=said)


def _list(request: HttpRequest, template: str, title: str, found: Any, **more: Any) -> HttpResponse:
    filtered = any(_given(request.GET, name) for name in found.base_filters)
    shown = {"slice": keyset.newest(found.qs, request)} if "slice" not in more else {}
    return render(request, template, context(request, title, form=found.form, filtered=filtered, **shown, **more))


def _given(query: QueryDict, name: str) -> bool:
    return bool(query.get(name))
