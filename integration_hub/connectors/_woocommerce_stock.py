"""Showing levels in a WooCommerce shop.

The shop sets absolute numbers and compares nothing, so each push reads first: what stands there is reported as found, and
what is right already is not written.  That makes a push that is sent again harmless.  Stock management is never switched on:
an article whose stock the shop does not keep is a problem for a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import LevelSet, LevelToSet, SetStock
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import Text, say

from ._woocommerce_api import GONE, PER_PAGE, V3, Api
from ._woocommerce_goods import AT_PARENT, is_stated, is_tracked
from ._woocommerce_poll import variations

STOCK_FIELDS = "id,parent_id,type,sku,manage_stock,stock_quantity"
PRODUCTS = f"{V3}/products"
One = TypeVar("One")


@dataclass
class Shelf:
    """What stands in the shop: each article by its id, and the variations of each product that was looked into."""

    held: dict[str, Object] = field(default_factory=dict)
    families: dict[str, list[Object]] = field(default_factory=dict)

    def parent_of(self, level: LevelToSet) -> str:
        raw: Object = self.held.get(level.product_id, {})
        return fields.identifier(raw, "parent_id", required=False) or level.parent_id


@dataclass(frozen=True)
class Target:
    """Where a number is written: a batch address and an id behind it."""

    path: str
    number: str
    quantity: Decimal


class Setter:
    """Looks, and writes what differs."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def find(self, command: SetStock) -> Written | None:
        """What the command would make, if nothing of it is left to do."""
        outcomes, targets = self._judge(command)
        return None if targets else _written(command, outcomes, was_there=True)

    def carry_out(self, command: SetStock) -> Written:
        """Write what differs; doing it again writes nothing."""
        outcomes, targets = self._judge(command)
        by_path: dict[str, dict[Target, list[LevelSet]]] = defaultdict(dict)
        for target, waiting in targets.items():
            by_path[target.path][target] = waiting
        for path, rows in by_path.items():
            for some in _chunks(list(rows)):
                answers = self._write(path, some)
                for target in some:
                    code, problem = self._trouble(answers.get(target.number), target)
                    outcomes |= {id_of(one): _with(one, code, problem) for one in rows[target]}
        return _written(command, outcomes, was_there=not targets)

    def _judge(self, command: SetStock) -> tuple[dict[tuple[str, str], LevelSet], dict[Target, list[LevelSet]]]:
        """What is done or hopeless, and what is to be written for whom."""
        shelf = self._look(command.levels)
        outcomes: dict[tuple[str, str], LevelSet] = {}
        targets: dict[Target, list[LevelSet]] = defaultdict(list)
        for level in command.levels:
            raw = shelf.held.get(level.product_id)
            found = fields.quantity(raw, "stock_quantity") if raw is not None and is_stated(raw) else None
            seen = LevelSet(product_id=level.product_id, location_id=level.location_id, found=found)
            code, problem = _hopeless(level, raw, shelf, command.levels)
            outcomes[id_of(seen)] = _with(seen, code, problem)
            if not code and found != level.quantity:
                targets[_target(level, raw or {}, shelf)].append(seen)
        return outcomes, targets

    def _look(self, levels: Sequence[LevelToSet]) -> Shelf:
        shelf = Shelf()
        known = [level for level in levels if is_id(level.product_id)]
        for some in _chunks([level.product_id for level in known if not is_id(level.parent_id)]):
            self._look_at(some, shelf)
        parents = {shelf.parent_of(level) for level in known}
        for parent in sorted(filter(is_id, parents), key=int):
            shelf.families[parent] = self._family(parent)
            shelf.held |= {fields.identifier(one, "id"): {"parent_id": parent, **one} for one in shelf.families[parent]}
        return shelf

    def _look_at(self, ids: Sequence[str], shelf: Shelf) -> None:
        """Products are listed; a variation is in no list of products, but its own address answers."""
        params = {"include": ",".join(ids), "status": "any", "per_page": PER_PAGE, "_fields": STOCK_FIELDS}
        items, _ = self.api.items(PRODUCTS, params)
        shelf.held |= {fields.identifier(item, "id"): item for item in items}
        for one in ids:
            if one not in shelf.held and (item := self.api.read_or_none(f"{PRODUCTS}/{quote(one, safe='')}")):
                shelf.held[one] = item

    def _family(self, parent: str) -> list[Object]:
        try:
            return variations(self.api, parent, STOCK_FIELDS)
        except Rejected as error:
            if error.code == GONE:
                return []
            raise

    def _write(self, path: str, targets: Sequence[Target]) -> dict[str, Object]:
        """The shop's answer for each id; empty where the product behind the address is gone."""
        body = {"update": [{"id": int(one.number), "stock_quantity": _number(one.quantity)} for one in targets]}
        try:
            answer = self.api.write("POST", f"{path}/batch", body)
        except Rejected as error:
            if error.code == GONE:
                return {}
            raise
        return {fields.identifier(item, "id", required=False): item for item in fields.children(answer, "update")}

    def _trouble(self, answer: Object | None, target: Target) -> tuple[str, Text | None]:
        """An answer of success may hold a refusal per article, or another number than was asked for."""
        if answer is None:
            return "unknown_there", UNKNOWN
        error = fields.child(answer, "error")
        if error:
            if fields.words(error, "code").endswith("_invalid_id"):
                return "unknown_there", UNKNOWN
            why = self.api.http.redact(fields.words(error, "message", 300))
            return "refused", say("The shop refused it: %(why)s", why=why)
        kept = fields.quantity(answer, "stock_quantity") if is_stated(answer) else target.quantity
        if kept == target.quantity:
            return "", None
        words = say("The shop keeps %(kept)s instead of %(wanted)s.", kept=str(kept), wanted=str(target.quantity))
        return "refused", words


UNKNOWN = say("The shop does not hold this article any more.")
NOT_TRACKED = say("The shop keeps no stock of this article. Switch on stock management for it in WooCommerce.")


def _hopeless(
    level: LevelToSet, raw: Object | None, shelf: Shelf, levels: Sequence[LevelToSet]
) -> tuple[str, Text | None]:
    """Why a level cannot be set at all."""
    if raw is None:
        return "unknown_there", UNKNOWN
    if not is_tracked(raw):
        return "not_tracked", NOT_TRACKED
    if raw.get("manage_stock") == AT_PARENT and not _agreed(shelf.families.get(shelf.parent_of(level), []), levels):
        words = say(
            "The shop keeps one stock for all variations of product %(product)s, and the hub does not have the same number"
            " for each of them. Switch on stock management for each variation in WooCommerce.",
            product=shelf.parent_of(level),
        )
        return "refused", words
    return "", None


def _agreed(family: Sequence[Object], levels: Sequence[LevelToSet]) -> bool:
    """Whether one number says it for all variations that draw on their product's stock."""
    sharing = {fields.identifier(one, "id") for one in family if one.get("manage_stock") == AT_PARENT}
    wanted = {level.product_id: level.quantity for level in levels if level.product_id in sharing}
    return bool(sharing) and wanted.keys() == sharing and len(set(wanted.values())) == 1


def _target(level: LevelToSet, raw: Object, shelf: Shelf) -> Target:
    parent = shelf.parent_of(level)
    if raw.get("manage_stock") == AT_PARENT:
        return Target(PRODUCTS, parent, level.quantity)
    path = f"{PRODUCTS}/{quote(parent, safe='')}/variations" if is_id(parent) else PRODUCTS
    return Target(path, level.product_id, level.quantity)


def id_of(level: LevelSet) -> tuple[str, str]:
    return level.product_id, level.location_id


def _with(level: LevelSet, code: str, problem: Text | None) -> LevelSet:
    return LevelSet(
        product_id=level.product_id,
        location_id=level.location_id,
        found=level.found,
        problem=problem,
        problem_code=code,
    )


def _written(command: SetStock, outcomes: dict[tuple[str, str], LevelSet], *, was_there: bool) -> Written:
    levels = tuple(outcomes[level.product_id, level.location_id] for level in command.levels)
    return Written(external_id=command.key, was_there=was_there, levels=levels)


def is_id(text: str) -> bool:
    """Whether this can be an id of the shop's at all."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0


def _number(quantity: Decimal) -> Decimal | int:
    """Whole pieces as a whole number: the shop's own schema knows no fractions."""
    return int(quantity) if quantity == quantity.to_integral_value() else quantity


def _chunks(rows: Sequence[One]) -> Iterator[Sequence[One]]:
    return (rows[start : start + PER_PAGE] for start in range(0, len(rows), PER_PAGE))
