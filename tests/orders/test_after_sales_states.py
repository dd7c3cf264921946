"""Every move from every state: allowed ones happen once, all others are refused; the page of states says the same."""

from __future__ import annotations

from itertools import product

import pytest
from django.core.management import call_command

from integration_hub.kernel.errors import Defect
from integration_hub.management.commands.states import MACHINES
from integration_hub.models import Connection
from orders.aftersales import flow
from orders.aftersales.models import AfterSale
from orders.aftersales.states import MOVES, AfterSaleState
from orders.models import Order


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), list(product(AfterSaleState, AfterSaleState)))
def test_every_pair_of_states(old: AfterSaleState, new: AfterSaleState) -> None:
    row = AfterSale(kind="REFUND", state=old, occurred_at="2026-11-21T10:00:00Z", order_external_id="1")
    if old not in ("UNTIED", "DECLINED") or new not in ("UNTIED", "DECLINED"):
        row.order = _order()
    row.save()
    if new == old:
        assert not flow.move(row, new)
    elif new in MOVES[old]:
        assert flow.move(row, new)
        assert AfterSale.objects.get().state == new
    else:
        with pytest.raises(Defect):
            flow.move(row, new)
        assert AfterSale.objects.get().state == old


def _order() -> Order:
    shop = Connection.objects.create(kind="standin-shop", slug="laden", name="Laden", role="SHOP")
    return Order.objects.create(
        channel=shop,
        external_id="1",
        number="1",
        placed_at="2026-11-20T10:00:00Z",
        source_updated_at="2026-11-20T10:00:00Z",
        digest="x",
        stage="READY",
        state="RECORDED",
        currency="EUR",
        prices_include_tax=True,
        total="1",
        total_tax="0",
    )


def test_the_page_of_states_is_what_the_tables_say() -> None:
    call_command("states", check=True)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.title)
def test_every_state_has_its_row_of_moves(machine: object) -> None:
    assert set(machine.moves) - {""} == set(machine.states.values)  # type: ignore[attr-defined]
