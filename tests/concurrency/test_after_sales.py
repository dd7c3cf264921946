"""Special cases under fire: of two who cancel the same pieces at once, one wins and the other is told why not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from integration_hub.kernel.aftersales import AfterSaleKind, CancelSale
from integration_hub.kernel.errors import HubError
from integration_hub.models import User
from integration_hub.models.patience import patiently
from orders.aftersales import services
from orders.aftersales.models import AfterSale
from orders.models import OrderLine
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, ship, told

from .together import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_partial_cancellations_of_one_line_at_once(world: standin.World, person: Callable[..., User]) -> None:
    order = placed(joined())
    line, people = order.lines.get(sku="TK-100"), [person("operations", name) for name in ("a", "b", "c")]
    wanted = {line.pk: Decimal(2)}
    rows = [services.request(order, AfterSaleKind.CANCELLATION, wanted, by=who, why="x") for who in people]
    refused: list[str] = []

    def confirm(row: AfterSale, who: User) -> None:
        try:
            patiently(lambda: _confirmed(row, who))
        except HubError as error:
            refused.append(error.code)

    together(*[partial(confirm, row, who) for row, who in zip(rows, people, strict=True)])
    spine.run()
    states = sorted(AfterSale.objects.values_list("state", flat=True))
    assert (refused, states) == (["too_many"] * 2, ["PROPOSED", "PROPOSED", "RUNNING"])
    assert OrderLine.objects.get(pk=line.pk).cancelled == 2
    assert [[one.quantity for one in command.lines] for command in told(CancelSale)] == [[Decimal(2)]]


@transaction.atomic
def _confirmed(row: AfterSale, who: User) -> None:
    services.confirm(row.pk, by=who)


def test_the_same_return_reported_by_two_workers_at_once_is_one(world: standin.World) -> None:
    shop = joined()
    ship(placed(shop), "2", stage="SHIPPED")
    found = {"id": 7, "kind": "RETURN", "stage": "ANNOUNCED", "positions": [{"line": "1", "quantity": "1"}]}
    for minute in range(4):
        spine.say(shop, found | {"updated_at": f"2026-11-21T10:0{minute}:00Z"}, topic="after_sale")
    together(*[spine.run] * 3)
    spine.later()
    assert AfterSale.objects.filter(kind="RETURN").count() == 1
    assert OrderLine.objects.get(sku="TK-100").returned == 1
