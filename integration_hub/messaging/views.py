"""The webhook door: size, signature over the raw bytes, store, answer.  Nothing is parsed here."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integration_hub.connectors.base import Capability, Incoming
from integration_hub.kernel.errors import HubError, Misconfigured, Unauthentic
from integration_hub.models import Connection
from integration_hub.models.inbound import Door

from . import inbox


@csrf_exempt
@require_POST
def receive(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer 200 once the delivery is durable (or known); 401 unsigned, 404 unknown, 413 too large, 503 our trouble."""
    connection = Connection.objects.filter(slug=slug).first()
    if connection is None or Capability.RECEIVE not in connection.connector_class.capabilities:
        raise Http404
    try:
        body = _body(request)
    except RequestDataTooBig:
        return _problem(413, "too-large", f"At most {settings.HUB_MAX_WEBHOOK_BYTES} bytes are taken.")
    except (UnreadablePostError, RawPostDataException):
        return _problem(400, "broken", "The body could not be read.")
    return _take(connection, Incoming({name.lower(): value for name, value in request.headers.items()}, body))


def _body(request: HttpRequest) -> bytes:
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:12]) > settings.HUB_MAX_WEBHOOK_BYTES:
        raise RequestDataTooBig
    return request.body if length else _streamed(request)


def _streamed(request: HttpRequest) -> bytes:
    """A body in chunks, without a length: as much of it as the door takes, where the server marks its end."""
    if not request.META.get("wsgi.input_terminated"):
        return b""
    body: bytes = request.META["wsgi.input"].read(settings.HUB_MAX_WEBHOOK_BYTES + 1)
    if len(body) > settings.HUB_MAX_WEBHOOK_BYTES:
        raise RequestDataTooBig
    return body


def _take(connection: Connection, incoming: Incoming) -> HttpResponse:
    try:
        deliveries = connection.connector().receive(incoming)
    except Unauthentic as error:
        return _problem(401, "unauthentic", str(error))
    except Misconfigured:
        return _problem(503, "misconfigured", "This connection is not ready to take messages.")
    except HubError as error:
        return _problem(400, error.code or "refused", str(error))
    new = inbox.store(connection, deliveries, Door.WEBHOOK) if deliveries else []
    return JsonResponse({"stored": len(new), "known": len(deliveries) - len(new)})


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(
        {"type": f"urn:hub:problem:{code}", "title": code, "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
