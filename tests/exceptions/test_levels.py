"""Service levels: severity by amount, hours by kind and severity, in the team's working time; settings reach open cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from exceptions import levels, services
from exceptions.kinds import kind_of
from exceptions.models import AmountLimit, ExceptionCase, ServiceLevel, Severity, WorkCalendar
from exceptions.services import Trouble
from integration_hub.messaging import schedules
from integration_hub.models import Activity, Connection, Duty
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
WEDNESDAY = datetime.fromisoformat("2026-11-25T09:00:00+00:00")


def due(severity: Severity = Severity.NORMAL, kind: str = "unknown_product") -> datetime:
    return levels.Book().due(kind_of(kind), severity, "operations", WEDNESDAY)


def test_without_settings_the_kinds_own_time_holds_in_working_hours() -> None:
    assert due() == WEDNESDAY + timedelta(hours=4)
    late = levels.Book().due(kind_of("unknown_product"), Severity.NORMAL, "operations", WEDNESDAY.replace(hour=15))
    assert late == datetime.fromisoformat("2026-11-26T10:00:00+00:00")


def test_the_most_exact_level_counts() -> None:
    set_: list[dict[str, Any]] = [
        {"hours": 7},
        {"severity": Severity.HIGH, "hours": 3},
        {"kind": "unknown_product", "hours": 2},
        {"kind": "unknown_product", "severity": Severity.CRITICAL, "hours": 1},
    ]
    for row in set_:
        ServiceLevel.objects.create(**row)
    hours = {severity: (due(severity) - WEDNESDAY) / timedelta(hours=1) for severity in Severity}
    assert hours == {Severity.NORMAL: 2, Severity.HIGH: 2, Severity.CRITICAL: 1}
    assert due(Severity.HIGH, "customer_unclear") - WEDNESDAY == timedelta(hours=3)
    assert due(kind="customer_unclear") - WEDNESDAY == timedelta(hours=7)


def test_around_the_clock_means_it() -> None:
    ServiceLevel.objects.create(hours=30, around_the_clock=True)
    assert due() == WEDNESDAY + timedelta(hours=30)


def test_each_team_has_its_own_hours() -> None:
    WorkCalendar.objects.create(role="", opens=time(8), closes=time(12))
    WorkCalendar.objects.create(role="operations", days="123456", opens=time(0), closes=time(11))
    book = levels.Book()
    assert book.work_time("operations").closes == time(11)
    assert book.work_time("finance").closes == time(12)


def test_a_state_that_the_country_has_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="BY"):
        WorkCalendar(country="DE", state="ZZ").clean()
    with pytest.raises(ValidationError):
        WorkCalendar(country="ZZ").clean()
    WorkCalendar(country="de", state="by").clean()


def test_one_level_for_each_kind_and_severity() -> None:
    ServiceLevel.objects.create(hours=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceLevel.objects.create(hours=2)


@pytest.mark.parametrize(
    ("amount", "severity"), [("249.99", Severity.NORMAL), ("250", Severity.HIGH), ("2500", Severity.CRITICAL)]
)
def test_severity_grows_with_the_amount(amount: str, severity: Severity) -> None:
    assert levels.Book().severity(kind_of("unknown_product"), Decimal(amount), "EUR") == severity


def test_every_currency_has_its_own_limits() -> None:
    AmountLimit.objects.create(currency="PLN", high_from=1000, critical_from=10000)
    book, kind = levels.Book(), kind_of("unknown_product")
    assert book.severity(kind, Decimal(999), "PLN") == Severity.NORMAL
    assert book.severity(kind, Decimal(10_000), "JPY") == Severity.NORMAL  # yen have no cents
    assert book.severity(kind, Decimal(25_000), "JPY") == Severity.HIGH


def test_more_orders_of_one_cause_make_it_severer_and_sooner_due(joined: Connection) -> None:
    AmountLimit.objects.create(currency="EUR", high_from=50, critical_from=80)
    for severity, hours in ((Severity.NORMAL, 8), (Severity.HIGH, 4), (Severity.CRITICAL, 1)):
        ServiceLevel.objects.create(severity=severity, hours=hours, around_the_clock=True)
    seen = []
    for number in (1, 2, 3):  # 28.70 EUR each
        case = scene.unknown_product(number)
        seen.append((case.severity, round((case.due_at - case.first_seen_at) / timedelta(hours=1))))
    assert seen == [(1, 8), (2, 4), (3, 1)]


def test_settings_reach_open_cases_in_the_background(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    schedules.prepare()
    client = at_screen("administrator")
    given = {"kind": "unknown_product", "severity": "", "hours": "2", "around_the_clock": "on"}
    answer = client.post("/admin/exceptions/servicelevel/add/", given)
    assert answer.status_code == 302, answer.context["errors"]
    assert Activity.objects.filter(action="exceptions.set").exists()
    assert Duty.objects.get(name=levels.DUTY).due_at <= timezone.now()
    Duty.objects.exclude(name=levels.DUTY).update(due_at="2040-01-01T00:00:00Z")  # one duty at a time is worked
    schedules.work()
    case.refresh_from_db()
    assert case.due_at == case.first_seen_at + timedelta(hours=2)
    assert levels.weigh_all() == {"cases": 0}


def test_a_deadline_from_outside_is_not_moved(joined: Connection) -> None:
    deadline = timezone.now() + timedelta(days=5)
    case = services.open_case(Trouble(kind="unknown_product", cause="x", due_at=deadline), joined)
    ServiceLevel.objects.create(hours=1)
    levels.weigh_all()
    case.refresh_from_db()
    assert (case.due_at, case.due_fixed) == (deadline, True)


def test_settings_are_the_administrators(joined: Connection, at_screen: AtScreen) -> None:
    for role, status in (("administrator", 200), ("finance", 403), ("operations", 403), ("marketing", 403)):
        client = at_screen(role)
        for model in ("servicelevel", "workcalendar", "amountlimit"):
            assert client.get(f"/admin/exceptions/{model}/add/").status_code == status, (role, model)
            listed = client.get(f"/admin/exceptions/{model}/").status_code
            assert listed == (403 if role == "marketing" else 200), (role, model)


def test_weighing_many_is_a_few_statements(joined: Connection, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        services.open_case(Trouble(kind="webhook_disabled", cause=f"w:{number}"), joined, connection=joined)
    ServiceLevel.objects.create(hours=1)
    with django_assert_max_num_queries(14):
        assert levels.weigh_all() == {"cases": 20}
    assert ExceptionCase.objects.values("due_at").count() == 20
