"""Orders out of the generator: repeatable, varied, right to the cent, and wrong only where asked."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integration_hub.sandbox.app import Sandbox
from integration_hub.sandbox.basket import TROUBLES, Basket, basket
from integration_hub.sandbox.catalogue import ARTICLES
from integration_hub.sandbox.orders import Wanted

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def many(count: int = 300, trouble: str = "") -> list[Basket]:
    rng = random.Random(5)
    return [basket(rng, NOON, trouble) for _ in range(count)]


def test_a_seed_repeats_the_orders() -> None:
    assert many(20) == many(20)


def test_a_seed_repeats_the_orders_whatever_the_erp_does_meanwhile() -> None:
    totals = []
    for noise in (0, 3):
        sandbox = Sandbox(seed=11)
        for _ in range(noise):
            sandbox.world.parcels.random()
        sandbox.orders.place(Wanted("woo", 10))
        totals.append([row["total"] for row in sandbox.world.store.rows("woo.orders")])
        sandbox.server.server_close()
        sandbox.later.close()
        sandbox.second_thoughts.close()
    assert totals[0] == totals[1]


def test_orders_vary() -> None:
    found = many()
    assert any(item.buyer.company and item.buyer.vat_id.startswith("DE") for item in found)
    assert any(not item.buyer.customer for item in found)
    assert any(item.buyer.last in ("Иванова", "田中", "الأحمد") for item in found)
    assert any(item.recipient != item.buyer for item in found)
    assert any(item.fee for item in found)
    assert {item.percent for item in found} == {0, 10, 15}
    assert {item.shipping.rate for item in found} == {Decimal("0.19"), Decimal("0.07")}
    assert all(item.buyer.email.isascii() for item in found)


def test_tax_by_rate_is_the_tax_of_the_parts() -> None:
    for item in many(100):
        parts = [line.after for line in item.items] + [item.shipping] + ([item.fee] if item.fee else [])
        assert sum(sum(pair) for pair in item.by_rate().values()) == sum(part.tax for part in parts)
        assert item.total == sum(part.net + part.tax for part in parts)


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_trouble_is_as_asked(trouble: str) -> None:
    known = {article.sku for article in ARTICLES}
    for item in many(20, trouble):
        strange = {line.article.sku for line in item.items} - known
        assert strange == ({"TK-100-B"} if trouble == "unknown_sku" else set())
        assert (not item.buyer.postcode) is (trouble == "missing_address")
        assert any(line.rate == Decimal("0.12") for line in item.items) is (trouble == "unknown_tax_rate")
        parts = (
            [line.after.gross for line in item.items] + [item.shipping.gross] + ([item.fee.gross] if item.fee else [])
        )
        assert item.total - sum(parts) == (2 if trouble == "totals_disagree" else 0)


def test_codes_have_right_check_digits() -> None:
    for article in ARTICLES:
        digits = [int(digit) for digit in article.gtin]
        assert len(digits) == 13
        assert sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
    assert len({article.gtin for article in ARTICLES}) == len({article.sku for article in ARTICLES}) == 12
