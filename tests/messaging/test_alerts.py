"""Alerts: every kind of exception is told by construction, once per cause, to those who may know, and until it arrives."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from exceptions import services as cases
from exceptions.kinds import all_kinds
from exceptions.services import Trouble
from integration_hub import wiring
from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.words import words as said
from integration_hub.messaging.alerts import actions, rules, schedule, watch, words
from integration_hub.models import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AlertRule,
    AlertSubscription,
    Connection,
    FigureSample,
    User,
)
from integration_hub.models.alert import Condition, Urgency
from tests.messaging.alerting import channel, trouble

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_kinds() -> None:
    """The figures of the tests' own hub (nobody works its lanes) are told in tests of their own."""
    AlertRule.objects.filter(condition__in=rules.OVER_FIGURES).update(enabled=False)


def test_every_kind_of_exception_has_a_rule_that_leads_to_its_team() -> None:
    told = {rule.subject: rule for rule in AlertRule.objects.filter(condition=Condition.OPENED)}
    for kind in wiring.KINDS:
        rule = told[kind.code]
        assert rule.enabled
        assert rule.role == kind.role
        assert (rule.urgency == Urgency.DIGEST) is (kind.due > rules.SAME_DAY)
        assert rule.urgency == Urgency.DIGEST or rule.escalate_to
        assert kind.role in rules.roles_that_see(rules.permission(rule))


def test_whatever_kind_is_opened_its_team_is_told(shop: Connection) -> None:
    by_role = {role: channel(role) for role in {kind.role for kind in all_kinds()}}
    opened = {kind.code: trouble(shop, kind.code, f"cause of {kind.code}") for kind in all_kinds()}
    watch.look()
    for kind in all_kinds():
        alert = Alert.objects.get(case_id=opened[kind.code].pk, rule__condition=Condition.OPENED)
        if alert.rule.urgency != Urgency.DIGEST:
            assert AlertDelivery.objects.filter(channel=by_role[kind.role], about__contains=alert.pk).exists(), (
                kind.code
            )
    assert watch.look()["new"] == 0


def test_a_title_holds_only_gaps_that_name_things() -> None:
    hidden = {"account", "details", "fields", "name"}
    found = {gap for kind in all_kinds() for gap in words.gaps(str(kind.title))}
    assert found - words.HARMLESS <= hidden, "name the gap in words.HARMLESS if it never holds personal data, else here"


def test_an_alert_holds_nothing_personal(shop: Connection) -> None:
    case = trouble(shop, "unknown_product", "p", sku="TK erika@example.com", name="Erika Mustermann")
    assert said(words.of_case(case)) == "Artikel TK ••• ist unbekannt"
    case = trouble(shop, "statement_gap", "s", number="7", account="DE02120300000000202051")
    assert "DE02" not in said(words.of_case(case))


def test_one_cause_is_told_once_and_counted(shop: Connection, erp: Connection) -> None:
    listener = channel()
    case = trouble(shop, "defect", "same")
    watch.look()
    trouble(erp, "defect", "same")
    watch.look()
    alert = Alert.objects.get(case_id=case.pk)
    assert (alert.count, AlertDelivery.objects.filter(channel=listener).count()) == (2, 1)


def test_what_flaps_is_the_same_alert(shop: Connection) -> None:
    channel()
    trouble(shop, "defect", "flaps")
    watch.look()
    cases.clear(shop, causes=["flaps"])
    assert watch.look()["over"] == 1
    again = trouble(shop, "defect", "flaps")
    watch.look()
    alert = Alert.objects.get()
    assert (alert.state, alert.count, alert.case_id) == ("OPEN", 2, again.pk)
    assert AlertDelivery.objects.count() == 1


def test_many_at_once_are_one_message(shop: Connection) -> None:
    channel()
    for number in range(watch.TOGETHER + 3):
        trouble(shop, "defect", f"cause {number}")
    watch.look()
    assert len(AlertDelivery.objects.get().about) == watch.TOGETHER + 3


def test_nobody_took_it_so_those_above_are_told_once(shop: Connection, person: Any) -> None:
    above = channel("administrator")
    trouble(shop, "defect", "forgotten")
    taken = trouble(shop, "defect", "taken")
    watch.look()
    perform(actions.TAKE, Alert.objects.get(case_id=taken.pk), by=person("integrator"))
    Alert.objects.update(first_at=timezone.now() - timedelta(days=2))
    assert watch.look()["escalated"] == 1
    assert watch.look()["escalated"] == 0
    (row,) = AlertDelivery.objects.filter(channel=above)
    assert row.occasion == "ESCALATED"
    taken.refresh_from_db()
    assert taken.assignee == User.objects.get(username="integrator")


def test_whom_a_rule_reaches(shop: Connection) -> None:
    rule = AlertRule.objects.get(subject="defect", condition="OPENED")
    own, other, off = channel("integrator"), channel("finance"), channel("integrator", enabled=False)
    outside = channel("marketing")
    assert rules.listeners(rule, rule.role) == [own]
    AlertSubscription.objects.create(channel=own, rule=rule, wanted=False)
    for one in (other, off, outside):
        AlertSubscription.objects.create(channel=one, rule=rule, wanted=True)
    assert rules.listeners(rule, rule.role) == [other]


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),
    st.times(),
    st.times(),
    st.booleans(),
)
def test_what_waits_for_the_end_of_the_quiet_hours_goes_out_soon(
    moment: datetime, start: time, end: time, weekend: bool
) -> None:
    start, end = start.replace(microsecond=0), end.replace(microsecond=0)
    here = AlertChannel(quiet_from=start, quiet_until=end, quiet_weekend=weekend)
    asked = moment.replace(tzinfo=UTC)
    due = schedule.due(here, Urgency.SOON, asked)
    assert asked <= due <= asked + timedelta(days=4)
    assert schedule.due(here, Urgency.NOW, asked) == asked
    local = timezone.localtime(due)
    if due != asked:
        assert local.time() in (end, time(0))
    if weekend:
        assert local.weekday() < 5


def test_the_night_is_quiet() -> None:
    here = AlertChannel(quiet_from=time(22), quiet_until=time(7))
    late = datetime(2026, 11, 20, 22, 30, tzinfo=timezone.get_default_timezone())
    assert schedule.due(here, Urgency.SOON, late) == late + timedelta(hours=8, minutes=30)
    assert schedule.due(here, Urgency.SOON, late + timedelta(hours=2)) == late + timedelta(hours=8, minutes=30)
    assert schedule.due(here, Urgency.SOON, late - timedelta(hours=1)) == late - timedelta(hours=1)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A figure that is what the test says."""
    now: dict[str, Any] = {"value": 0}
    figure = rules.Figure(code="heat", label="Heat", unit="K", permission=rules.CASES, measure=lambda: now["value"])
    monkeypatch.setattr(rules, "_figures", {"heat": figure})
    return now


@pytest.mark.parametrize(
    ("condition", "limit", "well", "ill"),
    [("ABOVE", 15, 15, 16), ("BELOW", 3, 3, 2), ("SILENT", 60, 60, 61)],
)
def test_a_figure_beyond_its_limit_is_an_alert_until_it_is_well(
    measured: dict[str, Any], condition: str, limit: int, well: int, ill: int
) -> None:
    rule = AlertRule.objects.create(subject="heat", condition=condition, limit=limit, urgency="NOW", role="operations")
    listener = channel("operations")
    for value, states in ((well, []), (ill, ["OPEN"]), (ill, ["OPEN"]), (well, ["OVER"])):
        measured["value"] = value
        watch.look()
        assert list(Alert.objects.filter(rule=rule).values_list("state", flat=True)) == states
    assert AlertDelivery.objects.filter(channel=listener).count() == 1
    assert Alert.objects.get(rule=rule).count == 2


def test_a_figure_that_is_not_known_is_no_alert(measured: dict[str, Any]) -> None:
    AlertRule.objects.create(subject="heat", condition="BELOW", limit=5, urgency="NOW", role="operations")
    measured["value"] = None
    assert watch.look()["new"] == 0


@pytest.mark.parametrize(
    ("condition", "before", "now", "told"),
    [("RISES", 10, 15, 1), ("RISES", 10, 14, 0), ("FALLS", 10, 5, 1), ("RISES", 0, 9, 0)],
)
def test_a_figure_that_changes_fast(measured: dict[str, Any], condition: str, before: int, now: int, told: int) -> None:
    rule = AlertRule.objects.create(
        subject="heat", condition=condition, limit=50, window=60, urgency="NOW", role="operations"
    )
    FigureSample.objects.create(rule=rule, value=before, at=timezone.now() - timedelta(minutes=61))
    measured["value"] = now
    assert watch.look()["new"] == told
    assert FigureSample.objects.filter(rule=rule).latest("at").value == now


def test_all_figures_can_be_measured() -> None:
    for figure in rules.figures().values():
        value = figure.measure()
        assert value is None or Decimal(str(value)) >= 0
        assert rules.roles_that_see(figure.permission)


def test_a_deadline_that_comes_near(shop: Connection) -> None:
    listener = channel("finance")
    soon = Trouble(
        kind="dispute_due", cause="d", params={"number": "dp_1"}, due_at=timezone.now() + timedelta(hours=40)
    )
    cases.open_case(soon, shop)
    far = Trouble(kind="dispute_due", cause="e", due_at=timezone.now() + timedelta(hours=90))
    cases.open_case(far, shop)
    watch.look()
    assert Alert.objects.filter(rule__condition="DEADLINE").count() == 1
    assert AlertDelivery.objects.filter(
        channel=listener, about__contains=Alert.objects.get(rule__condition="DEADLINE").pk
    ).exists()


def test_rules_that_people_changed_stay_as_they_are() -> None:
    AlertRule.objects.filter(subject="defect").update(enabled=False, urgency="DIGEST")
    AlertRule.objects.filter(subject="oversold").delete()
    rules.prepare()
    assert AlertRule.objects.filter(subject="defect", enabled=False, urgency="DIGEST").exists()
    assert AlertRule.objects.filter(subject="oversold", enabled=True).exists()


def test_a_rule_that_is_switched_off_tells_nobody(shop: Connection) -> None:
    AlertRule.objects.filter(subject="defect").update(enabled=False)
    trouble(shop, "defect", "x")
    assert watch.look()["new"] == 0
