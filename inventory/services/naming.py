"""Which product is meant: by mapping, else by SKU, else by GTIN.  Products are never made from an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db.models import Q
from rapidfuzz import fuzz

from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.messages import ProductKnown
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.messaging import dispatch
from integration_hub.models import Connection, ExternalReference, InboundEvent

from ..models import Variant

VARIANT = "variant"
SKU = "sku"
CLOSE_ENOUGH = 55
SUGGESTIONS = 5


@dataclass(frozen=True)
class Named:
    """What a shop calls a product: its own id, the SKU and the GTIN stated with it, the title for people."""

    product_id: str = ""
    sku: str = ""
    gtin: str = ""
    title: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A product that may be meant, with the score (0 to 100) and what it rests on."""

    variant: Variant
    score: int
    why: str


def normalised_sku(sku: str) -> str:
    return sku.strip()[:80]


def normalised_gtin(gtin: str) -> str:
    """Digits of a GTIN-8, -12, -13 or -14; empty for anything else (shops put all sorts of things there)."""
    digits = gtin.strip().replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14) else ""


def match(connection: Connection, names: Sequence[Named]) -> list[Variant | None]:
    """The product each name means, in three queries however many names."""
    mapped = _mapped(connection, names)
    skus, gtins = {normalised_sku(name.sku) for name in names}, {normalised_gtin(name.gtin) for name in names}
    by_sku = {row.sku: row for row in Variant.objects.filter(sku__in=skus - {""})}
    by_gtin: dict[str, list[Variant]] = {}
    for row in Variant.objects.filter(gtin__in=gtins - {""}):
        by_gtin.setdefault(row.gtin, []).append(row)
    return [_one(name, mapped, by_sku, by_gtin) for name in names]


def _one(
    name: Named, mapped: dict[tuple[str, str], Variant], by_sku: dict[str, Variant], by_gtin: dict[str, list[Variant]]
) -> Variant | None:
    same_gtin = by_gtin.get(normalised_gtin(name.gtin), [])
    return (
        mapped.get((VARIANT, name.product_id))
        or mapped.get((SKU, normalised_sku(name.sku)))
        or by_sku.get(normalised_sku(name.sku))
        or (same_gtin[0] if len(same_gtin) == 1 else None)
    )


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
    """Say what a name means in this system from now on."""
    wanted = [(VARIANT, name.product_id)] if name.product_id else []
    wanted += [(SKU, normalised_sku(name.sku))] if normalised_sku(name.sku) else []
    for kind, external_id in wanted:
        ExternalReference.objects.update_or_create(
            connection=connection,
            kind=kind,
            external_id=external_id,
            defaults={"subject_type": ContentType.objects.get_for_model(Variant), "subject_id": variant.pk},
        )


def target_ids(connection: Connection, variants: Sequence[int]) -> dict[int, str]:
    """What the target calls these products, where it has told us."""
    rows = ExternalReference.objects.filter(
        connection=connection,
        kind=VARIANT,
        subject_type=ContentType.objects.get_for_model(Variant),
        subject_id__in=variants,
    )
    return dict(rows.values_list("subject_id", "external_id"))


def record(connection: Connection, report: ProductReport, event: InboundEvent) -> str | None:
    """Take a product over from the ERP, which owns them; a shop's product is no reason to make one."""
    if connection.role != Role.ERP:
        return "products are taken over from the ERP"
    sku = normalised_sku(report.sku)
    if not sku:
        return "a product without a number"
    _take_names(sku, normalised_gtin(report.gtin))
    stated = {"title": report.title[:250], "gtin": normalised_gtin(report.gtin), "active": report.active}
    variant, made = Variant.objects.get_or_create(sku=sku, defaults=stated)
    before = variant.gtin
    if not made:
        Variant.objects.filter(pk=variant.pk).update(**stated)
    map_name(connection, Named(product_id=report.external_id), variant)
    if made or before != stated["gtin"]:
        dispatch.publish(ProductKnown(variant_id=variant.pk))
    return None


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


def _take_names(*names: str) -> None:
    with database.cursor() as cursor:
        for name in sorted(filter(None, names)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, name])


def suggest(name: Named) -> list[Suggestion]:
    """Products that may be meant, likeliest first: same GTIN, similar number, similar title."""
    gtin = normalised_gtin(name.gtin)
    rows = Variant.objects.filter(active=True).only("sku", "gtin", "title")[:5000]
    scored = [_score(name, gtin, row) for row in rows]
    close = [item for item in scored if item.score >= CLOSE_ENOUGH]
    return sorted(close, key=lambda item: (-item.score, item.variant.sku))[:SUGGESTIONS]


def find(typed: str) -> list[tuple[str, str]]:
    """Products for what somebody is typing, as (number, title): by the beginning of the number, by title, by GTIN."""
    text = typed.strip()[:80]
    if len(text) < 2:
        return []
    wanted = Q(sku__istartswith=text) | Q(title__icontains=text) | (Q(gtin=text) if text.isdigit() else Q())
    return list(Variant.objects.filter(wanted, active=True).order_by("sku").values_list("sku", "title")[:12])


def _score(name: Named, gtin: str, row: Variant) -> Suggestion:
    if gtin and row.gtin == gtin:
        return Suggestion(row, 100, "gtin")
    number = int(fuzz.ratio(_plain(name.sku), _plain(row.sku))) if name.sku else 0
    title = int(fuzz.token_set_ratio(name.title.casefold(), row.title.casefold())) if name.title else 0
    return Suggestion(row, number, "sku") if number >= title else Suggestion(row, title, "title")


def _plain(sku: str) -> str:
    return "".join(letter for letter in sku.casefold() if letter.isalnum())
