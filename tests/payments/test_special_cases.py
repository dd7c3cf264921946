"""Money of special cases: confirmed once, asked for at the provider, told to the shop when it has arrived."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.kernel.aftersales import AfterSaleKind, TellRefunded
from integration_hub.models import Connection, User
from orders.aftersales import services
from orders.aftersales.models import AfterSale
from orders.models import Order
from payments.models import Refund
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, told
from tests.payments.provider import Till, capture, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: standin.World) -> Connection:
    return joined()


def discounted(order: Order, by: User) -> AfterSale:
    row = services.request(order, AfterSaleKind.DISCOUNT, {}, by=by, why="scratch", amount=Decimal("5.00"))
    return services.confirm(row.pk, by=by)


def test_a_discount_is_paid_back_and_the_shop_hears_of_it_then(
    shop: Connection, psp: Connection, till: Till, person: Callable[..., Any]
) -> None:
    order = placed(shop)
    tell(psp, capture(gross="28.70", order="#1"))
    row = discounted(order, person("finance"))
    spine.run()
    assert [one.amount for one in till.refunds.values()] == [Decimal("5.00")]
    assert told(TellRefunded) == []
    back = {"id": Refund.objects.get().external_id, "kind": "REFUND", "gross": "-5.00", "parent": "ch_1"}
    tell(psp, back)
    spine.run()
    row.refresh_from_db()
    assert (row.state, [one.amount for one in told(TellRefunded)]) == ("DONE", [Decimal("5.00")])


def test_what_no_provider_can_pay_back_waits_for_a_person(
    shop: Connection, psp: Connection, till: Till, person: Callable[..., Any]
) -> None:
    row = discounted(placed(shop), person("finance"))
    spine.run()
    row.refresh_from_db()
    assert (row.state, services.waits_for_hand(row), Refund.objects.exists()) == ("RUNNING", True, False)
