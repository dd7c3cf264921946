"""Bundles: taken apart to the last part, never in themselves, and their price shared without losing a cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.money import Money
from inventory import services
from inventory.models import BundlePart, Kind, ShareRule, Variant
from inventory.services import Need, Part

pytestmark = pytest.mark.django_db


def article(sku: str, price: str | None = None, **more: Any) -> Variant:
    priced = {"price": Decimal(price), "currency": "EUR", "price_includes_tax": True} if price else {}
    return Variant.objects.create(sku=sku, title=sku, **priced | more)


def bundle(sku: str, *parts: tuple[Variant, int], rule: ShareRule = ShareRule.BY_PRICE) -> Variant:
    made = article(sku)
    services.define(made, [Part(part.pk, Decimal(count)) for part, count in parts], rule=rule)
    made.refresh_from_db()
    return made


def test_nested_bundles_move_their_last_parts_and_vouchers_nothing() -> None:
    cup, pot = article("CUP"), article("POT")
    six = bundle("SIX", (cup, 6))
    service = bundle("SERVICE", (six, 2), (pot, 1), (cup, 1), (article("CARD", kind=Kind.VOUCHER_MULTI), 1))
    empty = article("EMPTY", kind=Kind.BUNDLE)
    voucher = article("GIFT", kind=Kind.VOUCHER_SINGLE)
    rows = [cup.pk, service.pk, empty.pk, voucher.pk]
    with CaptureQueriesContext(database) as seen:
        found = services.parts_of(rows)
    assert len(seen) == 2
    assert found == {
        cup.pk: [Need(cup.pk, Decimal(1))],
        service.pk: [Need(cup.pk, Decimal(13)), Need(pot.pk, Decimal(1))],
        empty.pk: [],
        voucher.pk: [],
    }


def test_a_bundle_never_holds_itself_however_far_down() -> None:
    a, b = article("A"), article("B")
    c = bundle("C", (a, 1))
    services.define(b, [Part(c.pk, Decimal(1))])
    for part in (b, a):
        with pytest.raises(Rejected) as refused:
            services.define(a, [Part(part.pk, Decimal(1))])
        assert refused.value.code == "bundle_cycle"
    with pytest.raises(IntegrityError, match="would hold itself"), transaction.atomic():
        BundlePart.objects.create(bundle=a, part=b, quantity=1)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5"])
def test_what_no_bundle_can_be(quantity: str) -> None:
    pot, made = article("POT"), article("SET")
    with pytest.raises(Rejected):
        services.define(made, [Part(pot.pk, Decimal(quantity))])
    assert not BundlePart.objects.exists()


def test_prices_that_cannot_be_compared_share_nothing() -> None:
    net = article("NET", "5.00")
    Variant.objects.filter(pk=net.pk).update(price_includes_tax=False)
    for parts in ([(article("A", "9.00"), 1), (article("FREE"), 1)], [(article("B", "9.00"), 1), (net, 1)], []):
        made = bundle(f"SET-{len(parts)}-{parts[0][0].sku if parts else ''}", *parts)
        with pytest.raises(Rejected):
            services.share(made, Money(Decimal("10.00"), "EUR"))


def test_saying_the_same_again_changes_nothing() -> None:
    pot = article("POT")
    made = bundle("SET", (pot, 2))
    assert services.define(made, [Part(pot.pk, Decimal(2))]) is False
    assert services.define(made, [Part(pot.pk, Decimal(3))]) is True


class Sharing(TestCase):
    """Whatever the prices, shares and depth: the parts sum up to the price."""

    @given(
        prices=st.lists(st.integers(1, 99_999), min_size=1, max_size=5),
        counts=st.lists(st.integers(1, 12), min_size=5, max_size=5),
        gross=st.integers(-999_999, 999_999),
        fixed=st.booleans(),
        nested=st.booleans(),
    )
    @settings(max_examples=40, deadline=None)
    def test_no_cent_is_lost(self, prices: list[int], counts: list[int], gross: int, fixed: bool, nested: bool) -> None:
        rows = [article(f"P{n}", str(Decimal(price) / 100)) for n, price in enumerate(prices)]
        parts = [
            Part(row.pk, Decimal(count), Decimal(price) if fixed else None)
            for row, count, price in zip(rows, counts, prices, strict=False)
        ]
        if nested:
            inner = article("INNER", "7.77")
            services.define(inner, [Part(rows[0].pk, Decimal(3))])
            parts.append(Part(inner.pk, Decimal(2), Decimal(1) if fixed else None))
        made = article("SET")
        services.define(made, parts, rule=ShareRule.FIXED if fixed else ShareRule.BY_PRICE)
        shares = services.share(made, Money(Decimal(gross) / 100, "EUR"))
        assert sum((one.amount.amount for one in shares), Decimal(0)) == Decimal(gross) / 100
        assert {one.variant_id for one in shares} == {row.pk for row in rows}
        assert all(one.amount.amount * gross >= 0 for one in shares)
