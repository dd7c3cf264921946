"""How well exceptions are dealt with: each figure is what the rows say, on the page and in /metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from exceptions import services
from exceptions.figures import dealt
from exceptions.models import ExceptionCase
from integration_hub.api.metrics import Figures
from integration_hub.dashboards import rollup
from integration_hub.models import FirstLook, InboundEvent, User
from tests.dashboards.filled import Filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(filled: Filled) -> ExceptionCase:
    return ExceptionCase.objects.open().filter(kind="totals_disagree").get()


def looking(person: Callable[..., User], role: str, case: ExceptionCase) -> Client:
    client = Client()
    client.force_login(person(role))
    assert client.get(reverse("exception", args=[case.pk])).status_code == 200
    return client


def test_only_the_first_look_is_kept(case: ExceptionCase, person: Callable[..., User]) -> None:
    looking(person, "finance", case)
    looking(person, "auditor", case)
    (row,) = FirstLook.objects.all()
    assert (row.subject_id, row.by.username) == (case.pk, "finance")


def test_times_are_those_of_the_rows(case: ExceptionCase, person: Callable[..., User]) -> None:
    now = timezone.now()
    begun = now - timedelta(hours=3)
    InboundEvent.objects.update(received_at=begun - timedelta(seconds=40))
    ExceptionCase.objects.filter(pk=case.pk).update(first_seen_at=begun)
    case.subjects.update(added_at=begun)
    looking(person, "finance", case)
    FirstLook.objects.update(at=begun + timedelta(minutes=10))
    services._close(case, "SOLVED")  # type: ignore[arg-type]
    ExceptionCase.objects.filter(pk=case.pk).update(closed_at=begun + timedelta(hours=1))
    rollup.count_due(now)
    _total, kinds = dealt(7)
    (one,) = [kind for kind in kinds if kind.kind == "totals_disagree"]
    assert (one.opened, one.looked, one.closed, one.by_themselves, one.again) == (1, 1, 1, 1, 0)
    assert [spread.worst_ms for _step, spread in one.steps] == [40_000, 600_000, 3_600_000]


def test_what_a_person_closed_did_not_close_by_itself(case: ExceptionCase, person: Callable[..., User]) -> None:
    ExceptionCase.objects.filter(pk=case.pk).update(
        state="SOLVED", closed_at=timezone.now(), closed_by=person("finance")
    )
    rollup.count_due(timezone.now())
    total, _kinds = dealt(7)
    assert (total.closed, total.by_themselves) == (1, 0)
    assert total.share_by_themselves == 0


def test_the_same_trouble_again_within_thirty_days_is_counted(case: ExceptionCase) -> None:
    now = timezone.now()
    for days, again in ((20, True), (40, False)):
        past = now - timedelta(days=days)
        ExceptionCase.objects.filter(pk=case.pk).update(state="SOLVED", closed_at=past, first_seen_at=past)
        made = ExceptionCase.objects.create(
            kind=case.kind, cause=case.cause, role=case.role, due_at=now, connection=case.connection
        )
        rollup.count_due(now)
        found = {one.kind: one for one in dealt(7)[1]}[case.kind]
        assert (found.opened, found.again) == (1, int(again))
        made.delete()


def test_the_page_and_the_metrics_say_the_same(case: ExceptionCase, person: Callable[..., User]) -> None:
    client = looking(person, "operations", case)
    rollup.run()
    page = client.get(reverse("case_figures"))
    (row,) = [one for one in page.context["kinds"] if one.kind == case.kind]
    assert row.opened == 1
    text = _scraped()
    assert f'hub_exceptions_opened_30d{{kind="{case.kind}"}} 1.0' in text
    assert f'hub_exception_seconds_30d{{kind="{case.kind}",quantile="0.5",step="look"}}' in text
    assert client.get(reverse("case_figures"), {"period": "nonsense"}).context["period"] == "month"
    file: Any = client.get(reverse("case_figures"), {"export": "csv"})
    assert b"".join(file.streaming_content).count(b"\r\n") == len(page.context["kinds"]) + 1


def _scraped() -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return generate_latest(registry).decode()


def test_an_empty_hub_says_what_will_appear(person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(person("auditor"))
    page = client.get(reverse("case_figures")).content.decode()
    assert 'class="hub-empty"' in page
