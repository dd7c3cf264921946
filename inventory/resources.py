"""Articles, mappings and bundles as files: written by anybody who may read them, read through the services, never past them.

A file is tried first (dry run, rolled back by the library) and then applied in one transaction: all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import RowResult

from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.money import is_currency
from integration_hub.models import Connection
from integration_hub.models.access import User

from . import services
from .models import BundlePart, How, Kind, Listing, ShareRule, Variant
from .models import Field as Owned
from .services import Named, Part, editing, ownership

Row = Mapping[str, str]
_FORMULA = ("=", "+", "-", "@", "\t")
_YES, _NO = frozenset("1 true yes ja wahr x".split()), frozenset("0 false no nein falsch".split())


class ThroughServices(Resource):  # type: ignore[misc]
    """A resource whose rows are taken by a service; ``take`` says what became of one (a type of RowResult)."""

    needed: ClassVar[tuple[str, ...]] = ()

    class Meta:
        import_id_fields: tuple[str, ...] = ()
        use_transactions = True
        skip_diff = True
        instance_loader_class = BaseInstanceLoader  # rows are found by the services

    def take(self, row: Row, by: User) -> str:
        """Take one row; ValidationError and HubError say what is wrong with it."""
        raise NotImplementedError

    def import_row(self, row: Mapping[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        """As the library does, but through ``take``; a refused row leaves nothing behind."""
        result = RowResult()
        try:
            with transaction.atomic():
                result.import_type = self.take(_plain(row), kwargs["user"])
        except (ValidationError, HubError) as error:
            said = error.messages if isinstance(error, ValidationError) else [words(error.text)]
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = ValidationError(said)
        return result

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Refuse a file without the columns that every row needs."""
        if missing := [name for name in self.needed if name not in (dataset.headers or [])]:
            raise ValidationError(_("These columns are missing: %(names)s") % {"names": ", ".join(missing)})


def _plain(row: Mapping[str, Any]) -> dict[str, str]:
    """The cells as text, as they were before ``safe`` made them harmless."""
    cells = {str(name).strip(): str(value or "").replace("\x00", "").strip() for name, value in row.items()}
    return {name: cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell for name, cell in cells.items()}


def safe(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _field(name: str, attribute: str = "") -> Field:
    return Field(attribute=attribute or name, column_name=name)


def _number(row: Row, name: str) -> Decimal | None:
    if not row.get(name):
        return None
    try:
        found = Decimal(row[name].replace(",", "."))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found < 10**7 or found != round(found, 4):
        raise ValidationError(_("%(name)s: “%(text)s” is no amount.") % {"name": name, "text": row[name][:40]})
    return found


def _flag(row: Row, name: str) -> bool:
    text = row[name].casefold()
    if text in _YES or text in _NO:
        return text in _YES
    raise ValidationError(_("%(name)s: “%(text)s” is neither yes nor no.") % {"name": name, "text": row[name][:40]})


def _choice(row: Row, name: str, choices: Any) -> str:
    if row[name].upper() not in choices.values:
        raise ValidationError(
            _("%(name)s: “%(text)s” is none of %(known)s.")
            % {"name": name, "text": row[name][:40], "known": ", ".join(choices.values)}
        )
    return row[name].upper()


def _article(row: Row, name: str) -> Variant:
    found = Variant.objects.select_for_update().filter(sku=services.normalised_sku(row.get(name, ""))).first()
    if found is None:
        raise ValidationError(_("No product has the number “%(sku)s”.") % {"sku": row.get(name, "")[:80]})
    return found


class Articles(ThroughServices):
    """Articles by their SKU.  An empty cell changes nothing; fields of another owner cannot be changed."""

    needed = ("sku",)
    texts = {"title": 250, "gtin": 20, "unit": 20, "group": 120, "tax_class": 80}
    numbers = ("weight", "deposit", "price")
    flags = ("active", "pieces_only", "price_includes_tax")

    sku = _field("sku")
    title = _field("title")
    gtin = _field("gtin")
    kind = _field("kind")
    active = _field("active")
    unit = _field("unit")
    pieces_only = _field("pieces_only")
    group = _field("group")
    tax_class = _field("tax_class")
    weight = _field("weight")
    deposit = _field("deposit")
    price = _field("price")
    currency = _field("currency")
    price_includes_tax = _field("price_includes_tax")

    def take(self, row: Row, by: User) -> str:
        values = self.values(row)
        variant = Variant.objects.select_for_update().filter(sku=services.normalised_sku(row.get("sku", ""))).first()
        if variant is None:
            self.may_make()
            editing.make(sku=row.get("sku", ""), by=by, why="import", **values)
            return str(RowResult.IMPORT_TYPE_NEW)
        if "price" in values and not (values.get("currency") or variant.currency):
            raise ValidationError(_("A price needs a currency."))
        changed = editing.edit(variant, values, by=by, why="import")
        return str(RowResult.IMPORT_TYPE_UPDATE if changed else RowResult.IMPORT_TYPE_SKIP)

    def may_make(self) -> None:
        """New articles come from a file only where the hub owns which articles there are."""
        held = ownership.owners()
        if not held.hub_owns(Owned.ARTICLE):
            owner = held.label(Owned.ARTICLE)
            raise ValidationError(_("This article is not there, and new ones come from: %(owner)s.") % {"owner": owner})

    def values(self, row: Row) -> dict[str, Any]:
        """What the row says, as columns of an article."""
        given = {name for name, cell in row.items() if cell}
        found: dict[str, Any] = {name: row[name] for name in self.texts if name in given}
        for name, most in self.texts.items():
            if len(found.get(name, "")) > most:
                raise ValidationError(_("%(name)s is longer than %(most)s.") % {"name": name, "most": most})
        found |= {name: _number(row, name) for name in self.numbers if name in given}
        found |= {name: _flag(row, name) for name in self.flags if name in given}
        if "kind" in given:
            found["kind"] = _choice(row, "kind", Kind)
        if "currency" in given:
            if not is_currency(row["currency"]):
                raise ValidationError(_("“%(text)s” is no currency.") % {"text": row["currency"][:10]})
            found["currency"] = row["currency"]
        if "price" in found and not found.get("currency") and "sku" in row and not self._priced(row["sku"]):
            raise ValidationError(_("A price needs a currency."))
        return found

    def _priced(self, sku: str) -> bool:
        return Variant.objects.filter(sku=services.normalised_sku(sku)).exclude(currency="").exists()


class Mappings(ThroughServices):
    """What systems' names mean: the connection's short name, its id or number of the article, and our SKU."""

    needed = ("connection", "sku")

    connection = _field("connection", "connection__slug")
    external_id = _field("external_id")
    their_sku = _field("their_sku", "sku")
    their_title = _field("their_title", "title")
    sku = _field("sku", "variant__sku")
    how = _field("how")

    def take(self, row: Row, by: User) -> str:
        connection = Connection.objects.filter(slug=row.get("connection", "")).first()
        if connection is None:
            raise ValidationError(
                _("No connection has the short name “%(slug)s”.") % {"slug": row.get("connection", "")[:40]}
            )
        name = Named(
            product_id=row.get("external_id", "")[:120], sku=row.get("their_sku", ""), title=row.get("their_title", "")
        )
        if not (name.product_id or name.sku):
            raise ValidationError(_("An id or a number of that system is needed."))
        variant = _article(row, "sku")
        if services.match(connection, [name]) == [variant] and not self._waits(connection, name):
            return str(RowResult.IMPORT_TYPE_SKIP)
        services.mean(connection, name, variant, how=How.IMPORT, by=by, why=row.get("why", "")[:500])
        return str(RowResult.IMPORT_TYPE_NEW)

    def _waits(self, connection: Connection, name: Named) -> bool:
        rows = Listing.objects.filter(connection=connection, external_id=name.product_id, variant=None)
        return bool(name.product_id) and rows.exists()


class Bundles(ThroughServices):
    """Parts of bundles, a part to a row; the rows of one bundle together are all its parts."""

    needed = ("bundle", "part", "quantity")

    bundle = _field("bundle", "bundle__sku")
    part = _field("part", "part__sku")
    quantity = _field("quantity")
    share = _field("share")
    rule = _field("rule", "bundle__share_rule")

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self.parts: dict[int, list[Part]] = {}

    def take(self, row: Row, by: User) -> str:
        """The first row of a bundle replaces its parts, the following ones add to them."""
        bundle, part, quantity = _article(row, "bundle"), _article(row, "part"), _number(row, "quantity")
        if quantity is None:
            raise ValidationError(_("A quantity is needed."))
        parts = [*self.parts.get(bundle.pk, []), Part(part.pk, quantity, _number(row, "share"))]
        rule = ShareRule(_choice(row, "rule", ShareRule)) if row.get("rule") else ShareRule(bundle.share_rule)
        changed = editing.define_parts(bundle, parts, rule=rule, by=by, why="import")
        self.parts[bundle.pk] = parts
        return str(RowResult.IMPORT_TYPE_UPDATE if changed else RowResult.IMPORT_TYPE_SKIP)


@dataclass(frozen=True)
class Kindred:
    """A kind of file: what it is called, its resource, its rows, who may write and who may read it."""

    label: Any
    resource: type[ThroughServices]
    rows: Callable[[], QuerySet[Any]]
    see: str
    change: str


FILES: Mapping[str, Kindred] = {
    "articles": Kindred(
        gettext_lazy("Articles"),
        Articles,
        lambda: Variant.objects.order_by("sku"),
        "inventory.view_variant",
        "inventory.edit_variant",
    ),
    "mappings": Kindred(
        gettext_lazy("Mappings"),
        Mappings,
        lambda: Listing.objects.select_related("connection", "variant").exclude(variant=None).order_by("pk"),
        "inventory.view_listing",
        "inventory.map_variant",
    ),
    "bundles": Kindred(
        gettext_lazy("Bundles"),
        Bundles,
        lambda: BundlePart.objects.select_related("bundle", "part").order_by("bundle__sku", "pk"),
        "inventory.view_variant",
        "inventory.edit_variant",
    ),
}
