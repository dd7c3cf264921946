"""How messages of alerts are sent: signed, shaped, tried again, given up, and a channel that does not work is an exception."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterator
from datetime import time, timedelta
from email import message_from_string
from typing import Any

import pytest
from django.utils import timezone

from exceptions import services as cases
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.words import words as said
from integration_hub.messaging import pump
from integration_hub.messaging.alerts import actions, delivery, rules, watch
from integration_hub.models import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AlertRule,
    Connection,
    User,
)
from tests.messaging.alerting import channel, deliver_all, trouble
from tests.messaging.sinks import Sink, mail, web

pytestmark = pytest.mark.django_db
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


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
