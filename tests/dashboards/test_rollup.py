"""Figures by the hour and the day: the same as the rows they were counted from, however often and late they are counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_hub.backoffice.spread import BASE, Spread, together
from integration_hub.dashboards import rollup, traffic
from integration_hub.models import Attempt, Figure, InboundEvent, OutboundCommand, User
from integration_hub.models.figure import Span
from tests.dashboards.filled import Filled

HOUR = timedelta(hours=1)


def hours(what: str, **also: Any) -> int:
    return Figure.objects.filter(span=Span.HOUR, what=what, **also).aggregate(n=Sum("number"))["n"] or 0


@pytest.mark.django_db
def test_what_is_counted_is_what_there_is(filled: Filled) -> None:
    rollup.run()
    assert hours("received") == InboundEvent.objects.count() > 0
    assert hours("in", connection=filled.shop) == InboundEvent.objects.exclude(finished_at=None).count()
    assert hours("tries") == Attempt.objects.count()
    done = OutboundCommand.objects.filter(verb="sale.write", state="DONE").count()
    assert hours("out", key="sale.write") - _parked("out") == done == hours("delay") > 0
    assert _parked("in") == InboundEvent.objects.filter(state="PARKED").count() == 1


def _parked(what: str) -> int:
    return Figure.objects.filter(span=Span.HOUR, what=what).aggregate(n=Sum("marked"))["n"] or 0


@pytest.mark.django_db
def test_counting_again_changes_nothing(filled: Filled) -> None:
    def seen() -> list[Any]:
        names = ("span", "at", "what", "key", "connection", "number", "marked", "worst_ms", "buckets")
        return list(Figure.objects.order_by("span", "at", "what", "key", "connection").values_list(*names))

    rollup.run()
    once = seen()
    rollup.run()
    assert seen() == once


@pytest.mark.django_db
def test_hours_that_nobody_counted_follow_and_settled_ones_are_left_alone(filled: Filled) -> None:
    now = timezone.now()
    earlier = now - 30 * HOUR
    InboundEvent.objects.update(received_at=earlier, finished_at=earlier + timedelta(seconds=2))
    first = rollup.count_due(now, budget=0.0)
    assert first.hours == 48
    assert first.left > 0
    assert rollup.count_due(now).left == 0
    assert hours("received") == InboundEvent.objects.count()
    due = rollup.due_hours(now)
    assert due[0] == now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    assert len(due) <= 2
    InboundEvent.objects.update(received_at=now)  # moves nothing in an hour that is settled
    rollup.count_due(now)
    assert Figure.objects.get(what="received", span=Span.HOUR, at__lt=earlier).number == InboundEvent.objects.count()


@pytest.mark.django_db
def test_a_day_is_the_sum_of_its_hours_by_the_merchants_clock(filled: Filled) -> None:
    autumn = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # 23:30 of the day with 25 hours
    InboundEvent.objects.update(finished_at=autumn, received_at=autumn - timedelta(seconds=4))
    rollup.count_hours(autumn.replace(minute=0) - 29 * HOUR, autumn.replace(minute=0), timezone.now())
    day = rollup.day_of(autumn)
    assert day == datetime(2026, 10, 24, 22, tzinfo=UTC)
    rollup.add_up(day)
    (row,) = Figure.objects.filter(span=Span.DAY, what="in", at=day)
    assert (row.number, row.worst_ms) == (InboundEvent.objects.count(), 4000)
    assert sum(row.buckets.values()) == row.number
    assert Figure.objects.get(span=Span.DAY, what=rollup.MARK, at=day).number == 25


@pytest.mark.django_db
def test_an_order_let_go_by_a_person_waits_from_then_on(filled: Filled) -> None:
    command = OutboundCommand.objects.filter(verb="sale.write", state="DONE").earliest("pk")
    event = InboundEvent.objects.filter(state="DONE").earliest("pk")
    start = timezone.now().replace(minute=10, second=0, microsecond=0) - HOUR
    InboundEvent.objects.filter(pk=event.pk).update(received_at=start - 48 * HOUR, finished_at=start - 48 * HOUR)
    OutboundCommand.objects.filter(pk=command.pk).update(created_at=start, finished_at=start + timedelta(seconds=3))
    rollup.count_hours(start.replace(minute=0), start.replace(minute=0), timezone.now())
    assert Figure.objects.get(span=Span.HOUR, what="delay", at=start.replace(minute=0)).worst_ms == 3000


@pytest.mark.django_db
def test_the_room_shows_each_process_with_errors_and_delays(filled: Filled, person: Callable[..., User]) -> None:
    rollup.run()
    lines = {(line.connection.slug, line.process): line for line in traffic.lines()}
    sale = lines["erp", "sale.write"]
    assert sale.whole_way
    assert sale.tries == Attempt.objects.filter(command__verb="sale.write").count()
    assert sale.errors == Attempt.objects.filter(command__verb="sale.write", outcome="REFUSED").count() == 1
    assert lines["laden", ""].errors == 1
    client = Client()
    client.force_login(person("operations"))
    for period in ("day", "week", "month", "nonsense"):
        page = client.get(reverse("start_page", args=["operations"]), {"period": period})
        assert [chart.code for chart in page.context["charts"]] == ["orders", "worked", "tries", "delay"]
        worked = page.context["charts"][1]
        assert worked.number == sum(line.number for line in lines.values())
        assert all(client.get(line.url).status_code == 200 for line in lines.values())


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_percentiles_are_near_the_truth_and_the_longest_exact(times: list[int], share: float) -> None:
    parts = [({str(math.floor(math.log(ms) / math.log(BASE))): 1}, ms) for ms in times]
    spread: Spread = together(parts)
    truth = sorted(times)[max(math.ceil(share * len(times)) - 1, 0)]
    found = spread.percentile(share)
    assert found is not None
    assert truth / BASE - 1 <= found <= truth * BASE + 1
    assert spread.worst_ms == max(times)
    assert found <= max(times)


def test_nothing_measured_is_nothing_said() -> None:
    assert Spread().p50 is None
    assert together([]).worst_ms is None
