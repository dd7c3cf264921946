"""Who says what about an article: the owner's word becomes the article's, everybody else's word is a difference to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from integration_hub.backoffice.words import money
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import Field, FieldOwner, Kind, Listing, Owner, Variant

# what each field is made of, in the tables of articles and of listings alike
COLUMNS: Mapping[Field, tuple[str, ...]] = {
    Field.TITLE: ("title",),
    Field.GTIN: ("gtin",),
    Field.ACTIVE: ("active",),
    Field.KIND: ("kind",),
    Field.OPTIONS: ("options",),
    Field.UNIT: ("unit",),
    Field.GROUP: ("group",),
    Field.TAX_CLASS: ("tax_class",),
    Field.WEIGHT: ("weight",),
    Field.PRICE: ("price", "currency", "price_includes_tax"),
}
MEASURED = frozenset("kg g mg t l ml cl m cm mm km m2 m² m3 m³ qm cbm h".split())  # units that have fractions

_STATED = {
    Field.ACTIVE: "TRUE",
    Field.OPTIONS: "l.options <> '[]'",
    Field.WEIGHT: "l.weight IS NOT NULL",
    Field.PRICE: "l.price IS NOT NULL",
}
_COMPARABLE = {
    Field.PRICE: " AND (l.currency, l.price_includes_tax) IS NOT DISTINCT FROM (v.currency, v.price_includes_tax)"
}


@dataclass(frozen=True)
class Owners:
    """Who owns which field: what was said, and the ERPs that own the rest (the hub does where there is no ERP)."""

    said: Mapping[str, FieldOwner]
    erps: frozenset[int]

    def owns(self, connection_id: int, field: Field) -> bool:
        return connection_id in self.speakers(field)

    def hub_owns(self, field: Field) -> bool:
        return not self.speakers(field)

    def speakers(self, field: Field) -> frozenset[int]:
        """The connections whose word counts; none where the hub's own does."""
        said = self.said.get(field)
        if said is None or said.owner == Owner.ERP:
            return self.erps
        return frozenset({said.connection_id}) if said.connection_id else frozenset()

    def code(self, field: Field) -> str:
        """``erp``, ``hub`` or the id of a connection."""
        said = self.said.get(field)
        return str(said.connection_id or said.owner) if said else Owner.ERP.value

    def label(self, field: Field) -> Any:
        """What the owner is called, for people."""
        said = self.said.get(field)
        if said and said.connection:
            return said.connection.name
        return Owner.HUB.label if self.hub_owns(field) else Owner.ERP.label

    def speaker(self, field: Field, listings: Iterable[Listing]) -> Listing | None:
        """Whose word counts: the owner's; of several the one that has been there longest."""
        own = [row for row in listings if self.owns(row.connection_id, field)]
        return min(own, key=lambda row: row.pk, default=None)


def owners() -> Owners:
    """As it stands now; two queries."""
    erps = Connection.objects.filter(role=Role.ERP).values_list("pk", flat=True)
    return Owners({row.field: row for row in FieldOwner.objects.select_related("connection")}, frozenset(erps))


def live_listings(variant: Variant) -> list[Listing]:
    """What systems say of it now, oldest first."""
    return list(variant.listings.filter(gone=False).order_by("pk"))


def apply(variant: Variant, listings: Sequence[Listing], held: Owners, *, system: str = "") -> set[str]:
    """Let the owners' words count for this locked article; returns the columns that changed."""
    stated: dict[str, Any] = {}
    for field, columns in COLUMNS.items():
        speaker = held.speaker(field, listings)
        if speaker and _counts(variant, field, speaker):
            stated |= {name: getattr(speaker, name) for name in columns}
    return change(variant, stated, system=system)


def _counts(variant: Variant, field: Field, listing: Listing) -> bool:
    """Whether the system states this field at all; goods are not what parts were defined for here."""
    if field == Field.ACTIVE:
        return True
    if field == Field.KIND and variant.kind == Kind.BUNDLE and listing.kind == Kind.GOODS:
        return not variant.parts.exists()
    return getattr(listing, COLUMNS[field][0]) not in ("", None, [])


def change(
    variant: Variant, values: Mapping[str, Any], *, system: str = "", by: User | None = None, why: str = ""
) -> set[str]:
    """Write what is new and note it; returns the columns that changed."""
    values = dict(values)
    if values.get("unit", variant.unit) != variant.unit and "pieces_only" not in values:
        values["pieces_only"] = values["unit"].casefold() not in MEASURED
    changed = {name: value for name, value in values.items() if getattr(variant, name) != value}
    if not changed:
        return set()
    data = {name: [_plain(getattr(variant, name)), _plain(value)] for name, value in changed.items()}
    for name, value in changed.items():
        setattr(variant, name, value)
    variant.save(update_fields=list(changed))
    note(variant, "inventory.changed", say("Changed"), by=by, system="" if by else system, why=why, data=data)
    return set(changed)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | list) or value is None else str(value)


def _stated(field: Field) -> str:
    """The condition that a listing (``l``) says anything about a field."""
    return _STATED.get(field, f"""l."{COLUMNS[field][0]}" <> ''""")


def _difference(field: Field, columns: Sequence[str]) -> str:
    differs = f'l."{columns[0]}" <> v."{columns[0]}"' if field != Field.WEIGHT else "l.weight IS DISTINCT FROM v.weight"
    if field == Field.PRICE:
        differs = "l.price IS DISTINCT FROM v.price"
    return f"CASE WHEN {_stated(field)} AND {differs}{_COMPARABLE.get(field, '')} THEN '{field.value}' END"


_DIFFERENCES = "array_remove(ARRAY[" + ", ".join(_difference(*item) for item in COLUMNS.items()) + "], NULL)"
_COMPARE = f"""
UPDATE inventory_listing l SET differs = now.differs FROM (
  SELECT l.id, CASE WHEN l.gone THEN ARRAY[]::varchar[] ELSE ({_DIFFERENCES})::varchar[] END AS differs
  FROM inventory_listing l JOIN inventory_variant v ON v.id = l.variant_id WHERE {{which}}
) now WHERE now.id = l.id AND l.differs <> now.differs
"""  # noqa: S608  made of our own names of columns


def compare(variants: Iterable[int] | None = None) -> None:
    """Say anew in which fields each listing of these articles (None: of all) differs from the article."""
    which = "TRUE" if variants is None else "l.variant_id = ANY(%s)"
    with database.cursor() as cursor:
        cursor.execute(_COMPARE.format(which=which), None if variants is None else [list(variants)])


def set_owner(
    field: Field, owner: Owner, connection: Connection | None = None, *, by: User, why: str = ""
) -> list[int]:
    """Say who owns a field; its word counts at once.  Returns the ids of the articles that changed."""
    FieldOwner.objects.bulk_create([FieldOwner(field=field)], ignore_conflicts=True)
    row = FieldOwner.objects.select_for_update().get(field=field)
    row.owner, row.connection = owner, connection
    row.save()
    whose = connection.name if connection else Owner(owner).value
    said = say("%(what)s belongs to %(to)s from now on", what=field.value, to=whose)
    note(row, "inventory.owner", said, by=by, why=why)
    changed = take_words(field)
    compare()
    return changed


def take_words(field: Field) -> list[int]:
    """Take over what the owner of a field says of every article; returns the ids of those that changed."""
    columns, speakers = COLUMNS.get(field), owners().speakers(field)
    if not columns or not speakers:
        return []
    names = ", ".join(f'"{name}"' for name in columns)
    ours, theirs = (", ".join(f'{table}."{name}"' for name in columns) for table in "vl")
    keep = " AND NOT (v.kind = 'BUNDLE' AND l.kind = 'GOODS')" if field == Field.KIND else ""
    sql = f"""
        UPDATE inventory_variant v SET ({names}) = ROW({theirs}) FROM (
          SELECT DISTINCT ON (l.variant_id) l.variant_id, {theirs} FROM inventory_listing l
          WHERE l.connection_id = ANY(%s) AND l.variant_id IS NOT NULL AND NOT l.gone AND {_stated(field)}
          ORDER BY l.variant_id, l.id) l
        WHERE v.id = l.variant_id AND ({ours}) IS DISTINCT FROM ({theirs}){keep} RETURNING v.id"""  # noqa: S608  our own names of columns
    with database.cursor() as cursor:
        cursor.execute(sql, [list(speakers)])
        return [row[0] for row in cursor.fetchall()]


def shown(row: Variant | Listing | None, field: Field) -> str:
    """A field of an article or of a listing as people read it; a dash for nothing."""
    value = getattr(row, COLUMNS[field][0], None)
    if value in ("", None, []):
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if field == Field.PRICE:
        gross = getattr(row, "price_includes_tax", None)
        tax = "" if gross is None else gettext("with tax") if gross else gettext("without tax")
        return f"{money(value, getattr(row, 'currency', ''))} {tax}".strip()
    if field == Field.OPTIONS:
        return ", ".join(f"{axis}: {choice}" for axis, choice in value)
    if field == Field.KIND:
        return str(Kind(value).label) if value in Kind.values else str(value)
    return f"{value.normalize():f} kg" if field == Field.WEIGHT else str(value)
