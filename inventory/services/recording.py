"""What systems say about articles: the owner's reports make and change articles, the others' become listings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.goods import ProductGone, ProductReport
from integration_hub.kernel.messages import ProductKnown
from integration_hub.kernel.text import mark, say
from integration_hub.messaging import dispatch
from integration_hub.models import Connection, ExternalReference, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import Field, How, Kind, Listing, Product, Variant
from . import bundles, mapping, naming, ownership, stating, troubles
from .bundles import Part
from .naming import Named
from .ownership import Owners

PRODUCT = "product"


def record(connection: Connection, report: ProductReport, event: InboundEvent | None = None) -> str | None:
    """Take over what a system says about an article; returns why nothing changed, if so.  Runs in the event's transaction."""
    stating.bounded(report)
    held = ownership.owners()
    owner = held.owns(connection.pk, Field.ARTICLE)
    if owner and not naming.normalised_sku(report.sku):
        return mark("a product without a number")
    naming.take_names(naming.normalised_sku(report.sku), naming.normalised_gtin(report.gtin))
    listing, old_sku, changed = _keep(connection, report)
    if listing is None:
        return mark("older than what the hub holds")
    if not changed and (listing.variant_id or not owner):
        return mark("says nothing new")
    if old_sku and old_sku != listing.sku:
        troubles.left_number(connection, listing, old_sku)
    if owner:
        news = _owned(listing)
    else:
        news = False
        _recognise(listing, said_otherwise=changed)
    _follow(listing, held, news=news)
    return None


def _keep(connection: Connection, report: ProductReport) -> tuple[Listing | None, str, bool]:
    """The listing, locked, with what is stated now; its number before; whether anything is new.  None for an older report."""
    key = {"connection": connection, "external_id": report.external_id.strip()}
    Listing.objects.bulk_create([Listing(**key)], ignore_conflicts=True)
    rows = Listing.objects.select_for_update(of=("self",)).select_related("connection", "variant")
    listing = rows.get(**key)
    if report.updated_at and listing.source_updated_at and report.updated_at < listing.source_updated_at:
        return None, "", False
    old_sku, stated = listing.sku, stating.columns(report)
    changed = any(getattr(listing, name) != value for name, value in stated.items())
    if listing.gone:
        _references(connection, [listing.external_id]).update(gone=False)
    for name, value in stated.items():
        setattr(listing, name, value)
    listing.source_updated_at = report.updated_at or listing.source_updated_at
    listing.seen_at = Now()
    listing.save(update_fields=[*stated, "source_updated_at", "seen_at"])
    return listing, old_sku, changed


def _owned(listing: Listing) -> bool:
    """The owner of the articles says that this one is there: find it, make it, or give it its new number; True for news."""
    holder = Variant.objects.select_for_update().filter(sku=listing.sku).first()
    current = listing.variant
    if holder and holder != current and _claimed(listing, holder):
        troubles.twins(listing.connection, listing.sku)
    elif holder and holder != current:
        mapping.link(listing, holder, how=How.OWNER)
    elif current and current.sku != listing.sku:
        _renumber(current, listing)
        return True
    elif current is None:
        mapping.put(listing, _make(listing), how=How.OWNER)
        return True
    return False


def _claimed(listing: Listing, holder: Variant) -> bool:
    """Whether another article of the same system has this number; one that is out of use there gives way to one in use."""
    others = Listing.objects.select_for_update(of=("self",)).filter(
        connection=listing.connection, variant=holder, gone=False
    )
    found = list(others.exclude(pk=listing.pk).select_related("connection", "variant").order_by("pk"))
    if any(other.active for other in found) or (found and not listing.active):
        return True
    for other in found:
        mapping.unlink(other)
    return False


def _make(listing: Listing) -> Variant:
    """A new article; all that is stated about it counts until its owners speak."""
    stated = {name: getattr(listing, name) for columns in ownership.COLUMNS.values() for name in columns}
    known = {name: value for name, value in stated.items() if value not in ("", None, [])}
    variant = Variant(sku=listing.sku, **known | {"active": listing.active})
    variant.title = variant.title or listing.sku
    variant.pieces_only = variant.unit.casefold() not in ownership.MEASURED
    variant.save()
    note(
        variant,
        "inventory.made",
        say("Came from %(system)s", system=listing.connection.name),
        system=listing.connection.name,
    )
    return variant


def _renumber(variant: Variant, listing: Listing) -> None:
    """The article has another number; whoever calls it by the old one is still understood."""
    for other in variant.listings.select_related("connection").exclude(pk=listing.pk).order_by("pk"):
        naming.map_name(other.connection, Named(product_id=other.external_id, sku=other.sku), variant)
    ownership.change(variant, {"sku": listing.sku}, system=listing.connection.name)
    variant.refresh_from_db()


def _recognise(listing: Listing, *, said_otherwise: bool) -> None:
    """Which article a shop's product is: by what was said, by its number; never made from it."""
    kept = listing.variant_id and not (How(listing.how).by_itself and said_otherwise)
    if listing.ignored or kept or (listing.how == How.PERSON and not listing.variant_id):
        return
    found, how = naming.matched(listing.connection, [mapping.named(listing)])[0]
    if found and how.by_itself and _twin(listing, found):
        found = None
    if found and found.pk != listing.variant_id:
        mapping.link(listing, found, how=how)
        mapping.publish_name(listing.connection, mapping.named(listing), found, by=None)
    elif found is None and listing.variant_id:
        mapping.unlink(listing)
    troubles.twins(listing.connection, listing.sku)


def _twin(listing: Listing, variant: Variant) -> bool:
    """Whether another product of the same shop is this article already: then a person says which is which."""
    others = Listing.objects.filter(connection=listing.connection, variant=variant, gone=False)
    return others.exclude(pk=listing.pk).exists()


def _follow(listing: Listing, held: Owners, *, news: bool) -> None:
    """What the listing's word changes: the article's fields, its family, its parts; and who waited for it runs on."""
    if listing.variant_id is None:
        return
    variant = Variant.objects.select_for_update().get(pk=listing.variant_id)
    changed = ownership.apply(variant, ownership.live_listings(variant), held, system=listing.connection.name)
    ownership.compare([variant.pk])
    if held.owns(listing.connection_id, Field.ARTICLE):
        _family(variant, listing)
    if listing.parts and held.owns(listing.connection_id, Field.PARTS):
        take_parts(variant, listing)
    elif "kind" in changed or (news and variant.kind == Kind.BUNDLE):
        troubles.bundle_empty(variant)
    if news or "gtin" in changed:
        known(variant)


def known(variant: Variant, *, by: User | None = None) -> None:
    """An article has come or has other numbers: listings, bundles and orders that waited for it go on."""
    waits = Q(sku=variant.sku) | (Q(gtin=variant.gtin) if variant.gtin else Q(pk=None))
    rows = mapping.unmapped().select_for_update(of=("self",)).select_related("connection")
    for listing in rows.filter(waits).order_by("pk"):
        _recognise(listing, said_otherwise=False)
    for pk in troubles.told_of(variant):
        retake(pk)
    dispatch.publish(ProductKnown(variant_id=variant.pk, by=by.pk if by else None))


def retake(variant_id: int) -> None:
    """Take over once more what the owner says a bundle is made of."""
    variant, held = Variant.objects.select_for_update().get(pk=variant_id), ownership.owners()
    speaker = held.speaker(Field.PARTS, ownership.live_listings(variant))
    if speaker and speaker.parts:
        take_parts(variant, speaker)
    else:
        troubles.bundle_empty(variant)


def _family(variant: Variant, listing: Listing) -> None:
    """The product that the article is a variant of, where the owner says so."""
    if not listing.parent_id or not (listing.product_title or listing.options):
        return
    key = {"connection": listing.connection, "kind": PRODUCT, "external_id": listing.parent_id}
    reference = ExternalReference.objects.filter(**key).first()
    title = listing.product_title or listing.title
    if reference is None:
        product = Product.objects.create(title=title)
        subject = ContentType.objects.get_for_model(Product)
        ExternalReference.objects.create(**key, subject_type=subject, subject_id=product.pk)
    else:
        product = Product.objects.get(pk=reference.subject_id)
    if product.title != title:
        Product.objects.filter(pk=product.pk).update(title=title)
    if variant.product_id != product.pk:
        Variant.objects.filter(pk=variant.pk).update(product=product)


def take_parts(variant: Variant, listing: Listing) -> None:
    """What the owner says a bundle is made of; what cannot be taken over is a case, and the old parts stay."""
    names = [Named(product_id=product_id, sku=sku) for product_id, sku, _quantity in listing.parts]
    found = naming.match(listing.connection, names)
    unknown = [name for name, part in zip(names, found, strict=True) if part is None]
    problem = None if unknown else _define(variant, listing, [part.pk for part in found if part])
    where = say("%(system)s names it as a part of %(sku)s", system=listing.connection.name, sku=variant.sku)
    troubles.unknown(listing.connection, unknown, variant, where)
    troubles.bundle_impossible(variant, problem)
    variant.refresh_from_db()
    troubles.bundle_empty(variant)


def _define(variant: Variant, listing: Listing, parts: list[int]) -> Rejected | None:
    quantities: dict[int, Decimal] = {}
    for pk, (_product_id, _sku, quantity) in zip(parts, listing.parts, strict=True):
        quantities[pk] = quantities.get(pk, Decimal(0)) + Decimal(quantity)
    try:
        bundles.define(variant, [Part(pk, count) for pk, count in quantities.items()], system=listing.connection.name)
    except Rejected as error:
        return error
    return None


def gone(connection: Connection, report: ProductGone, _event: InboundEvent | None = None) -> str | None:
    """The system does not hold these articles any more; the articles themselves stay, and so do their mappings."""
    one = Q(external_id=report.external_id) if report.external_id else Q(pk=None)
    family = Q(parent_id=report.product_id) if report.product_id else Q(pk=None)
    rows = Listing.objects.select_for_update(of=("self",)).filter(one | family, connection=connection, gone=False)
    if report.stated_at:
        rows = rows.filter(Q(source_updated_at=None) | Q(source_updated_at__lte=report.stated_at))
    left = list(rows.exclude(external_id__in=report.kept).select_related("connection", "variant").order_by("pk"))
    if not left:
        return mark("an article that the hub does not know there")
    Listing.objects.filter(pk__in=[row.pk for row in left]).update(gone=True, differs=[])
    _references(connection, [row.external_id for row in left]).update(gone=True)
    owner = ownership.owners().owns(connection.pk, Field.ACTIVE)
    for row in left:
        troubles.twins(connection, row.sku)
        if row.variant:
            _left(row.variant, connection, owner=owner)
    return None


def _left(variant: Variant, connection: Connection, *, owner: bool) -> None:
    """A system has dropped an article; where it owns what is active, and holds no other listing of it, it goes out of use."""
    said = say("%(system)s does not hold it any more", system=connection.name)
    note(variant, "inventory.gone", said, system=connection.name)
    if owner and not variant.listings.filter(connection=connection, gone=False).exists():
        locked = Variant.objects.select_for_update().get(pk=variant.pk)
        ownership.change(locked, {"active": False}, system=connection.name)


def _references(connection: Connection, ids: Sequence[str]) -> QuerySet[ExternalReference]:
    return ExternalReference.objects.filter(connection=connection, kind=naming.VARIANT, external_id__in=ids)


def still_listed(connection: Connection, after: int, limit: int) -> list[tuple[int, str]]:
    """Articles that a system is thought to hold, in order of id: to ask it which of them are gone."""
    rows = Listing.objects.filter(connection=connection, gone=False, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", "external_id")[:limit])
