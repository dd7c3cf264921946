"""What can go wrong with articles, as kinds of case, and how articles show themselves on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from exceptions.subjects import Face, Standing
from integration_hub.messaging import polling
from integration_hub.models import Connection

from . import services
from .models import Listing, Variant
from .services import troubles


def rerun(case: ExceptionCase) -> int:
    """Look at the articles again; where a connection is told of an unknown article, it is polled again."""
    variants, listings = cases.held_up(case, Variant), cases.held_up(case, Listing)
    for pk in variants:
        services.retake(pk)
    for listing in Listing.objects.filter(pk__in=listings).select_related("connection"):
        troubles.twins(listing.connection, listing.sku)
    connections = Connection.objects.filter(pk__in=cases.held_up(case, Connection))
    for connection in connections:
        polling.poll_now(connection)
    return len(variants) + len(listings) + len(connections)


KINDS = (
    Kind(
        code=troubles.UNKNOWN,
        title=_("%(connection)s names the article %(name)s, which nobody knows"),
        explanation=_(
            "A system says something about an article that it has never reported itself. The hub does not guess and does not make articles from such a mention."
        ),
        blocks=_("What was said about this article: the parts of a bundle, or its stock"),
        role="operations",
        due=timedelta(hours=24),
        rerun=rerun,
        help=_(
            "Usually the article is hidden from the hub's user in that system, or was deleted while something still mentions it. Make it visible there, or remove the mention. It is looked at again as soon as the article comes in."
        ),
    ),
    Kind(
        code=troubles.TWICE,
        title=_("%(connection)s has the number %(sku)s more than once"),
        explanation=_(
            "Two articles of one system carry the same number. The hub follows the first one; the other is kept apart, so that neither overwrites the other."
        ),
        blocks=_("Fields, stock and orders of the article that is kept apart"),
        role="operations",
        due=timedelta(hours=24),
        rerun=rerun,
        help=_(
            "Give one of them another number in that system. If both really are the same article, open the one that is kept apart and map it."
        ),
    ),
    Kind(
        code=troubles.NO_PARTS,
        title=_("Bundle %(sku)s has no parts"),
        explanation=_("The article is a bundle, but nobody has said what it is made of."),
        blocks=_("Its stock: selling it would move nothing"),
        role="operations",
        due=timedelta(hours=24),
        rerun=rerun,
        help=_("Define its parts on the article's page, or in the system that owns the parts of bundles."),
    ),
    Kind(
        code=troubles.IMPOSSIBLE,
        title=_("The parts of bundle %(sku)s cannot be"),
        explanation=_(
            "A system reports parts that no bundle can have: the bundle itself, however far down, or half a piece. The parts known so far stay."
        ),
        blocks=_("The new parts of this bundle"),
        role="operations",
        due=timedelta(hours=24),
        rerun=rerun,
        help=_("Correct the bundle in the system that reports it."),
    ),
)


def _variants(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = Variant.objects.filter(pk__in=ids).values_list("pk", "active")
    return {
        pk: Standing(_("active"), "good", settled=True) if on else Standing(_("not active"), "none", settled=True)
        for pk, on in rows
    }


def _listings(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = Listing.objects.filter(pk__in=ids).values_list("pk", "variant_id", "gone")
    return {pk: _listed(mapped=variant is not None, gone=gone) for pk, variant, gone in rows}


def _listed(*, mapped: bool, gone: bool) -> Standing:
    if gone:
        return Standing(_("gone there"), "none", settled=True)
    return Standing(_("mapped"), "good", settled=True) if mapped else Standing(_("not mapped"), "warn", settled=True)


FACES = (
    Face(model="inventory.variant", url_name="article", permission="inventory.view_variant", standings=_variants),
    Face(model="inventory.listing", url_name="listing", permission="inventory.view_listing", standings=_listings),
)
