"""Asking Odoo about goods: variants, places and how many of what lie where.

A place is an internal location that lies in no other internal one, such as WH/Stock; its shelves count towards it.  What
lies there stands in quants.  Odoo deletes a quant that has become empty, so what changed is told by quants and moves
together, and a variant without a quant at a place that it moved from or to has none there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Rejected, unreadable

from ._gone import missing
from ._odoo_kits import Kits
from ._odoo_poll import after_id, by_time, delivery, window
from ._odoo_rpc import OdooRpc, Row
from .base import Delivery, Page

PRODUCT_TOPIC = "product.polled"
LOCATION_TOPIC = "location.polled"
STOCK_TOPIC = "stock.polled"
PRODUCTS = 80  # a page of variants
VARIANTS = 1000  # that a page of levels takes in; a delta of so many is one report
LISTED = 500

_PRODUCT = ["default_code", "barcode", "display_name", "active", "write_date"]
_MORE = [  # where this version and its modules have them
    *("product_tmpl_id", "type", "is_storable", "lst_price", "currency_id", "uom_id", "categ_id", "taxes_id"),
    *("weight", "weight_uom_name", "product_template_attribute_value_ids"),
]
_PLACE = ["complete_name", "active", "location_id", "write_date"]
_QUANT = ["product_id", "location_id", "quantity", "reserved_quantity"]
_INTERNAL = ["location_id.usage", "=", "internal"]
_ENDS = ["location_id", "location_dest_id"]
_MOVED = ["state", "not in", ["draft"]]
Sums = defaultdict[tuple[int, int], Decimal]


@dataclass
class Moved:
    """What moved in a page: pairs of variant and place, and when each variant last did."""

    keys: set[tuple[int, int]] = field(default_factory=set)
    at: dict[int, str] = field(default_factory=dict)

    def add(self, row: Row, places: Iterable[int | None]) -> None:
        product, at = row["product_id"][0], str(row["write_date"])
        self.at[product] = max(at, self.at.get(product, ""))
        self.keys |= {(product, place) for place in places if place is not None}


class Goods:
    """Questions about goods over one connection."""

    def __init__(self, rpc: OdooRpc) -> None:
        self._rpc = rpc
        self._kits = Kits(rpc)

    @cached_property
    def _fields(self) -> list[str]:
        known = self._rpc.known("product.product", _MORE)
        return [*_PRODUCT, *(name for name in _MORE if name in known)]

    def products(self, since: datetime | None, token: str | None) -> Page:
        """Variants that changed, archived ones too; then those whose parts did, which leaves the variant's own time as it was."""
        phase, _, number = (token or "product:0").rpartition(":")
        if phase in ("product", ""):
            rows = self._variants(window(since, after_id(number)), PRODUCTS)
            more = f"product:{rows[-1]['id']}" if len(rows) == PRODUCTS else "kit:0" if since else None
            return Page(self._told(rows), more)
        if phase != "kit" or since is None:
            raise unreadable("unknown token %(token)s", token=token)
        domain, more = self._kits.changed(since, after_id(number))
        return Page(self._told(self._variants(domain, None)) if domain else [], more)

    def _variants(self, domain: list[Any], limit: int | None) -> list[Row]:
        return self._rpc.rows(
            "product.product",
            "search_read",
            domain=domain,
            names=self._fields,
            order="id",
            limit=limit,
            context={"active_test": False},
        )

    def _told(self, rows: Sequence[Row]) -> list[Delivery]:
        """Each variant with what its ids stand for."""
        taxes = self._named("account.tax", rows, "taxes_id", ["name", "price_include"])
        values = self._named(
            "product.template.attribute.value", rows, "product_template_attribute_value_ids", ["name", "attribute_id"]
        )
        kits = self._kits.parts(rows)
        found = []
        for row in by_time(rows):
            more = {
                "taxes": [taxes[number] for number in row.get("taxes_id", ()) if number in taxes],
                "values": [values[n] for n in row.get("product_template_attribute_value_ids", ()) if n in values],
                "kit": kits.get(row["id"]),
            }
            found.append(delivery(PRODUCT_TOPIC, row["id"], {**row, **more}))
        return found

    def _named(self, model: str, rows: Sequence[Row], name: str, names: Sequence[str]) -> dict[int, Row]:
        ids = sorted({number for row in rows for number in row.get(name, ())})
        if not ids:
            return {}
        found = self._rpc.every(model, [["id", "in", ids]], names, active_test=False)
        return {row["id"]: row for row in found}

    def missing(self, product_ids: Sequence[str]) -> list[str]:
        """Those of these variants that were deleted; archived ones are there."""

        def there(ids: list[int]) -> set[int]:
            found = self._rpc.every("product.product", [["id", "in", ids]], ["default_code"], active_test=False)
            return {row["id"] for row in found}

        return missing(product_ids, there)

    @cached_property
    def has_stock(self) -> bool:
        """Whether this Odoo keeps stock: its Inventory app is there."""
        try:
            return bool(self._rpc.known("stock.quant", ["quantity"]))
        except Rejected:  # no such model
            return False

    @cached_property
    def _rooms(self) -> dict[int, Row]:
        """All internal locations."""
        found = self._rpc.every("stock.location", [["usage", "=", "internal"]], _PLACE, active_test=False)
        return {row["id"]: row for row in found}

    def _place(self, location: int) -> int | None:
        """The outermost internal location around this one; None for customers, suppliers and the like."""
        if location not in self._rooms:
            return None
        for _ in self._rooms:  # no more steps than there are, should they ever go round in a circle
            parent = self._rooms[location]["location_id"]
            if not parent or parent[0] not in self._rooms:
                break
            location = int(parent[0])
        return location

    def _places(self) -> list[int]:
        return sorted(number for number in self._rooms if self._place(number) == number)

    def locations(self, since: datetime | None) -> Page:
        """Places that changed; there are few, so they come at once."""
        if not self.has_stock:
            return Page([])
        after = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if since else ""
        rows = [self._rooms[number] for number in self._places()]
        return Page([delivery(LOCATION_TOPIC, row["id"], row) for row in rows if str(row["write_date"]) >= after])

    def levels(self, token: str | None) -> Page:
        """All levels, a page of variants at every place that is in use; archived variants only where something lies."""
        if not self.has_stock:
            return Page([])
        first = [] if token else list(self.locations(None).deliveries)
        rows = self._stored(after_id(token or "0"))
        stated = self._clock()
        kits = self._kits.among(rows)
        wanted = {row["id"]: row for row in rows if row["id"] not in kits}
        in_use = [number for number in self._places() if self._rooms[number]["active"]]
        keys = {(product, place) for product, row in wanted.items() if row["active"] for place in in_use}
        body = {"levels": self._levels(wanted, keys, {}), "stated_at": stated.isoformat()}
        stock = Delivery(STOCK_TOPIC, f"from {token or 0}", codec.canonical(body))
        return Page([*first, *([stock] if rows else [])], str(rows[-1]["id"]) if len(rows) == LISTED else None)

    @property
    def _kept(self) -> list[Any]:
        """What stock is kept of; Odoo 18 made a flag of what was a type before."""
        return ["is_storable", "=", True] if "is_storable" in self._fields else ["type", "=", "product"]

    def _stored(self, after: int) -> list[Row]:
        """The next variants that stock is kept of."""
        return self._rpc.rows(
            "product.product",
            "search_read",
            domain=[["id", ">", after], self._kept],
            names=["default_code", "active", "product_tmpl_id", "product_template_attribute_value_ids"],
            order="id",
            limit=LISTED,
            context={"active_test": False},
        )

    def changed_levels(self, since: datetime, token: str | None) -> Page:
        """The levels of what moved; the same again as long as nothing else does, so that the inbox knows a repeat."""
        if not self.has_stock:
            return Page([])
        moved, more = self._moved(since, token)
        stated = self._clock()
        known = self._known(sorted(moved.at))
        body = {"levels": self._levels(known, {key for key in moved.keys if key[0] in known}, moved.at)}
        stock = Delivery(STOCK_TOPIC, "changed", codec.canonical(body), {"stated_at": stated.isoformat()})
        return Page([stock] if known else [], more)

    def _moved(self, since: datetime, token: str | None) -> tuple[Moved, str | None]:
        """Quants and then moves from the token on, until they make a page of variants or end."""
        found = Moved()
        phase, _, number = (token or "quant:0").partition(":")
        while phase and len(found.at) < VARIANTS:
            rows = self._changed(phase, since, after_id(number))
            for row in rows:
                found.add(row, [self._place(row[end][0]) for end in _ENDS if row.get(end)])
            if len(rows) == VARIANTS:
                number = str(rows[-1]["id"])
            else:
                phase, number = ("move" if phase == "quant" else ""), "0"
        return found, f"{phase}:{number}" if phase else None

    def _changed(self, phase: str, since: datetime, after: int) -> list[Row]:
        models: dict[str, tuple[str, list[Any], list[str]]] = {
            "quant": ("stock.quant", [_INTERNAL], _ENDS[:1]),
            "move": ("stock.move", [_MOVED], _ENDS),
        }
        if phase not in models:
            raise unreadable("unknown token %(token)s", token=phase)
        model, domain, ends = models[phase]
        return self._rpc.rows(
            model,
            "search_read",
            domain=domain + window(since, after),
            names=["product_id", *ends, "write_date"],
            order="id",
            limit=VARIANTS,
        )

    def _clock(self) -> datetime:
        """The server's clock before what follows is read."""
        return self._rpc.answered_at or datetime.now(UTC)

    def _known(self, products: Sequence[int]) -> dict[int, Row]:
        """Those of these variants that stock is kept of."""
        domain = [["id", "in", list(products)], self._kept]
        found = self._rpc.every("product.product", domain, ["default_code"], active_test=False) if products else ()
        return {row["id"]: row for row in found}

    def _levels(
        self, known: Mapping[int, Row], keys: Collection[tuple[int, int]], moved_at: Mapping[int, str]
    ) -> list[Row]:
        """On hand and available of these variants: at these places and wherever else something lies."""
        lies, held = self._lying(sorted(known))
        return [
            {
                "product": product,
                "location": place,
                "code": known[product]["default_code"] or "",
                "on_hand": lies[product, place],
                "available": lies[product, place] - held[product, place],
                "moved_at": moved_at.get(product),
            }
            for product, place in sorted({*keys, *lies})
        ]

    def _lying(self, products: Sequence[int]) -> tuple[Sums, Sums]:
        """What lies at each place, over lots, packages and shelves, and how much of it is reserved."""
        lies: Sums = defaultdict(Decimal)
        held: Sums = defaultdict(Decimal)
        for row in self._quants(products):
            place = self._place(row["location_id"][0])
            if place is not None:
                lies[row["product_id"][0], place] += fields.amount(row, "quantity")
                held[row["product_id"][0], place] += fields.amount(row, "reserved_quantity")
        return lies, held

    def _quants(self, products: Sequence[int]) -> Iterator[Row]:
        if products:
            yield from self._rpc.every("stock.quant", [["product_id", "in", list(products)], _INTERNAL], _QUANT)
