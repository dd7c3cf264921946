"""The plan of a run under fire: repeatable by its seed, and as much of everything as asked for."""

from __future__ import annotations

from collections import Counter

from chaos import plan


def test_a_seed_makes_the_plan_repeatable() -> None:
    assert plan.draw(50, 9, 7) == plan.draw(50, 9, 7)
    assert plan.draw(50, 9, 7) != plan.draw(50, 9, 8)


def test_there_is_as_much_of_everything_as_asked_for() -> None:
    drawn = plan.draw(1000, 60, 7)
    customers = Counter(step.what for step in drawn.customers)
    nemesis = Counter(step.what for step in drawn.nemesis)
    assert customers["place"] + customers["misplace"] == 1000
    assert min(customers[what] for what in ("double", "note", "cancel", "misplace")) > 0
    assert (nemesis["kill"], nemesis["crash"], nemesis["pause"]) == (60, 5, 12)
    assert {step.whom for step in drawn.nemesis if step.what == "kill"} == set(plan.VICTIMS)


def test_every_run_crashes_the_database_and_pauses_a_process_at_least_once() -> None:
    nemesis = Counter(step.what for step in plan.draw(5, 1, 1).nemesis)
    assert min(nemesis[what] for what in ("kill", "crash", "pause", "outage")) == 1


def test_an_order_is_placed_before_it_is_changed() -> None:
    drawn = plan.draw(300, 10, 3)
    placed: set[int] = set()
    for step in drawn.customers:
        if step.what in ("place", "misplace"):
            placed.add(step.number)
        else:
            assert step.number in placed
    assert [step.at for step in drawn.customers] == sorted(step.at for step in drawn.customers)
