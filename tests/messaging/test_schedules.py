"""What is done by the clock: once, whoever is there to do it, and again after whatever went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from integration_hub.messaging import pump, schedules
from integration_hub.messaging.schedules import Task
from integration_hub.models import Duty
from tests.concurrency.together import together
from tests.spine import LONG_AGO, open_kinds

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``tasks(run, ...)`` leaves only this duty, due now."""
    monkeypatch.setattr(schedules, "_tasks", {})

    def only(run: Callable[[], dict[str, Any]], **more: Any) -> None:
        Duty.objects.all().delete()
        schedules.register([Task(name="ours", label="ours", run=run, **more)])
        schedules.prepare()
        Duty.objects.update(due_at=LONG_AGO)

    return only


def counted(done: list[int]) -> Callable[[], dict[str, Any]]:
    """A duty that writes down each time it is done."""

    def run() -> dict[str, Any]:
        done.append(1)
        return {}

    return run


def test_every_task_has_its_row_after_a_migration() -> None:
    assert set(Duty.objects.values_list("name", flat=True)) == {task.name for task in schedules.tasks()}


def test_a_due_duty_is_done_once_and_then_waits(tasks: Callable[..., None]) -> None:
    tasks(lambda: {"did": "it"}, every=timedelta(hours=1))
    assert pump.is_due("duty")
    assert [schedules.work(), schedules.work()] == [1, 0]
    duty = Duty.objects.get()
    assert (duty.last_result, duty.lease_token, duty.failures) == ({"did": "it"}, None, 0)
    assert timedelta(minutes=59) < duty.due_at - timezone.now() <= timedelta(hours=1)
    assert not pump.is_due("duty")


def test_what_was_missed_for_days_is_done_once(tasks: Callable[..., None]) -> None:
    done: list[int] = []
    tasks(counted(done), every=timedelta(minutes=1))
    Duty.objects.update(due_at=timezone.now() - timedelta(days=9))
    while schedules.work():
        pass
    assert done == [1]


@pytest.mark.django_db(transaction=True)
def test_many_workers_do_it_once(tasks: Callable[..., None]) -> None:
    done: list[int] = []
    tasks(counted(done), every=timedelta(hours=1))
    together(*[schedules.work] * 6)
    assert done == [1]


def test_a_worker_that_died_with_it_is_followed_by_another(tasks: Callable[..., None]) -> None:
    def dies() -> dict[str, Any]:
        raise SystemExit

    tasks(dies)
    with pytest.raises(SystemExit):
        schedules.work()
    held = Duty.objects.get()
    assert held.lease_token is not None
    assert not pump.is_due("duty")
    schedules.register([Task(name="ours", label="ours", run=lambda: {"well": True})])
    Duty.objects.update(due_at=LONG_AGO)
    assert schedules.work() == 1
    assert Duty.objects.get().last_result == {"well": True}


def test_a_late_worker_changes_nothing(tasks: Callable[..., None]) -> None:
    def overtaken() -> dict[str, Any]:
        Duty.objects.update(lease_token=None, due_at="2040-01-01T00:00:00Z", last_result={"by": "another"})
        return {"by": "me"}

    tasks(overtaken)
    schedules.work()
    assert Duty.objects.get().last_result == {"by": "another"}


def test_a_mistake_is_a_case_until_it_works_again(tasks: Callable[..., None]) -> None:
    def broken() -> dict[str, Any]:
        return {"x": 1 // 0}

    tasks(broken)
    schedules.work()
    duty = Duty.objects.get()
    assert (duty.failures, duty.lease_token, open_kinds()) == (1, None, {"defect"})
    assert duty.due_at > timezone.now()
    schedules.register([Task(name="ours", label="ours", run=dict)])
    Duty.objects.update(due_at=LONG_AGO)
    schedules.work()
    assert (Duty.objects.get().failures, open_kinds()) == (0, set())


def test_a_duty_nobody_knows_any_more_goes(tasks: Callable[..., None]) -> None:
    tasks(dict)
    Duty.objects.create(name="of an earlier version", due_at="2019-01-01T00:00:00Z")
    schedules.work()
    assert list(Duty.objects.values_list("name", flat=True)) == ["ours"]


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (datetime(2026, 11, 21, 1, 0, tzinfo=UTC), datetime(2026, 11, 21, 2, 0, tzinfo=UTC)),
        (datetime(2026, 11, 21, 2, 0, tzinfo=UTC), datetime(2026, 11, 22, 2, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
    ids=["today", "tomorrow", "over the change to summer time"],
)
def test_a_time_of_day_is_the_merchants(now: datetime, wanted: datetime) -> None:
    nightly = Task(name="nightly", label="nightly", at=time(3), run=dict)
    assert nightly.next_after(now) == wanted
