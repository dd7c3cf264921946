"""Alerts: every kind of exception is told by construction, once per cause, to those who may know, and until it arrives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from email import message_from_string
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from exceptions import services as cases
from exceptions.kinds import all_kinds
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub import wiring
from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.words import words as said
from integration_hub.messaging import pump
from integration_hub.messaging.alerts import actions, delivery, rules, schedule, shapes, watch, words
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
from tests.messaging.sinks import Sink, mail, web

pytestmark = pytest.mark.django_db
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def trouble(shop: Connection, kind: str = "defect", cause: str = "x", **params: Any) -> ExceptionCase:
    return cases.open_case(Trouble(kind=kind, cause=cause, params=params), shop)


def channel(role: str = "integrator", form: str = "WEBHOOK", port: int = 9, **more: Any) -> AlertChannel:
    made = AlertChannel(name=f"{role} {form} {AlertChannel.objects.count()}", form=form, role=role, **more)
    made.set_secrets({"url": f"http://127.0.0.1:{port}/hook/T0P-SECRET", "secret": shapes.new_secret()})
    made.save()
    AlertChannel.objects.filter(pk=made.pk).update(digested_on=timezone.localdate())
    return made


def deliver_all() -> None:
    while delivery.work():
        pass


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    settings.HUB_ALLOWED_NETWORKS = LOOPBACK
    settings.HUB_URL = "https://hub.example.com"
    with web() as served:
        yield served


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


def test_a_signed_webhook_can_be_verified_and_repeats_its_id(shop: Connection, sink: Sink) -> None:
    listener = channel(port=sink.port)
    sink.answers = [(503, {"Retry-After": "120"})]
    case = trouble(shop, "defect", "x")
    watch.look()
    deliver_all()
    row = AlertDelivery.objects.get()
    assert (row.state, row.attempts) == ("DUE", 1)
    assert timedelta(seconds=110) < row.due_at - timezone.now() < timedelta(seconds=125)
    AlertDelivery.objects.update(due_at=timezone.now())
    deliver_all()
    row.refresh_from_db()
    assert row.state == "SENT"
    (_path, first, _body), (path, headers, body) = sink.got
    assert path == "/hook/T0P-SECRET"
    assert first["webhook-id"] == headers["webhook-id"]
    key = base64.b64decode(listener.secrets["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    told = json.loads(body)
    assert told["type"] == "alert.new"
    assert told["alerts"][0]["url"] == f"https://hub.example.com/exceptions/{case.pk}/"
    assert "T0P-SECRET" not in str(row.exchange)
    listener.refresh_from_db()
    assert listener.last_sent_at


def test_slack_and_teams_get_what_they_take(shop: Connection, sink: Sink) -> None:
    channel(form="SLACK", port=sink.port)
    channel(form="TEAMS", port=sink.port)
    trouble(shop, "unknown_product", "<p>", sku="A<B>&C")
    AlertRule.objects.filter(subject="unknown_product").update(role="integrator")
    watch.look()
    deliver_all()
    bodies = [json.loads(body) for _path, _headers, body in sink.got]
    slack = next(body for body in bodies if "blocks" in body)
    assert "A&lt;B&gt;&amp;C" in slack["blocks"][1]["text"]["text"]
    card = next(body for body in bodies if body.get("type") == "message")["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["content"]["type"] == "AdaptiveCard"
    assert any("A<B>&C" in block["text"] for block in card["content"]["body"])


@pytest.mark.parametrize(
    ("answer", "state"), [(400, "FAILED"), (404, "FAILED"), (403, "FAILED"), (302, "FAILED"), (500, "DUE")]
)
def test_a_channel_that_does_not_work_is_an_exception(shop: Connection, sink: Sink, answer: int, state: str) -> None:
    listener = channel(port=sink.port)
    sink.usual = (answer, {})
    trouble(shop, "defect", "x")
    watch.look()
    for _try in range(delivery.TOLD_AFTER):
        AlertDelivery.objects.filter(state="DUE").update(due_at=timezone.now())
        deliver_all()
    assert AlertDelivery.objects.get().state == state
    case = ExceptionCase.objects.get(kind="alert_channel", state="OPEN")
    listener.refresh_from_db()
    assert listener.broken_since
    sink.usual = (200, {})
    if state == "FAILED":
        assert cases.rerun(case) == 1
    AlertDelivery.objects.filter(state="DUE").update(due_at=timezone.now())
    deliver_all()
    case.refresh_from_db()
    listener.refresh_from_db()
    assert case.state == "SOLVED"
    assert AlertChannel.objects.filter(pk=listener.pk, broken_since=None).exists()
    assert Alert.objects.filter(rule__subject="alert_channel").count() == 0


def test_tries_come_to_an_end(shop: Connection, sink: Sink) -> None:
    channel(port=sink.port)
    sink.usual = (500, {})
    trouble(shop, "defect", "x")
    watch.look()
    AlertDelivery.objects.update(attempts=delivery.MOST - 1)
    deliver_all()
    assert AlertDelivery.objects.get().state == "FAILED"


def test_a_private_address_is_not_called_unless_the_operator_allows_it(shop: Connection, settings: Any) -> None:
    settings.HUB_ALLOWED_NETWORKS = []
    with web() as served:
        channel(port=served.port)
        trouble(shop, "defect", "x")
        watch.look()
        deliver_all()
        assert served.got == []
    row = AlertDelivery.objects.get()
    assert row.state == "FAILED"
    assert "private" in row.reason["msgid"]


def test_what_is_over_is_not_told_any_more(shop: Connection, sink: Sink) -> None:
    channel(port=sink.port)
    trouble(shop, "defect", "x")
    watch.look()
    cases.clear(shop, causes=["x"])
    watch.look()
    deliver_all()
    assert (AlertDelivery.objects.get().state, sink.got) == ("DROPPED", [])


def test_a_worker_that_died_over_a_message_leaves_it_to_another(shop: Connection, sink: Sink) -> None:
    channel(port=sink.port)
    trouble(shop, "defect", "x")
    watch.look()
    row = AlertDelivery.objects.get()
    AlertDelivery.objects.update(state="LEASED", lease_token="0" * 32, due_at=timezone.now() + timedelta(seconds=60))
    assert delivery.work() == 0
    AlertDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    stale = AlertDelivery.objects.select_related("channel").get(pk=row.pk)
    deliver_all()
    assert AlertDelivery.objects.get().state == "SENT"
    delivery.deliver(stale)
    assert AlertDelivery.objects.get().state == "SENT"


@pytest.fixture
def post(settings: Any) -> Iterator[Sink]:
    with mail() as served:
        settings.HUB_EMAIL_URL = f"smtp://127.0.0.1:{served.port}?tls=0"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", served.port, False
        yield served


def test_mail_goes_to_the_people_of_the_role_who_see_each_other_not(shop: Connection, person: Any, post: Sink) -> None:
    for name in ("ada", "ben"):
        User.objects.filter(pk=person("integrator", name).pk).update(email=f"{name}@example.com")
    person("integrator", "mute")
    User.objects.filter(pk=person("finance", "fin").pk).update(email="fin@example.com")
    channel(form="EMAIL", language="en")
    trouble(shop, "defect", "x")
    watch.look()
    deliver_all()
    ((to, raw),) = post.got
    assert to == ["ada@example.com", "ben@example.com"]
    message = message_from_string(raw)
    assert message["Subject"] == "Integration Hub: new alert"
    assert "ada@example.com" not in raw
    assert "Defect of the hub" in str(message.get_payload(decode=True))
    assert AlertDelivery.objects.get().state == "SENT"


@pytest.mark.parametrize(("answer", "state"), [(b"550 no such user", "FAILED"), (b"451 later", "FAILED")])
def test_a_mail_server_that_refuses_every_reader(shop: Connection, post: Sink, answer: bytes, state: str) -> None:
    post.usual = answer
    channel(form="EMAIL", recipients="gone@example.com")
    trouble(shop, "defect", "x")
    watch.look()
    deliver_all()
    row = AlertDelivery.objects.get()
    assert row.state == state
    assert "gone@example.com" not in said(row.reason)


def test_a_mail_server_that_is_away_is_tried_again(shop: Connection, settings: Any) -> None:
    settings.HUB_EMAIL_URL = "smtp://127.0.0.1:9"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    channel(form="EMAIL", recipients="a@example.com")
    trouble(shop, "defect", "x")
    watch.look()
    deliver_all()
    assert AlertDelivery.objects.get().state == "DUE"


@pytest.mark.parametrize("url", ["", "smtp://127.0.0.1:9"])
def test_without_a_server_or_a_reader_the_channel_says_so(shop: Connection, settings: Any, url: str) -> None:
    settings.HUB_EMAIL_URL = url
    channel(form="EMAIL")
    trouble(shop, "defect", "x")
    watch.look()
    deliver_all()
    assert AlertDelivery.objects.get().state == "FAILED"
    assert ExceptionCase.objects.filter(kind="alert_channel").exists()


def test_the_digest_comes_once_a_day_with_what_is_open_and_the_head_of_the_trail(shop: Connection, sink: Sink) -> None:
    listener = channel("finance", port=sink.port, digest_at=time(0))
    trouble(shop, "payout_does_not_add_up", "p", number="po_1", system="Stripe")
    watch.look()
    assert AlertDelivery.objects.count() == 0
    AlertChannel.objects.update(digested_on=None)
    watch.look()
    watch.look()
    deliver_all()
    (row,) = AlertDelivery.objects.filter(channel=listener)
    assert (row.occasion, row.state) == ("DIGEST", "SENT")
    assert "po_1" in json.loads(sink.got[0][2])["alerts"][0]["title"]


def test_a_test_message_goes_out_even_where_the_channel_is_switched_off(sink: Sink, person: Any) -> None:
    off = channel(port=sink.port, enabled=False)
    perform(actions.TEST, off, by=person("integrator"))
    assert pump.is_due("alerts")
    deliver_all()
    assert json.loads(sink.got[0][2])["type"] == "alert.test"
    assert not pump.is_due("alerts")


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
