"""What every page carries: headers (ASVS 5.0 3.4: content policy, no sniffing, no referrer, no cache of personal data), and
from where it was asked for, for the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from integration_hub.models import origin

from . import trail

# unfold ships Alpine, which evaluates expressions in attributes, and sets colours inline.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


class SecurityHeaders:
    """Adds what Django's own middleware does not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class Origin:
    """Tells the audit trail who is at work, at which address, in which session, on which page.  After the session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        here = origin.Origin(
            actor=lambda: request.user.pk if session else None,
            address=address(request),
            session=origin.fingerprint(session),
            page=f"{request.method} {request.path}"[:200],
        )
        with origin.at_work(here):
            response = self.get_response(request)
            trail.write_readings(here)
        return response


def address(request: HttpRequest) -> str:
    """The caller's address: behind a proxy that we believe, the one that the proxy itself was called from."""
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.HTTPS else ""
    return str(passed.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))[:45]
