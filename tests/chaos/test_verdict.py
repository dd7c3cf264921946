"""The verdict notices what it is there for: each of these books is wrong in one way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chaos import verdict
from chaos.facts import Erp, Facts, Held, Placed
from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.text import say
from integration_hub.models import Connection
from tests import spine, standin

TEN = Decimal("10.00")
PLACED = Placed("laden:1", cancelled=False, unpaid=False, total=TEN, note="")
SALE = Erp("5", "sale", TEN)
HELD = Held("ACCEPTED", TEN, "", "5", TEN, frozenset())

pytestmark = pytest.mark.django_db


def facts(placed: Placed | None = PLACED, held: Held | None = HELD, *sales: Erp, **more: Any) -> Facts:
    return Facts(
        placed={"laden:1": placed} if placed else {},
        erp={"laden:1": list(sales)} if sales else {},
        parcels=more.get("parcels", Counter()),
        told=more.get("told", Counter()),
        receipts=more.get("receipts", set()),
        held={"laden:1": held} if held else {},
        twice_here=more.get("twice_here", 0),
    )


def judge(found: Facts, **more: Any) -> tuple[tuple[int, int, int], set[str]]:
    """The three figures, and the invariants that are broken."""
    given: dict[str, Any] = {"planted": (), "noted": (), "longest_idle": 0.0}
    seen = verdict.judge(found, **(given | more))
    broken = {invariant.says for invariant in seen.invariants if invariant.broken}
    assert seen.holds is (broken == set() and (seen.lost, seen.doubled, seen.stuck) == (0, 0, 0))
    return (seen.lost, seen.doubled, seen.stuck), broken


def only(broken: set[str]) -> str:
    (found,) = broken
    return found


def test_books_that_agree_break_nothing() -> None:
    assert judge(facts(PLACED, HELD, SALE)) == ((0, 0, 0), set())


@pytest.mark.parametrize(
    "found",
    [
        facts(PLACED, None),
        facts(PLACED, HELD),
        facts(PLACED, HELD, replace(SALE, state="cancel")),
        facts(PLACED, HELD, replace(SALE, state="draft")),
        facts(replace(PLACED, unpaid=True), HELD, SALE),
    ],
    ids=["not here", "not there", "cancelled there", "a draft there", "written although unpaid"],
)
def test_what_is_not_where_it_should_be_is_lost(found: Facts) -> None:
    figures, broken = judge(found)
    assert (figures, only(broken)[:11]) == ((1, 0, 0), "every order")


@pytest.mark.parametrize(
    "found",
    [
        facts(PLACED, HELD, SALE, replace(SALE, id="6")),
        facts(PLACED, HELD, SALE, twice_here=1),
        facts(PLACED, HELD, SALE, told=Counter({(1, "Nr. S5"): 2})),
    ],
    ids=["there", "here", "told"],
)
def test_twice_is_doubled(found: Facts) -> None:
    figures, broken = judge(found)
    assert (figures, only(broken)[:8]) == ((0, 1, 0), "no order")


def test_a_cancelled_order_that_is_live_in_the_erp_needs_a_case() -> None:
    cancelled, held = replace(PLACED, cancelled=True), replace(HELD, state="CANCELLED")
    assert only(judge(facts(cancelled, held, SALE))[1]).startswith("a cancelled order")
    assert judge(facts(cancelled, replace(held, cases=frozenset({"cancelled_after_export"})), SALE))[1] == set()
    assert judge(facts(cancelled, replace(held, sale="", sale_total=None)))[1] == set()


def test_another_total_or_note_in_the_shop_needs_a_case() -> None:
    dearer, noted = replace(PLACED, total=Decimal("20.00")), replace(PLACED, note="x")
    excused = replace(HELD, cases=frozenset({"edited_after_export"}))
    assert only(judge(facts(dearer, HELD, SALE))[1]).startswith("shop, hub and ERP agree")
    assert only(judge(facts(noted, HELD, SALE), noted={"laden:1"})[1]).startswith("a changed note")
    assert judge(facts(dearer, excused, SALE))[1] == judge(facts(noted, excused, SALE), noted={"laden:1"})[1] == set()


def test_another_total_in_the_erp_is_never_excused() -> None:
    excused = replace(HELD, cases=frozenset({"edited_after_export"}))
    assert only(judge(facts(PLACED, excused, replace(SALE, total=Decimal("9.99"))))[1]).startswith("shop, hub and ERP")


def test_cancelled_pieces_are_taken_from_the_sale_or_refused() -> None:
    less = replace(HELD, cancelled=Decimal("4.00"), cancelled_lines=1, sale_total=Decimal("6.01"))
    assert judge(facts(PLACED, less, replace(SALE, total=Decimal("6.01"))))[1] == set()
    both = replace(less, sale_total=TEN)
    assert only(judge(facts(PLACED, both, SALE))[1]).startswith("shop, hub and ERP")
    assert judge(facts(PLACED, replace(both, cases=frozenset({"target_refused"})), SALE))[1] == set()


@pytest.mark.parametrize(("there", "here"), [("4.00", None), ("4.00", "3.99"), (None, "4.00")])
def test_a_refund_is_here_once_with_its_amount(there: str | None, here: str | None) -> None:
    found = facts(PLACED, HELD, SALE)
    found.refunds = {"laden:1 7": Decimal(there)} if there else {}
    found.refunds_here = {"laden:1 7": Decimal(here)} if here else {}
    assert only(judge(found)[1]).startswith("every refund")


def test_a_special_case_that_waits_is_stuck() -> None:
    found = facts(PLACED, HELD, SALE)
    found.waiting = ("C-1 of laden:1 is RUNNING",)
    figures, broken = judge(found)
    assert (figures, only(broken)) == ((0, 0, 1), "no special case waits without a case")


def test_planted_trouble_and_nothing_else_is_a_case() -> None:
    held = replace(HELD, state="HELD", sale="", sale_total=None, cases=frozenset({"unknown_product"}))
    assert judge(facts(PLACED, held), planted={"laden:1"}) == ((0, 0, 0), set())
    assert "the cases about products are those of the orders planted for it" in judge(facts(PLACED, held))[1]


def test_a_webhook_that_was_acknowledged_and_not_stored_is_noticed() -> None:
    assert only(judge(facts(PLACED, HELD, SALE, receipts={"ab" * 32}))[1]).startswith("every webhook")


def test_a_transaction_that_waited_is_noticed() -> None:
    assert only(judge(facts(PLACED, HELD, SALE), longest_idle=2.0)[1]) == "no transaction waits for the network"
    assert only(judge(facts(PLACED, HELD, SALE), entangled=1)[1]) == "no transaction waits for the network"


def test_a_parcel_that_nobody_took_over_is_noticed() -> None:
    assert only(judge(facts(PLACED, HELD, SALE, parcels=Counter({"5": 1})))[1]).startswith("every parcel")


def test_an_event_that_waits_is_stuck(joined: Connection, world: standin.World) -> None:
    spine.say(joined, standin.order(1))
    figures, broken = judge(facts(PLACED, HELD, SALE))
    assert (figures, only(broken)) == ((0, 0, 1), "no event and no command waits or is leased")


def test_a_defect_is_noticed_even_after_it_was_closed(joined: Connection) -> None:
    trouble = Trouble(kind="defect", cause="event:1", params={}, expected=say("x"), found=say("y"))
    cases.open_case(trouble, joined, connection=joined)
    cases.clear(joined, causes=["event:1"])
    assert only(judge(facts(PLACED, HELD, SALE))[1]) == "no defect came up"
