"""What people change about articles themselves: new ones and fields where the hub is the owner, and what only the hub knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import Field, ShareRule, Variant
from . import bundles, naming, ownership, recording, troubles
from .bundles import Part
from .ownership import COLUMNS, Owners

HUB_ONLY = ("deposit", "pieces_only", "share_rule")  # no system states them


def make(*, sku: str, by: User | None = None, system: str = "hub", why: str = "", **values: Any) -> Variant:
    """A new article of the hub's own; orders and listings that waited for its number go on.  Rejected if it is there."""
    number = naming.normalised_sku(sku)
    if not number or len(sku.strip()) > 80:
        raise Rejected(say("An article needs a number of at most %(most)s characters.", most=80), code="sku")
    values["gtin"] = gtin_of(values.get("gtin", ""))
    naming.take_names(number, values["gtin"])
    if Variant.objects.filter(sku=number).exists():
        raise Rejected(say("There is an article %(sku)s already.", sku=number), code="sku")
    variant = Variant(sku=number, **values)
    variant.title = variant.title or number
    variant.save()
    variant.refresh_from_db()
    note(variant, "inventory.made", say("Made"), by=by, system="" if by else system, why=why)
    troubles.bundle_empty(variant)
    recording.known(variant, by=by)
    return variant


def gtin_of(text: str) -> str:
    """A GTIN as stored; Rejected for what is none."""
    gtin = naming.normalised_gtin(text)
    if text.strip() and not gtin:
        raise Rejected(say("%(text)s is no GTIN: it has 8, 12, 13 or 14 digits.", text=text.strip()[:40]), code="gtin")
    return gtin


def foreign(held: Owners, columns: Mapping[str, Any]) -> list[Field]:
    """The fields among these columns that another system owns."""
    return [field for field, names in COLUMNS.items() if set(names) & set(columns) and not held.hub_owns(field)]


def edit(variant: Variant, values: Mapping[str, Any], *, by: User, why: str = "") -> set[str]:
    """Change a locked article; Rejected for a field that another system owns.  Returns the columns that changed."""
    wanted = {name: value for name, value in values.items() if getattr(variant, name) != value}
    held = ownership.owners()
    if others := foreign(held, wanted):
        field = others[0]
        raise Rejected(
            say(
                "%(field)s of %(sku)s belongs to %(owner)s: change it there.",
                field=str(field.label),
                sku=variant.sku,
                owner=str(held.label(field)),
            ),
            code="not_ours",
        )
    if "gtin" in wanted:
        wanted["gtin"] = gtin_of(wanted["gtin"])
        naming.take_names(wanted["gtin"])
    changed = ownership.change(variant, wanted, by=by, why=why)
    ownership.compare([variant.pk])
    if "kind" in changed:
        troubles.bundle_empty(variant)
    if "gtin" in changed:
        recording.known(variant, by=by)
    return changed


def owner_of_parts(variant: Variant) -> str:
    """The system that says what this bundle is made of; empty where people do."""
    speaker = ownership.owners().speaker(Field.PARTS, ownership.live_listings(variant))
    return speaker.connection.name if speaker and speaker.parts else ""


def define_parts(variant: Variant, parts: Sequence[Part], *, rule: ShareRule, by: User, why: str = "") -> bool:
    """Say by hand what a bundle is made of; Rejected where a system does, and for what no bundle can be."""
    if owner := owner_of_parts(variant):
        raise Rejected(say("%(owner)s says what this bundle is made of.", owner=owner), code="not_ours")
    changed = bundles.define(variant, parts, rule=rule, by=by, why=why)
    variant.refresh_from_db()
    troubles.bundle_impossible(variant, None)
    troubles.bundle_empty(variant)
    ownership.compare([variant.pk])
    return changed


def words_taken(field: Field, variants: Sequence[int]) -> None:
    """After a new owner's word was taken over: bundles are looked at, and who waits for a number goes on."""
    if field not in (Field.GTIN, Field.KIND):
        return
    for variant in Variant.objects.filter(pk__in=variants).order_by("pk"):
        if field == Field.GTIN:
            recording.known(variant)
        else:
            troubles.bundle_empty(variant)
