"""Bundles: what they are made of, down to the last part, and how their price is shared among tax rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection as database

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import BundlePart, Kind, ShareRule, Variant

MOST_PARTS = 200
_ALL_BUNDLES = (7_012, 0)  # the lock that the trigger takes, see migration 0003

_BELOW = """
WITH RECURSIVE below (id) AS (
  SELECT unnest(%s::bigint[])
  UNION
  SELECT p.part_id FROM inventory_bundlepart p JOIN below ON p.bundle_id = below.id
)
SELECT p.bundle_id, p.part_id, p.quantity, p.share FROM inventory_bundlepart p JOIN below ON below.id = p.bundle_id
ORDER BY p.id
"""


@dataclass(frozen=True)
class Need:
    """How many of an article are in one of another."""

    variant_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Part:
    """A part as it is to be: ``share`` is its weight in the price where shares are fixed."""

    variant_id: int
    quantity: Decimal
    share: Decimal | None = None


@dataclass(frozen=True)
class Share:
    """What one part, in all its pieces, gets of a bundle's price."""

    variant_id: int
    quantity: Decimal
    amount: Money


@dataclass(frozen=True)
class _Tree:
    """Everything below some articles: parts by bundle, and the articles themselves."""

    parts: Mapping[int, Sequence[Part]]
    variants: Mapping[int, Variant]

    def is_bundle(self, pk: int) -> bool:
        return self.variants[pk].kind == Kind.BUNDLE

    def needs(self, pk: int, known: dict[int, dict[int, Decimal]]) -> dict[int, Decimal]:
        """The articles whose stock one of this moves, with how many of each."""
        if pk not in known:
            known[pk] = self._needs(pk, known)
        return known[pk]

    def _needs(self, pk: int, known: dict[int, dict[int, Decimal]]) -> dict[int, Decimal]:
        if not self.is_bundle(pk):
            return {pk: Decimal(1)} if self.variants[pk].moves_stock else {}
        found: dict[int, Decimal] = {}
        for part in self.parts.get(pk, ()):
            for leaf, quantity in self.needs(part.variant_id, known).items():
                found[leaf] = found.get(leaf, Decimal(0)) + quantity * part.quantity
        return found


def parts_of(variants: Iterable[int]) -> dict[int, list[Need]]:
    """Whose stock one piece of each article moves, nested bundles taken apart, in order of id; two queries in all.

    Goods move themselves, bundles their parts, services and vouchers nothing; so does a bundle without parts.
    """
    wanted = sorted(set(variants))
    tree, known = _tree(wanted), {}  # type: tuple[_Tree, dict[int, dict[int, Decimal]]]
    there = [pk for pk in wanted if pk in tree.variants]
    return {pk: [Need(leaf, count) for leaf, count in sorted(tree.needs(pk, known).items())] for pk in there}


def _tree(roots: Sequence[int]) -> _Tree:
    parts: dict[int, list[Part]] = {}
    with database.cursor() as cursor:
        cursor.execute(_BELOW, [list(roots)])
        for bundle, part, quantity, share in cursor.fetchall():
            parts.setdefault(bundle, []).append(Part(part, quantity, share))
    below = {part.variant_id for found in parts.values() for part in found}
    fields = ("kind", "sku", "price", "currency", "price_includes_tax", "share_rule", "pieces_only")
    return _Tree(parts, Variant.objects.only(*fields).in_bulk([*roots, *below]))


def share(bundle: Variant, gross: Money) -> list[Share]:
    """Share the price of one bundle among its last parts, losing no cent; Rejected where the rule has nothing to go by.

    By the prices of the parts times their quantity, or by fixed shares; a bundle in a bundle shares its own part again.
    """
    tree = _tree([bundle.pk])
    found: dict[int, Share] = {}
    for one in _shared(tree, bundle.pk, Decimal(1), gross):
        before = found.get(one.variant_id)
        found[one.variant_id] = (
            Share(one.variant_id, before.quantity + one.quantity, before.amount + one.amount) if before else one
        )
    return list(found.values())


def _shared(tree: _Tree, pk: int, quantity: Decimal, amount: Money) -> Iterable[Share]:
    if not tree.is_bundle(pk):
        yield Share(pk, quantity, amount)
        return
    parts = tree.parts.get(pk, ())
    for part, portion in zip(parts, amount.split(_weights(tree, tree.variants[pk], parts)), strict=True):
        yield from _shared(tree, part.variant_id, quantity * part.quantity, portion)


def _weights(tree: _Tree, bundle: Variant, parts: Sequence[Part]) -> list[Decimal]:
    if bundle.share_rule == ShareRule.FIXED:
        weights = [part.share for part in parts]
    else:
        rows = [tree.variants[part.variant_id] for part in parts]
        if len({(row.currency, row.price_includes_tax) for row in rows if row.price}) > 1:
            raise _unshareable(bundle)
        weights = [
            None if row.price is None else row.price * part.quantity for row, part in zip(rows, parts, strict=True)
        ]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(weights) or not any(known):
        raise _unshareable(bundle)
    return known


def _unshareable(bundle: Variant) -> Rejected:
    return Rejected(
        say("The price of bundle %(sku)s cannot be shared: prices or shares of its parts are missing.", sku=bundle.sku),
        code="bundle_not_shareable",
    )


def define(
    bundle: Variant,
    parts: Sequence[Part],
    *,
    rule: ShareRule | None = None,
    by: User | None = None,
    system: str = "",
    why: str = "",
) -> bool:
    """Say what a bundle is made of from now on; False if that is what it was.

    Runs in the caller's transaction.  Rejected (``bundle_cycle``, ``bundle_parts``) for what no bundle can be.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _ALL_BUNDLES)
    row = Variant.objects.select_for_update().get(pk=bundle.pk)
    _check(row, parts)
    before = [Part(*found) for found in row.parts.order_by("pk").values_list("part_id", "quantity", "share")]
    if row.kind == Kind.BUNDLE and _same(before, parts) and rule in (None, row.share_rule):
        return False
    row.kind, row.share_rule = Kind.BUNDLE, rule or row.share_rule
    row.save(update_fields=["kind", "share_rule"])
    row.parts.all().delete()
    BundlePart.objects.bulk_create(
        BundlePart(bundle=row, part_id=part.variant_id, quantity=part.quantity, share=part.share) for part in parts
    )
    made_of = say("Made of %(count)s parts", count=len(parts))
    data = {"parts": [[part.variant_id, str(part.quantity), str(part.share or "")] for part in parts]}
    note(row, "inventory.defined", made_of, by=by, system="" if by else system, why=why, data=data)
    return True


def _same(before: Iterable[Part], after: Iterable[Part]) -> bool:
    return {part.variant_id: part for part in before} == {part.variant_id: part for part in after}


def _check(bundle: Variant, parts: Sequence[Part]) -> None:
    """Refuse what the database would refuse, in words."""
    ids = [part.variant_id for part in parts]
    tree = _tree(ids)
    if len(set(ids)) < len(ids) or len(ids) > MOST_PARTS or any(pk not in tree.variants for pk in ids):
        raise Rejected(
            say("Bundle %(sku)s: each part once, and no more than %(most)s.", sku=bundle.sku, most=MOST_PARTS),
            code="bundle_parts",
        )
    if any(part.quantity <= 0 or (part.share is not None and part.share < 0) for part in parts):
        raise Rejected(say("Bundle %(sku)s: quantities are above zero.", sku=bundle.sku), code="bundle_parts")
    halves = [part for part in parts if tree.variants[part.variant_id].pieces_only and part.quantity % 1]
    if halves:
        raise Rejected(
            say("%(sku)s is sold in whole pieces only.", sku=tree.variants[halves[0].variant_id].sku),
            code="bundle_parts",
        )
    if bundle.pk in {*ids, *(part.variant_id for found in tree.parts.values() for part in found)}:
        raise Rejected(say("Bundle %(sku)s would be a part of itself.", sku=bundle.sku), code="bundle_cycle")
