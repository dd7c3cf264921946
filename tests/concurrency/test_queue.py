"""The queue under fire: two people close at once, the same bulk sent twice, several workers at one job, one killed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from exceptions import actions, approval_actions, jobs, services
from exceptions.models import AmountLimit, Approval, ExceptionCase, Job, JobRow
from exceptions.services import Trouble
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import HubError
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, User

from .together import elsewhere, together

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[..., User]
CLOSING = {"reason": "TEST", "why": "only a test"}


def many(shop: Connection, count: int) -> list[ExceptionCase]:
    troubles = [Trouble(kind="webhook_disabled", cause=f"w:{number}") for number in range(count)]
    return [services.open_case(trouble, shop, connection=shop) for trouble in troubles]


def test_two_people_close_at_once(shop: Connection, person: Person) -> None:
    people = [person("operations", "anna"), person("finance", "bert")]
    for case in many(shop, 5):
        said: list[str] = []

        def close(by: User, said: list[str] = said, case: ExceptionCase = case) -> None:
            try:
                perform(actions.DISMISS, case, by=by, data=CLOSING)
                said.append(by.username)
            except HubError as error:
                said.append(error.code)

        together(*[lambda by=by: close(by) for by in people])
        case.refresh_from_db()
        assert sorted(said) == sorted([case.closed_by.username if case.closed_by else "", "not_now"])
        assert Activity.objects.filter(action="exceptions.dismiss", subject_id=case.pk).count() == 1


def test_closing_and_the_cause_going_away_at_once(shop: Connection, person: Person) -> None:
    anna = person("operations", "anna")
    for case in many(shop, 6):

        def close(case: ExceptionCase = case) -> None:
            with contextlib.suppress(HubError):
                perform(actions.DISMISS, case, by=anna, data=CLOSING)

        together(close, lambda case=case: services.clear(shop, causes=[case.cause]))  # type: ignore[misc]
        case.refresh_from_db()
        assert case.state in ("DISMISSED", "SOLVED")
        assert not case.subjects.filter(open=True).exists()


def test_the_same_bulk_sent_twice_at_once(shop: Connection, person: Person) -> None:
    anna, cases, key = person("operations", "anna"), many(shop, 30), uuid4()

    def send() -> None:
        jobs.finish_now(jobs.for_cases("exceptions.retry", cases, by=anna, data={}, key=key))

    together(send, send, send)
    pump.run("jobs")
    assert (Job.objects.count(), JobRow.objects.filter(state="DONE").count()) == (1, 30)
    assert Activity.objects.filter(action="exceptions.retry").count() == 30
    assert Job.objects.get().finished_at


def test_several_workers_do_each_row_once(shop: Connection, person: Person) -> None:
    anna, cases = person("operations", "anna"), many(shop, 40)
    job = jobs.for_cases("exceptions.dismiss", cases, by=anna, data=CLOSING, key=uuid4())
    together(*[lambda: pump.run("jobs")] * 4)
    assert jobs.counts(job) == {"total": 40, "done": 40, "failed": 0, "waiting": 0, "stopped": 0}
    assert Activity.objects.filter(action="exceptions.dismiss").count() == 40
    job.refresh_from_db()
    assert job.finished_at


def test_a_worker_that_dies_in_the_middle_leaves_the_row_as_it_was(
    shop: Connection, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, cases = person("operations", "anna"), many(shop, 3)
    job = jobs.for_cases("exceptions.dismiss", cases, by=anna, data=CLOSING, key=uuid4())
    real, deaths = perform, [1]

    class Killed(BaseException):
        """What no handler catches: its transaction is rolled back, as the server does with that of a dead worker."""

    def dies(*args: Any, **given: Any) -> Any:
        done = real(*args, **given)
        if deaths:
            deaths.pop()
            raise Killed
        return done

    monkeypatch.setattr(jobs, "perform", dies)
    with pytest.raises(Killed):
        elsewhere(jobs.work)
    assert ExceptionCase.objects.filter(state="OPEN").count() == 3
    JobRow.objects.update(due_at="2020-01-01T00:00:00Z")
    pump.run("jobs")
    assert jobs.counts(job)["done"] == 3
    assert Activity.objects.filter(action="exceptions.dismiss").count() == 3


def test_approving_and_withdrawing_at_once(shop: Connection, person: Person) -> None:
    AmountLimit.objects.create(currency="EUR", alone_up_to=0)
    anna, bert = person("operations", "anna"), person("finance", "bert")
    for case in many(shop, 5):
        ExceptionCase.objects.filter(pk=case.pk).update(amount=5)
        perform(actions.DISMISS, case, by=anna, data=CLOSING)
        asked = Approval.objects.get(case=case)

        def act(action: Any, by: User, asked: Approval = asked) -> None:
            with contextlib.suppress(HubError):
                perform(action, asked, by=by)

        together(
            lambda act=act: act(approval_actions.APPROVE, bert),  # type: ignore[misc]
            lambda act=act: act(approval_actions.WITHDRAW, anna),  # type: ignore[misc]
        )
        case.refresh_from_db()
        asked.refresh_from_db()
        assert (asked.state, case.state) in (("APPROVED", "DISMISSED"), ("WITHDRAWN", "OPEN"))
