"""The connection test: what is wrong, step by step, in words that lead to the place to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from integration_hub.kernel.errors import HubError, Misconfigured
from integration_hub.kernel.text import Text, say

from ._tryton_records import Records
from ._tryton_rest import Rest
from .base import Finding


def findings(rest: Rest, records: Records, services: Mapping[str, str]) -> Sequence[Finding]:
    """Each step in its order; after the first that fails the rest would only repeat it."""
    steps: tuple[Callable[[], Text], ...] = (
        lambda: _version(rest),
        lambda: say("The key is valid; company: %(name)s.", name=records.company["party"]["name"]),
        lambda: say("Web shop found: %(name)s (no. %(id)s).", name=records.shop_name, id=records.shop["id"]),
        lambda: _warehouse(records),
        lambda: _services(rest, services),
        lambda: _stock(rest),
    )
    found: list[Finding] = []
    for step in steps:
        try:
            found.append(Finding(ok=True, text=step()))
        except HubError as error:
            return [*found, Finding(ok=False, text=error.text)]
    return found


def _version(rest: Rest) -> Text:
    series = rest.version()
    if not _has_rest(series):
        words = say("This is no Tryton 8.0 or later (it says %(series)s).", series=series or "—")
        raise Misconfigured(words, code="old_version")
    return say("Tryton %(series)s answers.", series=series)


def _has_rest(series: str) -> bool:
    major = series.split(".", maxsplit=1)[0]
    return major.isdecimal() and int(major) >= 8


def _warehouse(records: Records) -> Text:
    if records.warehouse:
        return say("The goods leave warehouse no. %(id)s.", id=records.warehouse)
    return say("The web shop has no warehouse; Tryton must have just one, or name it in the settings.")


def _services(rest: Rest, services: Mapping[str, str]) -> Text:
    wanted = sorted(set(services.values()))
    found = {row["code"] for row in rest.search("product.product", [["code", "in", wanted]], ["code"])}
    if missing := [code for code in wanted if code not in found]:
        words = say("Tryton has no active product with the code %(codes)s.", codes=", ".join(missing))
        raise Misconfigured(words, code="no_product")
    return say("The products for shipping, fees and discounts are there: %(codes)s.", codes=", ".join(wanted))


def _stock(rest: Rest) -> Text:
    """What the polls of goods read: quantities, moves, places."""
    rest.search("stock.move", [["id", "<", 0]], ["id"])
    rest.search("product.product", [["id", "<", 0]], ["list_price_used", "quantity"])
    places = rest.search("stock.location", [["type", "=", "warehouse"]], ["name"], order=[["id", "ASC"]])
    names = ", ".join(place["name"] for place in places)
    return say("Products and stock can be read; warehouses: %(names)s.", names=names or "—")
