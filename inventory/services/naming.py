"""Which product is meant: by mapping, else by SKU, else by GTIN.  Products are never made from an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db.models import Exists, OuterRef, Q

from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.text import say
from integration_hub.models import Connection, ExternalReference

from ..models import How, Listing, Variant

VARIANT = "variant"
SKU = "sku"


@dataclass(frozen=True)
class Named:
    """What a shop calls a product: its own id, the SKU and the GTIN stated with it, the title for people."""

    product_id: str = ""
    sku: str = ""
    gtin: str = ""
    title: str = ""


def normalised_sku(sku: str) -> str:
    return sku.strip()[:80]


def normalised_gtin(gtin: str) -> str:
    """Digits of a GTIN-8, -12, -13 or -14; empty for anything else (shops put all sorts of things there)."""
    digits = gtin.strip().replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14) else ""


def match(connection: Connection, names: Sequence[Named]) -> list[Variant | None]:
    """The product each name means, in at most five queries however many names."""
    return [variant for variant, _how in matched(connection, names)]


def matched(connection: Connection, names: Sequence[Named]) -> list[tuple[Variant | None, How]]:
    """The product each name means, and what that rests on."""
    mapped = _mapped(connection, names)
    skus, gtins = {normalised_sku(name.sku) for name in names}, {normalised_gtin(name.gtin) for name in names}
    by_sku = {row.sku: row for row in Variant.objects.filter(sku__in=skus - {""})}
    by_gtin: dict[str, list[Variant]] = {}
    for row in Variant.objects.filter(gtin__in=gtins - {""}):
        by_gtin.setdefault(row.gtin, []).append(row)
    refused = _refused(connection, names)
    return [(None, How.PERSON) if name.product_id in refused else _one(name, mapped, by_sku, by_gtin) for name in names]


def _refused(connection: Connection, names: Sequence[Named]) -> set[str]:
    """Ids that are not what their number says: a person has said so, or another product there has the number, too."""
    ids = {name.product_id for name in names} - {""}
    if not ids:
        return set()
    twin = Listing.objects.filter(connection=connection, sku=OuterRef("sku"), gone=False, variant__isnull=False)
    rows = Listing.objects.filter(connection=connection, external_id__in=ids, variant=None)
    kept_apart = Q(how=How.PERSON) | (~Q(sku="") & Q(Exists(twin)))
    return set(rows.filter(kept_apart).values_list("external_id", flat=True))


def _one(
    name: Named, mapped: dict[tuple[str, str], Variant], by_sku: dict[str, Variant], by_gtin: dict[str, list[Variant]]
) -> tuple[Variant | None, How]:
    same_gtin = by_gtin.get(normalised_gtin(name.gtin), [])
    said = mapped.get((VARIANT, name.product_id)) or mapped.get((SKU, normalised_sku(name.sku)))
    if said:
        return said, How.NAME
    if same_sku := by_sku.get(normalised_sku(name.sku)):
        return same_sku, How.SKU
    return (same_gtin[0], How.GTIN) if len(same_gtin) == 1 else (None, How.NONE)


def _mapped(connection: Connection, names: Sequence[Named]) -> dict[tuple[str, str], Variant]:
    ids = {name.product_id for name in names} | {normalised_sku(name.sku) for name in names}
    found = list(
        ExternalReference.objects.filter(
            connection=connection, kind__in=(VARIANT, SKU), external_id__in=ids - {""}
        ).values_list("kind", "external_id", "subject_id")
    )
    variants = Variant.objects.in_bulk([subject for _kind, _external, subject in found])
    return {(kind, external): variants[subject] for kind, external, subject in found if subject in variants}


def map_name(connection: Connection, name: Named, variant: Variant) -> None:
    """Say what a name means in this system from now on; one statement."""
    wanted = [(VARIANT, name.product_id)] if name.product_id else []
    wanted += [(SKU, normalised_sku(name.sku))] if normalised_sku(name.sku) else []
    subject = {"subject_type": ContentType.objects.get_for_model(Variant), "subject_id": variant.pk}
    ExternalReference.objects.bulk_create(
        [
            ExternalReference(connection=connection, kind=kind, external_id=external_id, **subject)
            for kind, external_id in wanted
        ],
        update_conflicts=True,
        unique_fields=["connection", "kind", "external_id"],
        update_fields=[*subject, "gone"],
    )


def forget_name(connection: Connection, name: Named, variant: Variant) -> None:
    """Take back that a name means this product in this system."""
    rows = ExternalReference.objects.filter(
        connection=connection, subject_type=ContentType.objects.get_for_model(Variant), subject_id=variant.pk
    )
    rows.filter(
        Q(kind=VARIANT, external_id=name.product_id) | Q(kind=SKU, external_id=normalised_sku(name.sku))
    ).delete()


def target_ids(connection: Connection, variants: Sequence[int]) -> dict[int, str]:
    """What the target calls these products, where it has told us and holds them still."""
    rows = ExternalReference.objects.filter(
        connection=connection,
        kind=VARIANT,
        gone=False,
        subject_type=ContentType.objects.get_for_model(Variant),
        subject_id__in=variants,
    )
    return dict(rows.values_list("subject_id", "external_id"))


_LOCKS = 7_011  # our class of advisory locks; the second key is the name


def hold_names(names: Sequence[Named]) -> None:
    """Until this transaction ends no product of these names comes in; RetryLater if one is just coming."""
    keys = sorted({key for name in names for key in (normalised_sku(name.sku), normalised_gtin(name.gtin)) if key})
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(pg_try_advisory_xact_lock_shared(%s, hashtext(name))) FROM unnest(%s::text[]) AS name",
            [_LOCKS, keys],
        )
        row = cursor.fetchone()
    if row and row[0] is False:
        raise RetryLater(say("This product is just being taken over."))


def take_names(*names: str) -> None:
    """Until this transaction ends nobody else brings or maps these numbers, and no order is judged by them."""
    with database.cursor() as cursor:
        for name in sorted(set(filter(None, names))):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, name])


def find(typed: str) -> list[tuple[str, str]]:
    """Products for what somebody is typing, as (number, title): by the beginning of the number, by title, by GTIN."""
    text = typed.strip()[:80]
    if len(text) < 2:
        return []
    wanted = Q(sku__istartswith=text) | Q(title__icontains=text) | (Q(gtin=text) if text.isdigit() else Q())
    return list(Variant.objects.filter(wanted, active=True).order_by("sku").values_list("sku", "title")[:12])
