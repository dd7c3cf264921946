"""The webhook door: the right status at once, nothing stored that is not authentic, everything kept that is."""

from __future__ import annotations

import io
import json
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client, RequestFactory

from exceptions.models import ExceptionCase
from integration_hub.messaging import views
from integration_hub.models import Connection, InboundEvent
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db
GOOD = json.dumps(standin.order(1)).encode()


def status(body: bytes, signature: str, slug: str = "laden", **extra: Any) -> int:
    headers = {"X-Signature": signature} if signature else {}
    url = f"/webhooks/{slug}/"
    return int(Client().post(url, body, content_type="application/json", headers=headers, **extra).status_code)


@pytest.mark.parametrize("signature", ["", "0" * 64, standin.sign(b"another body"), "sp\u00e4t"])
def test_unsigned_and_wrongly_signed_is_401_and_not_stored(shop: Connection, signature: str) -> None:
    assert status(GOOD, signature) == 401
    assert not InboundEvent.objects.exists()


def test_unknown_addresses_are_404(shop: Connection, erp: Connection) -> None:
    assert status(GOOD, standin.sign(GOOD), slug="nobody") == 404
    assert status(GOOD, standin.sign(GOOD), slug="erp") == 404  # an ERP that sends no webhooks
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_405(shop: Connection, method: str) -> None:
    assert getattr(Client(), method)("/webhooks/laden/").status_code == 405


@pytest.mark.parametrize("length", ["1048577", "99999999999999999999", "\u00b2", "-5"])
def test_a_length_that_lies_is_no_crash(shop: Connection, length: str) -> None:
    assert status(GOOD, standin.sign(GOOD), CONTENT_LENGTH=length) in (400, 413)
    assert not InboundEvent.objects.exists()


def test_too_large_is_413(shop: Connection, settings: Any) -> None:
    body = b"x" * (settings.HUB_MAX_WEBHOOK_BYTES + 1)
    assert status(body, standin.sign(body)) == 413
    fits = b"x" * settings.HUB_MAX_WEBHOOK_BYTES
    assert status(fits, standin.sign(fits)) == 200


def chunked(body: bytes, *, terminated: bool = True) -> HttpResponse:
    """A request without a length, as the server hands it on."""
    request = RequestFactory().post(
        "/webhooks/laden/", b"", content_type="application/json", headers={"X-Signature": standin.sign(body)}
    )
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": terminated}
    request.META["wsgi.input"] = io.BytesIO(body)
    return views.receive(request, "laden")


def test_chunks_are_read_up_to_the_limit(shop: Connection, settings: Any) -> None:
    assert chunked(GOOD).status_code == 200
    assert bytes(InboundEvent.objects.get().body) == GOOD
    assert chunked(b"x" * (settings.HUB_MAX_WEBHOOK_BYTES + 1)).status_code == 413
    assert chunked(GOOD, terminated=False).status_code == 401


class Cut(io.BytesIO):
    """A sender that goes away in the middle."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError("connection reset")


@pytest.mark.parametrize("length", [str(len(GOOD)), ""])
def test_a_broken_body_is_400(shop: Connection, length: str) -> None:
    request = RequestFactory().post("/webhooks/laden/", GOOD, content_type="application/json")
    request.META |= {"wsgi.input_terminated": True, "wsgi.input": Cut(), "CONTENT_LENGTH": length}
    request._stream = Cut()
    assert views.receive(request, "laden").status_code == 400


def test_a_replay_is_known_and_changes_nothing(joined: Connection) -> None:
    assert spine.post(GOOD).json() == {"stored": 1, "known": 0}
    assert spine.post(GOOD).json() == {"stored": 0, "known": 1}
    assert InboundEvent.objects.count() == 1


def test_one_delivery_id_for_two_orders_is_two_events(shop: Connection) -> None:
    for number in (1, 2):
        body = json.dumps(standin.order(number)).encode()
        spine.post(body, name=str(number), **{"X-WC-Webhook-Delivery-ID": "one-and-the-same"})
    assert InboundEvent.objects.count() == 2


NONSENSE = {
    "not JSON": b"order=1",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "a list": b"[1, 2]",
    "cut off": GOOD[:-20],
    "nested deeply": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "NaN": GOOD.replace(b'"28.70"', b"NaN"),
    "NaN in words": GOOD.replace(b'"28.70"', b'"NaN"'),
    "NaN in a line": GOOD.replace(b'"20.00"', b'"NaN"'),
    "a number that takes minutes": GOOD.replace(b'"28.70"', b"1e2000000"),
    "an amount that is a list": GOOD.replace(b'"28.70"', b'["28.70"]'),
    "an amount that is true": GOOD.replace(b'"28.70"', b"true"),
    "no such currency": GOOD.replace(b'"EUR"', b'"QQQ"'),
    "a currency that is none": GOOD.replace(b'"EUR"', b'"Euro"'),
    "lines that are a word": json.dumps(standin.order(1, lines="many")).encode(),
    "a stage nobody knows": json.dumps(standin.order(1, stage="LOST")).encode(),
    "a time that is none": json.dumps(standin.order(1, placed_at="yesterday")).encode(),
    "an amount too large": json.dumps(standin.order(1, total="9" * 14)).encode(),
    "a NUL": json.dumps(standin.order(1, city="Ham\x00burg")).encode(),
    "half a character": b'{"id": 1, "city": "\\ud800"}',
    "a name twice": b'{"id": 1, "id": 2}',
    "no id": json.dumps(standin.order(1, id=" ")).encode(),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
def test_authentic_nonsense_is_a_case_with_the_payload_kept(joined: Connection, body: bytes) -> None:
    assert spine.post(body).status_code == 200
    spine.run()
    event = InboundEvent.objects.get()
    case = ExceptionCase.objects.get()
    assert (event.state, bytes(event.body)) == ("PARKED", body)
    assert (case.kind, case.subjects.get().subject) == ("not_understood", event)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"lines": []}, {"total": "-28.70"}, {"quantity": "-2"}, {"quantity": "0"}],
    ids=["no lines", "negative total", "negative quantity", "zero quantity"],
)
def test_what_cannot_be_is_kept_and_held(joined: Connection, world: standin.World, change: dict[str, Any]) -> None:
    spine.teapot()
    found = standin.order(1)
    if "quantity" in change:
        found["lines"][0]["quantity"] = change["quantity"]
    else:
        found |= change
    spine.deliver(found)
    spine.run()
    assert Order.objects.get().state == "HELD"
    assert "order_implausible" in spine.open_kinds()
    assert not world.sales


def test_a_lost_key_is_503_and_the_sender_tries_again(shop: Connection, settings: Any) -> None:
    settings.HUB_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    answer = spine.post(GOOD)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert b"s3cret" not in answer.content


def test_a_paused_connection_stores_and_holds(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    Connection.objects.filter(pk=joined.pk).update(state="PAUSED")
    assert spine.post(GOOD).status_code == 200
    assert spine.run() == 0
    Connection.objects.filter(pk=joined.pk).update(state="ACTIVE")
    spine.run()
    assert spine.sales(world) == [1]


@pytest.mark.django_db(transaction=True)
def test_a_session_that_died_idle_costs_the_sender_nothing(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "REMEMBERED", 60.0)
    assert status(GOOD, standin.sign(GOOD)) == 200
    with psycopg.connect(str(database.connection.info.dsn), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [database.connection.info.backend_pid])
    other_order = json.dumps(standin.order(2)).encode()
    assert status(other_order, standin.sign(other_order)) == 200
    assert InboundEvent.objects.count() == 2
    views._doors.clear()
