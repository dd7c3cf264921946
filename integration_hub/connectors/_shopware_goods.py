"""Products and stock of a Shopware shop.

A product with variants is sold as these only; a variant inherits what it does not say itself (asked for by a header).  Shopware
takes an order's pieces off ``availableStock`` at once, since 6.5 off ``stock`` as well; so what is written is the number
wished plus what the shop holds back.  Each push reads first and writes only what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import Level, LevelSet, LevelToSet, ProductReport, SetStock, StockReport
from integration_hub.kernel.messages import Report, Written
from integration_hub.kernel.text import Text, say

from ._shopware_api import Api, is_id
from ._shopware_lines import translated
from ._shopware_search import among, changed_since, page_of
from .base import Delivery, Page

PER_PAGE = 100
INHERITED: Mapping[str, str] = {"sw-inheritance": "1"}
_NOWHERE = "0" * 32
_SOLD: Mapping[str, Any] = {
    "type": "not",
    "operator": "or",
    "queries": [{"type": "range", "field": "childCount", "parameters": {"gt": 0}}],
}
_CHANGES = ("updatedAt", "createdAt", "parent.updatedAt")
_ASSOCIATIONS: Mapping[str, Any] = {"options": {"associations": {"group": {}}}, "tax": {}}
UNKNOWN = say("The shop does not hold this article any more.")
NOT_SOLD = say("This product is sold in variants only; the stock stands at them.")
WHOLE = say("Shopware counts whole pieces only.")


def products(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the articles that changed, themselves or by what they inherit; with their stock as it stands now."""
    rows, following = page_of(
        api, "product", [_SOLD, *changed_since(_CHANGES, since)], token, PER_PAGE, _ASSOCIATIONS, INHERITED
    )
    seen = {"seen": _now()}
    return Page(
        [Delivery("product.polled", fields.identifier(row, "id"), codec.canonical(row), seen) for row in rows],
        following,
    )


def levels(api: Api, token: str | None) -> Page:
    """One page of all that is sold, with its stock."""
    rows, following = page_of(api, "product", [_SOLD], token, PER_PAGE)
    names = ("id", "productNumber", "stock", "availableStock")
    told = [{name: row.get(name) for name in names} for row in rows]
    body = {"read_at": _now(), "rows": told}
    return Page([Delivery("stock.listed", f"page {token or ''}".strip(), codec.canonical(body))], following)


def missing(api: Api, product_ids: Sequence[str]) -> list[str]:
    """Which of these articles the shop does not hold any more."""
    held = {fields.identifier(row, "id") for row in _held(api, product_ids)} if product_ids else set()
    return [one for one in product_ids if one not in held]


def reports(body: Object, seen: datetime | None) -> Sequence[Report]:
    """An article and its stock."""
    changed = fields.moment(body, "updatedAt") or fields.moment(body, "createdAt")
    stated = seen or changed
    if stated is None:
        raise unreadable("updatedAt and createdAt are missing")
    weight = fields.amount(body, "weight", Decimal(0))
    report = ProductReport(
        external_id=fields.identifier(body, "id"),
        sku=fields.identifier(body, "productNumber"),
        title=translated(body, "name"),
        gtin=fields.identifier(body, "ean", required=False),
        active=body.get("active") is not False,
        updated_at=changed,
        product_id=fields.identifier(body, "parentId", required=False),
        options=tuple(_options(body)),
        tax_class=fields.words(fields.child(body, "tax"), "name"),
        weight=round(weight, 6) if weight > 0 else None,
        tracked=True,
    )
    return (report, StockReport(levels=(_level(body),), stated_at=stated))


def levels_report(body: Object) -> StockReport:
    """What a listing read at one moment."""
    read_at = fields.moment(body, "read_at")
    if read_at is None:
        raise unreadable("read_at is missing")
    return StockReport(levels=tuple(map(_level, fields.children(body, "rows"))), stated_at=read_at)


class Setter:
    """Looks, and writes what differs."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def find(self, command: SetStock) -> Written | None:
        """What the command would make, if nothing of it is left to do."""
        told, wanted = self._judge(command)
        return None if wanted else _written(command, told, was_there=True)

    def carry_out(self, command: SetStock) -> Written:
        """Write what differs; doing it again writes nothing."""
        told, wanted = self._judge(command)
        rows = [{"id": product_id, "stock": stock} for product_id, stock in wanted.items()]
        if rows:
            try:
                self.api.write(
                    "POST", "/api/_action/sync", [{"action": "upsert", "entity": "product", "payload": rows}]
                )
            except Rejected as error:
                told = [_with(one, "refused", error.text) if one.product_id in wanted else one for one in told]
        return _written(command, told, was_there=not rows)

    def _judge(self, command: SetStock) -> tuple[list[LevelSet], dict[str, int]]:
        """What is to be said of each level, and which stock is to be written."""
        held = {
            fields.identifier(row, "id"): row for row in _held(self.api, [one.product_id for one in command.levels])
        }
        told, wanted = [], {}
        for level in command.levels:
            row = held.get(level.product_id)
            code, problem = _hopeless(level, row)
            found = _available(row) if row is not None and code != "not_tracked" else None
            told.append(
                _with(LevelSet(product_id=level.product_id, location_id=level.location_id, found=found), code, problem)
            )
            if row is not None and not code and found != level.quantity:
                held_back = fields.quantity(row, "stock") - _available(row)
                wanted[level.product_id] = int(level.quantity + held_back)
        return told, wanted


def _held(api: Api, product_ids: Sequence[str]) -> Iterator[Object]:
    known = [one for one in dict.fromkeys(product_ids) if is_id(one)] or [_NOWHERE]
    for start in range(0, len(known), PER_PAGE):
        some = known[start : start + PER_PAGE]
        yield from api.search("product", {"limit": len(some), "filter": [among("id", some)]})


def _hopeless(level: LevelToSet, row: Object | None) -> tuple[str, Text | None]:
    """Why a level cannot be set at all."""
    if row is None:
        return "unknown_there", UNKNOWN
    if fields.amount(row, "childCount", Decimal(0)) > 0:
        return "not_tracked", NOT_SOLD
    if level.quantity != level.quantity.to_integral_value():
        return "refused", WHOLE
    return "", None


def _available(row: Object) -> Decimal:
    name = "stock" if row.get("availableStock") is None else "availableStock"
    return fields.quantity(row, name)


def _level(row: Object) -> Level:
    number = fields.identifier(row, "productNumber", required=False)
    return Level(product_id=fields.identifier(row, "id"), sku=number, available=_available(row))


def _options(body: Object) -> Iterator[tuple[str, str]]:
    found = [
        (translated(fields.child(one, "group"), "name"), translated(one, "name"))
        for one in fields.children(body, "options")
    ]
    yield from sorted(pair for pair in found if all(pair))


def _with(level: LevelSet, code: str, problem: Text | None) -> LevelSet:
    return LevelSet(
        product_id=level.product_id,
        location_id=level.location_id,
        found=level.found,
        problem=problem,
        problem_code=code,
    )


def _written(command: SetStock, told: Sequence[LevelSet], *, was_there: bool) -> Written:
    return Written(external_id=command.key, was_there=was_there, levels=tuple(told))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
