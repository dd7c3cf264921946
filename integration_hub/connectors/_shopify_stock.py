"""Showing levels in a Shopify shop: compare and set, in batches, each under a key of its own.

A batch is set as a whole or not at all.  So what stands there is read first: it is reported as found, what is right
already or hopeless is left out, and the rest is set only where it still stands as it was found.  Where Shopify names rows
that changed meanwhile, the others are looked at and set again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import LevelSet, LevelToSet, SetStock
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import Text, say

from ._shopify_api import Api
from ._shopify_goods import quantities
from ._shopify_graphql import gid, number_of

BATCH = 250
ROUNDS = 4
_KEYS = uuid.UUID("6f0e8f0e-2f5c-5d3a-9a51-5f1f0c1d7a10")  # a namespace of ours: the same push has the same key

HELD = """query Held($ids: [ID!]!, $location: ID!) { nodes(ids: $ids) { ... on InventoryItem {
  id tracked inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } } } } }"""

ITEMS = "query Items($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { id inventoryItem { id } } } }"

PLACES = "query Places { locations(first: 2) { nodes { id } } }"

SET = """mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id } userErrors { field message code } } }"""

CHANGED = say("Stock changed there meanwhile.")
UNKNOWN = say("The shop does not hold this article any more.")
NOT_STOCKED = say("The shop does not stock this article at this location.")
NOT_TRACKED = say("The shop keeps no stock of this article. Switch on “Track quantity” for it in Shopify.")
FRACTION = say("Shopify counts whole pieces.")
NO_PLACE = say("The shop has several locations, and it is not said which is meant.")

_CODES = {
    "CHANGE_FROM_QUANTITY_STALE": ("changed_meanwhile", CHANGED),
    "COMPARE_QUANTITY_STALE": ("changed_meanwhile", CHANGED),
    "INVALID_INVENTORY_ITEM": ("unknown_there", UNKNOWN),
    "INVALID_LOCATION": ("unknown_there", NOT_STOCKED),
    "ITEM_NOT_STOCKED_AT_LOCATION": ("unknown_there", NOT_STOCKED),
}


@dataclass(frozen=True)
class Row:
    """One level on its way: its place in the push, which inventory item, what stood there, and what hinders it."""

    number: int
    level: LevelToSet
    item_id: str
    found: Decimal | None = None
    code: str = ""
    problem: Text | None = None

    @property
    def waits(self) -> bool:
        return not self.code and self.found != self.level.quantity

    @property
    def told(self) -> LevelSet:
        return LevelSet(
            product_id=self.level.product_id,
            location_id=self.level.location_id,
            found=self.found,
            problem=self.problem,
            problem_code=self.code,
        )

    def hindered(self, code: str, problem: Text) -> Row:
        return replace(self, code=code, problem=problem)


class Setter:
    """Looks, compares and sets."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def find(self, command: SetStock) -> Written | None:
        """What the command would make, if nothing of it is left to do."""
        rows = [row for place, some in self._batches(command) for row in self._look(place, some)]
        return None if any(row.waits for row in rows) else _written(command, rows, was_there=True)

    def carry_out(self, command: SetStock) -> Written:
        """Set what differs; doing it again sets nothing."""
        done: list[Row] = []
        idle = True
        for place, some in self._batches(command):
            rows = self._look(place, some)
            idle = idle and not any(row.waits for row in rows)
            done += self._settle(place, rows, command.key)
        return _written(command, done, was_there=idle)

    def _batches(self, command: SetStock) -> Iterator[tuple[str, list[Row]]]:
        """The levels by location, as many as go at once."""
        rows = self._rows(command.levels)
        by_place: dict[str, list[Row]] = defaultdict(list)
        only = self._only_place() if any(not row.level.location_id for row in rows) else ""
        for row in rows:
            by_place[row.level.location_id or only].append(row)
        for place, some in by_place.items():
            for start in range(0, len(some), BATCH):
                yield place, some[start : start + BATCH]

    def _rows(self, levels: Sequence[LevelToSet]) -> list[Row]:
        """Each level with its inventory item, asked for where we do not know it."""
        asked = sorted({level.product_id for level in levels if not level.stock_id and is_id(level.product_id)})
        items: dict[str, str] = {}
        for start in range(0, len(asked), BATCH):
            ids = [gid("ProductVariant", one) for one in asked[start : start + BATCH]]
            for node in self._nodes(ITEMS, {"ids": ids}):
                items[number_of(node.get("id"))] = number_of(fields.child(node, "inventoryItem").get("id"))
        return [
            Row(number, level, level.stock_id or items.get(level.product_id, "")) for number, level in enumerate(levels)
        ]

    def _only_place(self) -> str:
        nodes = fields.children(fields.child(self.api.query(PLACES), "locations"), "nodes")
        return number_of(nodes[0].get("id")) if len(nodes) == 1 else ""

    def _look(self, place: str, rows: Sequence[Row]) -> list[Row]:
        """The rows with what stands there now, and what hinders them."""
        known = [row for row in rows if is_id(row.item_id) and is_id(place)]
        ids = sorted({gid("InventoryItem", row.item_id) for row in known})
        nodes = self._nodes(HELD, {"ids": ids, "location": gid("Location", place)}) if ids else []
        held = {number_of(node.get("id")): node for node in nodes}
        return [_judged(row, held.get(row.item_id), place) for row in rows]

    def _nodes(self, document: str, variables: dict[str, object]) -> list[Object]:
        nodes = self.api.query(document, variables).get("nodes")
        if not isinstance(nodes, list):
            raise Rejected(say("Shopify did not answer for every article."), code="unreadable")
        return [node for node in nodes if isinstance(node, dict) and node]

    def _settle(self, place: str, rows: list[Row], key: str) -> list[Row]:
        """Set what waits; rows that Shopify refuses keep its reason, the others are looked at once more."""
        first = {row.number: row.found for row in rows}
        for _ in range(ROUNDS):
            waiting = [row for row in rows if row.waits]
            refused = self._set(place, waiting, key) if waiting else {}
            if not refused:
                return [replace(row, found=first[row.number]) for row in rows]
            told = {waiting[index].number: reason for index, reason in refused.items()}
            rows = [row.hindered(*told[row.number]) if row.number in told else row for row in rows]
            again = {row.number: row for row in self._look(place, [row for row in rows if row.waits])}
            rows = [again.get(row.number, row) for row in rows]
        raise RetryLater(say("Stock changes there faster than it can be set."), maybe_written=True, code="restless")

    def _set(self, place: str, rows: Sequence[Row], key: str) -> dict[int, tuple[str, Text]]:
        """Set these rows; empty where all were set, else why which ones were not, and then none was."""
        wish = {
            "name": "available",
            "reason": "correction",
            "quantities": [
                {
                    "inventoryItemId": gid("InventoryItem", row.item_id),
                    "locationId": gid("Location", place),
                    "quantity": int(row.level.quantity),
                    "changeFromQuantity": int(row.found or 0),
                }
                for row in rows
            ],
        }
        own_key = str(uuid.uuid5(_KEYS, f"{key} {codec.canonical(wish).decode()}"))
        wish["referenceDocumentUri"] = f"hub://stock/{own_key}"
        payload = self.api.attempt(SET, "inventorySetQuantities", {"input": wish, "key": own_key})
        return dict(self._reason(error, len(rows)) for error in fields.children(payload, "userErrors"))

    def _reason(self, error: Object, count: int) -> tuple[int, tuple[str, Text]]:
        """Which row an error is about, and why; what is about no row is about the whole push."""
        code, why = fields.words(error, "code", 80), self.api.http.redact(fields.words(error, "message", 300))
        if code == "IDEMPOTENCY_CONCURRENT_REQUEST":
            raise RetryLater(say("Shopify is still busy with this push."), maybe_written=True, code="busy")
        words = say("Shopify refused it: %(why)s", why=why)
        number = next((int(part) for part in fields.texts(error, "field") if part.isascii() and part.isdigit()), count)
        if number >= count:
            raise Rejected(words, code="user_error", detail=code)
        return number, _CODES.get(code, ("refused", words))


def _judged(row: Row, node: Object | None, place: str) -> Row:
    """The row with what stands there, and what hinders it."""
    if not place:
        return row.hindered("refused", NO_PLACE)
    if node is None:
        return row.hindered("unknown_there", UNKNOWN)
    if not fields.flag(node, "tracked"):
        return row.hindered("not_tracked", NOT_TRACKED)
    found = quantities(fields.child(node, "inventoryLevel")).get("available")
    return row.hindered("unknown_there", NOT_STOCKED) if found is None else _compared(replace(row, found=found))


def _compared(row: Row) -> Row:
    wanted, expected = row.level.quantity, row.level.expected
    if wanted != wanted.to_integral_value():
        return row.hindered("refused", FRACTION)
    if expected is not None and row.found not in (expected, wanted):
        return row.hindered("changed_meanwhile", CHANGED)
    return row


def _written(command: SetStock, rows: Sequence[Row], *, was_there: bool) -> Written:
    levels = tuple(row.told for row in sorted(rows, key=lambda row: row.number))
    return Written(external_id=command.key, was_there=was_there, levels=levels)


def is_id(text: str) -> bool:
    """Whether this can be an id of Shopify's at all."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0
