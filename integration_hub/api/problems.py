"""Every error of the API as problem details (RFC 9457): ``urn:hub:problem:<code>``, title, status, detail, errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.views import defaults
from rest_framework import exceptions as rest

from integration_hub.backoffice.actions import Invalid
from integration_hub.backoffice.words import words
from integration_hub.kernel import errors as hub

CONTENT_TYPE = "application/problem+json"
PREFIX = "/api/"
_RETRY_SECONDS = 5

_HUB: tuple[tuple[type[hub.HubError], int], ...] = (
    (Invalid, 400),
    (hub.NotNow, 409),
    (hub.RetryLater, 503),
    (hub.Misconfigured, 503),
    (hub.Rejected, 422),
    (hub.TooLarge, 413),
    (hub.Unauthentic, 401),
    (hub.HubError, 500),
)
_DJANGO: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (PermissionDenied, 403),
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (OperationalError, 503),
)


def problem(
    status: int,
    code: str,
    detail: str = "",
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """One problem; ``errors`` name the place (JSON Pointer, RFC 6901) and what is wrong there."""
    said: dict[str, Any] = {
        "type": f"urn:hub:problem:{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or HTTPStatus(status).description or HTTPStatus(status).phrase,
    }
    if errors:
        said["errors"] = errors
    return JsonResponse(said, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def problem_handler(error: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """What REST framework calls; None lets an unforeseen error become a 500 that is logged with its trace."""
    if isinstance(error, hub.HubError):
        return _of_hub(error)
    if isinstance(error, rest.APIException):
        return _of_rest(error)
    for kind, status in _DJANGO:
        if isinstance(error, kind):
            return problem(status, _code(status), headers=_retry(status))
    return None


def _of_hub(error: hub.HubError) -> HttpResponse:
    status = next(status for kind, status in _HUB if isinstance(error, kind))
    fields = error.errors if isinstance(error, Invalid) else {}
    places = [
        {"pointer": _pointer([name]), "detail": str(said["message"]), "code": str(said["code"] or "invalid")}
        for name, found in fields.items()
        for said in found
    ]
    return problem(status, error.code or _code(status), words(error.text), errors=places, headers=_retry(status))


def _of_rest(error: rest.APIException) -> HttpResponse:
    headers = {"WWW-Authenticate": str(header)} if (header := getattr(error, "auth_header", None)) else {}
    if isinstance(error, rest.ValidationError):
        places = list(_places(error.get_full_details(), []))
        return problem(400, "invalid", gettext("Some fields are missing or wrong."), errors=places)
    code = str(getattr(error.detail, "code", "") or error.default_code)
    return problem(error.status_code, code, str(error.detail), headers=headers)


def _places(found: Any, path: list[str]) -> Iterator[dict[str, str]]:
    """Flatten nested errors into places."""
    if isinstance(found, Mapping) and "message" in found and "code" in found and isinstance(found["code"], str):
        yield {"pointer": _pointer(path), "detail": str(found["message"]), "code": found["code"]}
    elif isinstance(found, Mapping):
        for name, inner in found.items():
            yield from _places(inner, path if name == "non_field_errors" else [*path, str(name)])
    elif isinstance(found, list):
        for place, inner in enumerate(found):
            deeper = path if _is_leaf(inner) else [*path, str(place)]
            yield from _places(inner, deeper)


def _is_leaf(found: Any) -> bool:
    return isinstance(found, Mapping) and isinstance(found.get("code"), str) and "message" in found


def _pointer(path: list[str]) -> str:
    known = [part.replace("~", "~0").replace("/", "~1") for part in path if part != "__all__"]
    return "#" + "".join(f"/{part}" for part in known)


def _code(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_")


def _retry(status: int) -> dict[str, str]:
    return {"Retry-After": str(_RETRY_SECONDS)} if status == 503 else {}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 400, as a problem under /api/."""
    if request.path.startswith(PREFIX):
        return problem(400, "bad_request")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 403, as a problem under /api/."""
    if request.path.startswith(PREFIX):
        return problem(403, "forbidden")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 404, as a problem under /api/."""
    if request.path.startswith(PREFIX):
        return problem(404, "not_found", gettext("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's 500, as a problem under /api/."""
    if request.path.startswith(PREFIX):
        return problem(500, "defect", gettext("The hub made a mistake; it is written in its log."))
    return defaults.server_error(request)
