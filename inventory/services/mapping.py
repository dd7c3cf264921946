"""Saying what a system's name means: by a person, by an import, by the same number; every step is kept, every one can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from exceptions.models import ExceptionCase
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import ProductKnown
from integration_hub.kernel.text import say
from integration_hub.messaging import dispatch
from integration_hub.models import Connection
from integration_hub.models.access import User

from ..models import How, Listing, MappingStep, Variant
from . import naming, ownership, troubles
from .naming import Named

WAITING = "unknown_product"  # the kind of case by which orders wait for a name to be mapped


def named(listing: Listing) -> Named:
    """How orders of that system may name this article."""
    return Named(product_id=listing.external_id, sku=listing.sku, gtin=listing.gtin, title=listing.title)


def unmapped() -> QuerySet[Listing]:
    """What systems offer and nobody has said what it is."""
    return Listing.objects.filter(variant=None, ignored=False, gone=False)


@transaction.atomic
def mean(
    connection: Connection,
    name: Named,
    variant: Variant,
    *,
    how: How = How.PERSON,
    by: User | None = None,
    why: str = "",
    score: int | None = None,
) -> None:
    """Say what a name means in this system from now on; orders that wait for it run on."""
    naming.take_names(naming.normalised_sku(name.sku), naming.normalised_gtin(name.gtin))
    rows = Listing.objects.select_for_update(of=("self",)).filter(connection=connection, gone=False)
    same = Q(external_id=name.product_id) if name.product_id else Q(sku=naming.normalised_sku(name.sku)) & ~Q(sku="")
    listings = list(rows.filter(same).order_by("pk"))
    for listing in listings:
        link(listing, variant, how=how, by=by, why=why, score=score)
    if not listings:
        _step(connection, name, None, variant, how=how, by=by, why=why, score=score)
        naming.map_name(connection, name, variant)
    publish_name(connection, name, variant, by=by)


def publish_name(connection: Connection, name: Named, variant: Variant, *, by: User | None) -> None:
    """Tell the floors above that a name is known now."""
    known = ProductKnown(
        variant_id=variant.pk,
        connection_id=connection.pk,
        product_id=name.product_id,
        sku=naming.normalised_sku(name.sku),
        by=by.pk if by else None,
    )
    dispatch.publish(known)


def link(
    listing: Listing,
    variant: Variant,
    *,
    how: How,
    by: User | None = None,
    why: str = "",
    score: int | None = None,
) -> None:
    """Say which article a locked listing is; what its system owns of the article counts at once."""
    left = put(listing, variant, how=how, by=by, why=why, score=score)
    _settled(listing, {variant.pk, *left})


def put(
    listing: Listing,
    variant: Variant,
    *,
    how: How,
    by: User | None = None,
    why: str = "",
    score: int | None = None,
) -> list[int]:
    """Link and write it down, and leave it to the caller to look at the article anew; returns the id of the one it leaves."""
    before = listing.variant
    listing.variant, listing.how, listing.ignored = variant, how, False
    listing.save(update_fields=["variant", "how", "ignored"])
    _step(listing.connection, named(listing), before, variant, how=how, by=by, why=why, score=score)
    if not how.by_itself:
        naming.map_name(listing.connection, _own_name(listing), variant)
    return [before.pk] if before else []


def _own_name(listing: Listing) -> Named:
    """Its id, and its number unless another article of that system has the same."""
    twins = Listing.objects.filter(connection=listing.connection, sku=listing.sku, gone=False).exclude(pk=listing.pk)
    sku = "" if not listing.sku or twins.exists() else listing.sku
    return Named(product_id=listing.external_id, sku=sku)


def _settled(listing: Listing, variants: Iterable[int]) -> None:
    held = ownership.owners()
    for row in Variant.objects.select_for_update().filter(pk__in=list(variants)).order_by("pk"):
        ownership.apply(row, ownership.live_listings(row), held, system=listing.connection.name)
    ownership.compare(variants)
    troubles.twins(listing.connection, listing.sku)


def unlink(listing: Listing, *, by: User | None = None, why: str = "", how: How = How.NONE) -> None:
    """Say that a locked listing is no longer known to be this article."""
    before = listing.variant
    if before:
        naming.forget_name(listing.connection, named(listing), before)
    listing.variant, listing.how, listing.differs = None, how, []
    listing.save(update_fields=["variant", "how", "differs"])
    _step(listing.connection, named(listing), before, None, how=how, by=by, why=why)
    if before:
        _settled(listing, [before.pk])


def ignore(listing: Listing, *, by: User, why: str, ignored: bool = True) -> None:
    """Say that a locked listing is no article (a gift wrapping, a test), or that it is one after all."""
    before = listing.variant
    if before:
        naming.forget_name(listing.connection, named(listing), before)
    listing.variant, listing.ignored, listing.how, listing.differs = None, ignored, How.PERSON, []
    listing.save(update_fields=["variant", "ignored", "how", "differs"])
    _step(listing.connection, named(listing), before, None, how=How.PERSON, by=by, why=why, ignored=ignored)
    _settled(listing, [before.pk] if before else [])


def undo(listing: Listing, *, by: User, why: str = "") -> Variant | None:
    """Take back the last step of a locked listing; returns the article it means now.  NotNow where there is nothing to undo."""
    last = steps(listing).select_related("before").first()
    if last is None:
        raise NotNow(say("There is nothing to undo."), code="not_now")
    if last.ignored:
        ignore(listing, by=by, why=why, ignored=False)
    elif last.before is None or last.before_id == listing.variant_id:
        unlink(listing, by=by, why=why, how=How.PERSON)
    else:
        naming.take_names(listing.sku, listing.gtin)
        link(listing, last.before, how=How.PERSON, by=by, why=why)
        publish_name(listing.connection, named(listing), last.before, by=by)
    return listing.variant


def steps(listing: Listing) -> QuerySet[MappingStep]:
    """What was said about a listing, newest first."""
    return MappingStep.objects.filter(connection=listing.connection_id, external_id=listing.external_id).order_by("-pk")


def _step(
    connection: Connection,
    name: Named,
    before: Variant | None,
    after: Variant | None,
    *,
    how: How,
    by: User | None,
    why: str,
    score: int | None = None,
    ignored: bool = False,
) -> None:
    MappingStep.objects.create(
        connection=connection,
        external_id=name.product_id[:120],
        sku=naming.normalised_sku(name.sku),
        title=name.title[:250],
        before=before,
        after=after,
        how=how,
        by=by,
        why=why,
        score=score,
        ignored=ignored,
    )


def waiting(listings: Sequence[Listing]) -> Mapping[int, int]:
    """How many orders wait for each listing to be mapped; one query."""
    names = Q(data__product_id__in=[row.external_id for row in listings])
    names |= Q(data__sku__in=[row.sku for row in listings if row.sku])
    cases = ExceptionCase.objects.open().filter(
        names, kind=WAITING, connection__in={row.connection_id for row in listings}
    )
    found = list(cases.values_list("connection_id", "data", "size"))
    return {
        row.pk: sum(size for at, data, size in found if at == row.connection_id and _names(data, row))
        for row in listings
    }


def _names(data: Mapping[str, str], listing: Listing) -> bool:
    return data.get("product_id") == listing.external_id or bool(listing.sku and data.get("sku") == listing.sku)
