"""Orders to be written into Tryton, and the connector that writes them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integration_hub.connectors.http import Http
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.messages import Address, Buyer, SaleLine, WriteSale
from integration_hub.kernel.states import LineKind
from tests.erp.office import LOOPBACK
from tests.erp.server import Erp

COIN = Decimal("0.01")
HOME = Address(name="Erika Muster", street="Am Kai 7", postal_code="20457", city="Hamburg", country="DE")
WORK = Address(
    name="Erika Muster", company="Hafenbüro GmbH", street="Weg 1", postal_code="10115", city="Berlin", country="DE"
)
_numbers = itertools.count(1)


def line(
    sku: str, quantity: int | str, gross: str, rate: str = "0.19", *, off: str = "0", kind: LineKind = LineKind.ITEM
) -> SaleLine:
    """A line of a shop with gross prices: ``gross`` is the line's total after ``off``."""
    total, tax_rate, count = Decimal(gross), Decimal(rate), Decimal(quantity)
    net = (total / (1 + tax_rate)).quantize(COIN, rounding=ROUND_HALF_UP)
    return SaleLine(
        kind=kind,
        title=f"{sku or kind.title()} from the shop",
        sku=sku,
        quantity=count,
        unit_price=(total + Decimal(off)) / count,
        discount=Decimal(off),
        net=net,
        tax=total - net,
        gross=total,
        tax_rate=tax_rate,
    )


def shipping(gross: str = "4.99", rate: str = "0.19") -> SaleLine:
    return line("", 1, gross, rate, kind=LineKind.SHIPPING)


def fee(gross: str, rate: str = "0.19") -> SaleLine:
    return line("", 1, gross, rate, kind=LineKind.FEE)


def order(*lines: SaleLine, **changes: Any) -> WriteSale:
    """An order of a customer of its own; its total is the sum of its lines."""
    number = f"{os.getpid()}-{next(_numbers)}"
    lines = lines or (line("MUG", 2, "19.98"), shipping())
    wanted = WriteSale(
        reference=f"shop:{number}",
        number=f"WEB-{number}",
        channel="shop",
        customer_code=f"shop-{number}",
        buyer=Buyer(external_id="7", email="erika@example.com", name="Erika Muster", phone="+49 40 123456"),
        billing=HOME,
        shipping=WORK,
        placed_at=datetime.now(UTC),
        currency="EUR",
        prices_include_tax=True,
        lines=lines,
        total=_sum(item.gross for item in lines),
        total_tax=_sum(item.tax for item in lines),
        note="Bitte klingeln",
    )
    return replace(wanted, **changes)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def config(**changes: Any) -> Tryton.Config:
    values = {"url": "https://erp.example.com", "database": "erp", "api_key": "a-long-secret-key", "web_shop": "shop"}
    return Tryton.Config(**(values | changes))


def connector(erp: Erp, http: Http | None = None, **changes: Any) -> Tryton:
    """A connector to the real server, as the hub would make it."""
    values = {"url": erp.url, "database": erp.database, "api_key": erp.key} | changes
    return Tryton(config(**values), http or Http(allowed=[LOOPBACK]))
