"""Shop, hub and ERP side by side: every difference is seen, is one case, and is gone when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.messages import Listed
from integration_hub.kernel.text import say
from integration_hub.messaging import polling, pump
from integration_hub.models import Connection, OutboundCommand, PollState, ProcessSwitch, User
from inventory.models import Variant
from orders import completeness, completeness_cases
from orders.aftersales import steps
from orders.aftersales.models import AfterSale, AfterSaleLine, AfterSaleStep
from orders.aftersales.states import AfterSaleState
from orders.models import Order, Sale
from orders.tally import DayTally, Difference
from tests import standin
from tests.dashboards.filled import deliver
from tests.spine import LONG_AGO, open_cases, open_kinds

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)


@pytest.fixture
def running(joined: Connection, erp: Connection, world: standin.World) -> Connection:
    """A shop with three orders of one day, in the hub and in the ERP, polled to the end."""
    Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")
    world.placed = [standin.order(number) for number in (1, 2, 3)]
    for found in world.placed:
        deliver(found)
    pump.drain()
    PollState.objects.update(since=timezone.now())
    return joined


def check(shop: Connection) -> DayTally:
    tally, _made = DayTally.objects.get_or_create(connection=shop, day=DAY)
    completeness.again([tally.pk])
    while completeness.work():
        pass
    tally.refresh_from_db()
    return tally


def counts(tally: DayTally) -> dict[str, int]:
    return {name: side["count"] for name, side in tally.figures.items()}


def whats(tally: DayTally) -> list[tuple[str, str]]:
    return sorted(tally.differences.values_list("what", "external_id"))


def test_a_day_on_which_all_agree(running: Connection) -> None:
    tally = check(running)
    assert counts(tally) == {"there": 3, "here": 3, "expected": 3, "under_way": 0, "erp": 3}
    assert {side["sums"].get("EUR") for name, side in tally.figures.items() if name != "under_way"} == {"86.10"} | {
        "86.1000"
    }
    assert (tally.differing, tally.note, tally.due_at, tally.listed) == (0, {}, None, [])
    assert not open_cases()


def test_an_order_that_never_came_is_one_case_and_is_fetched(
    running: Connection, world: standin.World, person: Callable[..., User]
) -> None:
    lost = standin.order(7)
    world.placed.append(lost)
    tally = check(running)
    check(running)
    assert (whats(tally), open_cases()) == ([("MISSING_HERE", "7")], [("order_missing_here", 1)])
    case = ExceptionCase.objects.get()
    assert (str(case.amount), case.params["number"]) == ("28.7000", "#7")
    world.pages["orders"] = [lost]
    PollState.objects.update(due_at="2040-01-01T00:00:00Z")
    perform(completeness_cases.FETCH, case, by=person("operations"))
    state = PollState.objects.get(connection=running, stream="orders")
    assert state.since == completeness.span(DAY)[0]
    pump.drain(lanes=("poll", "in", "out"))
    assert Order.objects.filter(external_id="7", sales__isnull=False).exists()
    PollState.objects.update(since=timezone.now())
    DayTally.objects.update(due_at=LONG_AGO)
    pump.drain(lanes=("completeness",))
    assert (open_cases(), Difference.objects.count()) == ([], 0)


def test_what_came_by_itself_closes_its_case_soon(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7))
    check(running)
    assert completeness.follow_up() == {"days": 0}
    deliver(standin.order(7))
    pump.drain()
    assert completeness.follow_up() == {"days": 1}
    pump.drain(lanes=("completeness",))
    assert not open_cases()


def test_what_polling_has_not_reached_yet_is_not_missed(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7))
    PollState.objects.update(since="2026-11-20T09:00:00Z")
    assert not whats(check(running))
    PollState.objects.update(since=None)
    tally = check(running)
    assert not whats(tally)
    assert "first time" in tally.note["msgid"]


def _cancel_a_teapot(order: Order, *, done: bool) -> None:
    """One of the two teapots at 11.90 is cancelled; the ERP has taken it out, or is still to."""
    line = order.lines.get(sku="TK-100")
    kept = {"kind": AfterSaleKind.CANCELLATION, "state": AfterSaleState.RUNNING, "currency": "EUR"}
    row = AfterSale.objects.create(order=order, occurred_at=timezone.now(), **kept)
    AfterSaleLine.objects.create(after_sale=row, line=line, quantity=1)
    AfterSaleStep.objects.create(
        after_sale=row,
        code=steps.CANCEL_SALE,
        connection=order.sales.get().connection,
        done_at=timezone.now() if done else None,
    )
    type(line).objects.filter(pk=line.pk).update(cancelled=1)


def test_cancelled_pieces_are_not_awaited_in_the_erp(running: Connection, world: standin.World) -> None:
    order = Order.objects.get(external_id="1")
    _cancel_a_teapot(order, done=True)
    whole = check(running)
    assert whats(whole) == [("SUM", "1")]  # the ERP still holds both
    assert {(row.here, row.erp) for row in whole.differences.all()} == {(Decimal("16.80"), Decimal("28.70"))}
    held = world.sales[order.reference]
    world.sales[order.reference] = [replace(one, total=Decimal("16.81")) for one in held]
    less = check(running)
    assert (whats(less), open_cases()) == ([], [])
    assert less.figures["expected"]["sums"] == {"EUR": "74.2000"}


def test_what_the_erp_is_still_to_take_out_is_not_judged(running: Connection) -> None:
    _cancel_a_teapot(Order.objects.get(external_id="1"), done=False)
    assert whats(check(running)) == []


def test_what_waits_to_be_processed_is_not_missed(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7))
    deliver(standin.order(7))
    assert not whats(check(running))


def test_an_unreadable_message_is_not_told_twice(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7))
    deliver({"id": 7, "nonsense": True})
    pump.drain()
    tally = check(running)
    assert (whats(tally), open_kinds()) == ([("MISSING_HERE", "7")], {"not_understood"})
    assert Difference.objects.get().case_id == ExceptionCase.objects.get().pk


def test_a_sale_that_is_gone_from_the_erp(running: Connection, world: standin.World) -> None:
    kept = world.sales.pop("laden:2")
    assert whats(check(running)) == [("MISSING_IN_ERP", "2")]
    assert open_cases() == [("order_missing_in_erp", 1)]
    world.sales["laden:2"] = kept
    check(running)
    assert not open_cases()


def test_a_command_that_was_taken_back_leaves_a_gap_until_it_is_judged_again(
    running: Connection, world: standin.World
) -> None:
    del world.sales["laden:2"]
    order = Order.objects.get(external_id="2")
    Sale.objects.filter(order=order).delete()
    OutboundCommand.objects.filter(subject_id=order.pk, verb="sale.write").update(state="CANCELLED", maybe_sent=False)
    check(running)
    case = ExceptionCase.objects.get()
    assert case.kind == "order_missing_in_erp"
    assert completeness_cases.rerun(case) == 1
    pump.drain()
    assert len(world.sales["laden:2"]) == 1
    DayTally.objects.update(due_at=LONG_AGO)
    pump.drain(lanes=("completeness",))
    assert not open_cases()


def test_held_orders_and_orders_on_their_way_are_not_missing(running: Connection, world: standin.World) -> None:
    world.placed += [standin.order(8, city="", postal_code=""), standin.order(9)]
    deliver(world.placed[-2])
    deliver(world.placed[-1])
    pump.drain(lanes=("in",))
    tally = check(running)
    assert counts(tally) == {"there": 5, "here": 5, "expected": 4, "under_way": 1, "erp": 3}
    assert open_kinds() == {"address_incomplete"}


def test_orders_from_before_the_process_are_not_expected_in_the_erp(running: Connection, world: standin.World) -> None:
    world.sales.clear()
    ProcessSwitch.objects.update(since="2026-11-21T00:00:00Z")
    tally = check(running)
    assert (counts(tally)["expected"], open_cases()) == (0, [])


def test_a_sale_that_stands_there_twice(running: Connection, world: standin.World) -> None:
    world.sales["laden:3"].append(world.sales["laden:3"][0])
    assert whats(check(running)) == [("TWICE_IN_ERP", "3")]
    world.sales["laden:3"].pop()
    check(running)
    assert not open_cases()


@pytest.mark.parametrize("side", ["shop", "erp"])
def test_sums_that_differ(running: Connection, world: standin.World, side: str) -> None:
    if side == "shop":
        world.placed[0]["total"] = "30.70"
    else:
        sale = world.sales.pop("laden:1")[0]
        world.strange = [Listed(external_id="9", number="9", total=sale.total + 2, currency="EUR", reference="laden:1")]
    assert whats(check(running)) == [("SUM", "1")]
    case = ExceptionCase.objects.get()
    assert (case.kind, case.role) == ("sum_differs", "finance")
    assert "30.70" in str(case.found)


def test_an_order_changed_after_export_keeps_its_one_case(running: Connection, world: standin.World) -> None:
    changed = standin.order(1, total="16.80", updated_at="2026-11-20T11:00:00Z")
    deliver(changed)
    pump.drain()
    world.placed[0] = changed
    tally = check(running)
    assert (whats(tally), open_kinds()) == ([("SUM", "1")], {"edited_after_export"})


def test_an_order_that_vanished_there_wakes_the_sweep(running: Connection, world: standin.World) -> None:
    world.placed.pop()
    world.missing.add("3")
    PollState.objects.update(due_at="2040-01-01T00:00:00Z")
    assert whats(check(running)) == [("NOT_THERE", "3")]
    pump.drain(lanes=("poll", "in", "out"))
    assert Order.objects.get(external_id="3").stage == "GONE"
    assert not whats(check(running))


def test_a_closed_finding_is_not_opened_every_night(
    running: Connection, world: standin.World, person: Callable[..., User]
) -> None:
    del world.sales["laden:2"]
    check(running)
    case = ExceptionCase.objects.get()
    case.state, case.closed_at = "DISMISSED", timezone.now()
    case.close_code, case.close_reason = "OTHER", "looked at"
    case.save()
    case.subjects.update(open=False)
    tally = check(running)
    assert (tally.differing, open_cases()) == (1, [])


def test_a_shop_that_fails_is_asked_again_from_where_it_stopped(
    running: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness, "SPELL", 0.0)
    tally = DayTally.objects.create(connection=running, day=DAY, due_at=LONG_AGO)
    completeness.work()
    tally.refresh_from_db()
    assert ([row[0] for row in tally.listed], tally.token) == (["1", "2"], "2")
    world.broken = RetryLater(say("away"))
    completeness.work()
    tally.refresh_from_db()
    assert (tally.failures, tally.token, tally.lease_token) == (1, "2", None)
    world.broken = None
    DayTally.objects.update(due_at=LONG_AGO)
    completeness.work()
    tally.refresh_from_db()
    assert (counts(tally)["there"], tally.due_at) == (3, None)


def test_an_erp_that_is_away_leaves_the_rest_compared(running: Connection, erp: Connection) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    tally = check(running)
    assert "erp" not in tally.figures
    assert (counts(tally)["here"], bool(tally.note), open_cases()) == (3, True, [])


def test_a_paused_shop_rests(running: Connection, world: standin.World) -> None:
    Connection.objects.filter(pk=running.pk).update(state="PAUSED")
    world.placed.append(standin.order(7))
    tally = check(running)
    assert (tally.checked_at, tally.due_at, bool(tally.note)) == (None, None, True)


def test_test_orders_of_a_live_shop_are_not_missed(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7, test=True))
    Connection.objects.update(mode="LIVE")
    assert not whats(check(running))


def test_nights_compare_three_days_and_what_is_still_open(running: Connection, world: standin.World) -> None:
    world.placed.append(standin.order(7))
    check(running)
    DayTally.objects.update(day="2026-01-01")
    assert completeness.nightly() == {"days": 3}
    assert DayTally.objects.filter(due_at__isnull=False).count() == 4


def test_polling_again_never_skips_ahead(running: Connection) -> None:
    PollState.objects.update(since="2026-11-01T00:00:00Z")
    polling.poll_again(running, "orders", since=completeness.span(DAY)[0])
    assert PollState.objects.filter(stream="orders", since="2026-11-01T00:00:00Z").count() == 1


def test_pages_that_overlap_count_an_order_once(running: Connection, world: standin.World) -> None:
    world.placed.append(world.placed[0])
    assert counts(check(running))["there"] == 3
