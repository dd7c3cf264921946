"""The webhook door: size, signature over the raw bytes, store, answer.  Nothing is parsed here."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.db import connection as database
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integration_hub.connectors.base import Capability, Connector, Delivery, Incoming
from integration_hub.kernel.errors import HubError, Misconfigured, Unauthentic
from integration_hub.models import Connection
from integration_hub.models.inbound import Door

from . import inbox

logger = logging.getLogger(__name__)

RETRY_AFTER = 30  # seconds until the sender may try again when we could not keep its message
REMEMBERED = 2.0  # seconds until a changed secret counts


@csrf_exempt
@require_POST
def receive(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer 200 once the delivery is durable (or known); 401 unsigned, 404 unknown, 413 too large, 503 our trouble."""
    try:
        return _receive(request, slug)
    except (OperationalError, InterfaceError) as error:
        logger.warning("a message could not be kept: %s", type(error).__name__)
        answer = _problem(503, "unavailable", "The message could not be kept. Please send it again.")
        answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer


def _receive(request: HttpRequest, slug: str) -> HttpResponse:
    door = _door(slug)
    if door is None:
        raise Http404
    try:
        body = _body(request)
    except RequestDataTooBig:
        return _problem(413, "too-large", f"At most {settings.HUB_MAX_WEBHOOK_BYTES} bytes are taken.")
    except (UnreadablePostError, RawPostDataException):
        return _problem(400, "broken", "The body could not be read.")
    return _take(door, Incoming(_headers(request.META), body))


def _headers(meta: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case, as connectors look for them; straight from WSGI, as every message pays for it."""
    found = {name[5:].replace("_", "-").lower(): value for name, value in meta.items() if name.startswith("HTTP_")}
    found["content-type"] = meta.get("CONTENT_TYPE", "")
    return found


class _Door(NamedTuple):
    """A connection that takes messages, with its connector: ``receive`` keeps no state, so threads share it."""

    until: float
    connection: Connection
    connector: Connector | None


_doors: dict[str, _Door] = {}


def _door(slug: str) -> _Door | None:
    """The connection behind an address, remembered for a moment: a shop in full swing knocks hundreds of times a second."""
    known = _doors.get(slug)
    if known and known.until > time.monotonic():
        return known
    connection = Connection.objects.filter(slug=slug).first()
    if connection is None or Capability.RECEIVE not in connection.connector_class.capabilities:
        return None
    try:
        connector = connection.connector()
    except Misconfigured:
        connector = None
    fresh = _doors[slug] = _Door(time.monotonic() + REMEMBERED, connection, connector)
    return fresh


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH", "")
    if not length:
        return _streamed(request)
    if not (length.isascii() and length.isdigit()):
        raise UnreadablePostError("Content-Length is no number")
    if int(length[:12]) > settings.HUB_MAX_WEBHOOK_BYTES:
        raise RequestDataTooBig
    return request.body


def _streamed(request: HttpRequest) -> bytes:
    """A body in chunks, without a length: as much of it as the door takes, where the server marks its end."""
    if not request.META.get("wsgi.input_terminated"):
        return b""
    try:
        body: bytes = request.META["wsgi.input"].read(settings.HUB_MAX_WEBHOOK_BYTES + 1)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    if len(body) > settings.HUB_MAX_WEBHOOK_BYTES:
        raise RequestDataTooBig
    return body


def _take(door: _Door, incoming: Incoming) -> HttpResponse:
    if door.connector is None:
        return _problem(503, "misconfigured", "This connection is not ready to take messages.")
    try:
        deliveries = door.connector.receive(incoming)
    except Unauthentic as error:
        return _problem(401, "unauthentic", str(error))
    except Misconfigured:
        return _problem(503, "misconfigured", "This connection is not ready to take messages.")
    except HubError as error:
        return _problem(400, error.code or "refused", str(error))
    new = _store(door.connection, deliveries) if deliveries else []
    return HttpResponse(_STORED % (len(new), len(deliveries) - len(new)), content_type="application/json")


_STORED = b'{"stored": %d, "known": %d}'


def _store(connection: Connection, deliveries: Sequence[Delivery]) -> list[int]:
    """A database session that died while nobody used it shows by using it: to ask first would cost every message a round trip.

    Safe to do twice: what the first try stored is known to the second.
    """
    database.health_check_done = True  # type: ignore[attr-defined]  # of Django 4.1 on, the stubs have not noticed
    try:
        return inbox.store(connection, deliveries, Door.WEBHOOK)
    except (OperationalError, InterfaceError):
        if database.in_atomic_block:
            raise
        database.close()
        return inbox.store(connection, deliveries, Door.WEBHOOK)


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(
        {"type": f"urn:hub:problem:{code}", "title": code, "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
