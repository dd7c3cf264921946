"""Background jobs: a row for each, each once, whatever dies; same sent twice is one job; results are found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from exceptions import jobs, services
from exceptions.kinds import kind_of
from exceptions.models import ExceptionCase, Job, JobRow, RowState
from exceptions.services import Trouble
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import RetryLater
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, User
from orders.actions import MAP_PRODUCT
from orders.models import Order
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
Person = Callable[..., User]
TAKE, DISMISS = "exceptions.take", "exceptions.dismiss"


def many(shop: Connection, count: int) -> list[ExceptionCase]:
    troubles = [Trouble(kind="webhook_disabled", cause=f"w:{number}") for number in range(count)]
    return [services.open_case(trouble, shop, connection=shop) for trouble in troubles]


def begin(cases: list[ExceptionCase], by: User, action: str = TAKE, **data: str) -> Job:
    return jobs.for_cases(action, cases, by=by, data=data, key=uuid4())


def states(job: Job) -> dict[str, int]:
    return {state: number for state, number in jobs.counts(job).items() if number and state != "total"}


def test_many_go_to_the_background_and_are_found_again(joined: Connection, at_screen: AtScreen) -> None:
    cases = many(joined, jobs.AT_ONCE + 5)
    client = at_screen("operations", "anna")
    chosen = {"action": TAKE, "case": [case.pk for case in cases], "back": "tab=all"}
    page = client.post("/exceptions/bulk/", chosen, follow=True)
    job = Job.objects.get()
    assert page.request["PATH_INFO"] == f"/exceptions/jobs/{job.pk}/"
    assert page.context["shown"].running
    assert client.get(f"/exceptions/jobs/{job.pk}/progress/").json() == {
        "total": 25, "done": 20, "failed": 0, "waiting": 5, "stopped": 0,
    }  # fmt: skip
    assert "20/25" in client.get("/exceptions/jobs/").content.decode()
    pump.run("jobs")
    job.refresh_from_db()
    assert (states(job), job.finished_at is not None) == ({"done": 25}, True)
    assert not pump.is_due("jobs")
    assert client.get(f"/exceptions/jobs/{job.pk}/?state=failed").context["rows"] == []


def test_the_same_page_sent_twice_is_one_job(joined: Connection, at_screen: AtScreen) -> None:
    cases = many(joined, 3)
    client = at_screen("operations", "anna")
    sent = {"action": "exceptions.retry", "case": [case.pk for case in cases], "key": str(uuid4())}
    first, second = (client.post("/exceptions/bulk/", sent).headers["Location"] for _time in range(2))
    assert first == second
    assert (Job.objects.count(), JobRow.objects.count()) == (1, 3)
    assert Activity.objects.filter(action="exceptions.retry").count() == 3


def test_nobody_gets_into_somebody_elses_job_by_its_key(joined: Connection, at_screen: AtScreen) -> None:
    sent = {"action": TAKE, "case": [many(joined, 1)[0].pk], "key": str(uuid4())}
    at_screen("operations", "anna").post("/exceptions/bulk/", sent)
    assert at_screen("finance", "bert").post("/exceptions/bulk/", sent).status_code == 404


def test_everything_the_filter_shows_can_be_chosen(joined: Connection, at_screen: AtScreen) -> None:
    many(joined, 60)
    client = at_screen("operations", "anna")
    scene.unknown_product(1)
    sent = {"action": TAKE, "every": "1", "back": "tab=all&kind=webhook_disabled"}
    client.post("/exceptions/bulk/", sent)
    assert JobRow.objects.count() == 60


def test_a_row_that_kills_its_workers_is_put_aside(
    joined: Connection, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = many(joined, 2)
    job = begin(cases, person("operations"))
    poison = job.rows.get(case=cases[0])

    class Killed(BaseException):
        """What no handler catches."""

    real = perform

    def dies(action: Any, case: ExceptionCase, **given: Any) -> Any:
        if case.pk == cases[0].pk:
            raise Killed
        return real(action, case, **given)

    monkeypatch.setattr(jobs, "perform", dies)
    for _death in range(jobs.TRIES):
        JobRow.objects.filter(state="WAITING", pk=poison.pk).update(due_at="2020-01-01T00:00:00Z")
        with pytest.raises(Killed):
            jobs.work()
    JobRow.objects.filter(pk=poison.pk).update(due_at="2020-01-01T00:00:00Z")
    pump.run("jobs")
    poison.refresh_from_db()
    assert poison.state == RowState.FAILED
    assert states(job) == {"done": 1, "failed": 1}


def test_what_is_busy_is_tried_again_later(joined: Connection, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin(many(joined, 1), person("operations"))
    real, tries = perform, []

    def busy(*args: Any, **given: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise RetryLater("somebody else is at it")
        return real(*args, **given)

    monkeypatch.setattr(jobs, "perform", busy)
    monkeypatch.setattr("integration_hub.models.patience.TRIES", 1)
    for _time in range(3):
        JobRow.objects.update(due_at="2020-01-01T00:00:00Z")
        jobs.work()
    assert (states(job), len(tries)) == ({"done": 1}, 3)


def test_permissions_count_when_it_is_done(joined: Connection, person: Person) -> None:
    anna = person("operations", "anna")
    job = begin(many(joined, 2), anna)
    anna.groups.clear()
    pump.run("jobs")
    assert states(job) == {"failed": 2}


def test_a_job_can_be_stopped(joined: Connection, at_screen: AtScreen) -> None:
    cases = many(joined, 30)
    client = at_screen("operations", "anna")
    client.post("/exceptions/bulk/", {"action": TAKE, "case": [case.pk for case in cases]})
    job = Job.objects.get()
    assert at_screen("finance", "bert").post(f"/exceptions/jobs/{job.pk}/stop/").status_code == 403
    client.post(f"/exceptions/jobs/{job.pk}/stop/")
    pump.run("jobs")
    job.refresh_from_db()
    assert (states(job), job.finished_at is not None) == ({"done": 20, "stopped": 10}, True)


def test_one_fix_lets_many_orders_run_in_the_background(
    joined: Connection, person: Person, at_screen: AtScreen
) -> None:
    case = scene.unknown_product(*range(1, 26))
    variant = scene.teapot()
    perform(MAP_PRODUCT, case, by=person("operations", "anna"), data={"sku": variant.sku})
    job = Job.objects.get()
    assert (job.case, states(job)) == (case, {"waiting": 25})
    assert Order.objects.filter(state="HELD").count() == 25
    page = at_screen("operations", "bert").get(f"/exceptions/{case.pk}/").content.decode()
    assert f"/exceptions/jobs/{job.pk}/" in page
    pump.run("jobs")
    case.refresh_from_db()
    assert (states(job), case.state, case.closed_by) == ({"done": 25}, "SOLVED", User.objects.get(username="anna"))
    assert Order.objects.filter(state="ACCEPTED").count() == 25


def test_what_is_still_wrong_afterwards_is_said(joined: Connection, person: Person) -> None:
    case = scene.unknown_product(*range(1, 25))
    assert kind_of(case.kind).rerun(case) == 24
    job = Job.objects.get()
    pump.run("jobs")
    assert states(job) == {"failed": 24}
    assert {row.text["msgid"] for row in job.rows.all()} == {"It was processed again; the cause is still there."}


def test_running_again_while_it_runs_adds_no_second_job(joined: Connection) -> None:
    case = scene.unknown_product(*range(1, 25))
    assert kind_of(case.kind).rerun(case) == 24
    for _row in range(3):
        jobs.work()
    assert kind_of(case.kind).rerun(case) == 24
    assert (Job.objects.count(), JobRow.objects.filter(state="WAITING").count()) == (1, 24)


def test_the_list_of_jobs_is_a_fixed_number_of_queries(
    joined: Connection, person: Person, at_screen: AtScreen, django_assert_max_num_queries: Any
) -> None:
    cases, anna = many(joined, 2), person("operations", "anna")
    for _job in range(8):
        begin(cases, anna)
    client = at_screen("operations", "bert")
    client.get("/exceptions/jobs/")
    with django_assert_max_num_queries(12):
        assert client.get("/exceptions/jobs/").status_code == 200
