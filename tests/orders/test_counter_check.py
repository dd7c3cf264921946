"""The nightly counter-check: contradictions become cases, what is under way does not, and agreement closes them."""

from __future__ import annotations

import pytest

from exceptions.models import ExceptionCase
from integration_hub.models import Connection
from orders.aftersales import check
from orders.models import Order, Sale
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed

pytestmark = pytest.mark.django_db
LONG_AGO = "2026-11-01T00:00:00Z"


@pytest.fixture
def shop(world: standin.World) -> Connection:
    return joined()


def stands(order: Order, stage: str, sale: str) -> None:
    """Both sides said so long ago."""
    Order.objects.filter(pk=order.pk).update(
        stage=stage, vendor_status=stage.lower(), source_updated_at="2026-11-20T00:00:00Z"
    )
    Sale.objects.filter(order=order).update(stage=sale, written_at=LONG_AGO, source_updated_at=LONG_AGO)


@pytest.mark.parametrize(
    ("stage", "sale", "wrong"),
    [
        ("CANCELLED", "CONFIRMED", True),
        ("READY", "CANCELLED", True),
        ("READY", "SHIPPED", True),
        ("COMPLETED", "CONFIRMED", True),
        ("COMPLETED", "SHIPPED", False),
        ("READY", "PARTLY_SHIPPED", False),
        ("CANCELLED", "CANCELLED", False),
    ],
)
def test_what_cannot_be_is_a_case(shop: Connection, stage: str, sale: str, wrong: bool) -> None:
    order = placed(shop)
    stands(order, stage, sale)
    check.nightly()
    assert spine.open_cases() == ([("sides_disagree", 1)] if wrong else [])


def test_what_somebody_is_dealing_with_is_none(shop: Connection) -> None:
    order = placed(shop)
    spine.say(shop, standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    stands(order, "CANCELLED", "CONFIRMED")
    check.nightly()
    assert spine.open_kinds() == {"cancelled_after_export"}


def test_it_closes_when_both_agree(shop: Connection) -> None:
    order = placed(shop)
    stands(order, "READY", "CANCELLED")
    check.nightly()
    case = ExceptionCase.objects.open().get()
    stands(order, "CANCELLED", "CANCELLED")
    check.rerun(case)
    assert spine.open_cases() == []
