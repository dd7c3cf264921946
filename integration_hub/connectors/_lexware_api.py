"""Calls to Lexware Office: two requests a second, and two shapes of refusals.

developers.lexware.io: regular errors are {status, error, message, details[]}, those of vouchers and files the legacy
{IssueList[]}.  Without a Retry-After the hub's own backoff decides.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from .http import Answer, Http

GONE = "gone"
_JUDGED_HERE = (400, 404, 406, 409, 415, 422)


class Api:
    """JSON both ways; every refusal is one of the kernel's errors."""

    pause: ClassVar[float] = 0.5  # seconds between two requests of one use

    def __init__(self, http: Http) -> None:
        self.http = http
        self._next = 0.0

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Object:
        """One object."""
        return self._object(self._ask("GET", path, params=params), writing=False)

    def rows(self, path: str) -> list[Object]:
        """A list that is not paged."""
        found = self._json(self._ask("GET", path), writing=False)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise _not_an_api()
        return found

    def write(self, path: str, body: Mapping[str, Any]) -> Object:
        """Create one object."""
        return self._object(self._ask("POST", path, json=body), writing=True)

    def _ask(self, method: str, path: str, **what: Any) -> Answer:
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        try:
            return self.http.request(method, path, headers={"Accept": "application/json"}, accept=_JUDGED_HERE, **what)
        finally:
            self._next = time.monotonic() + self.pause

    def _object(self, answer: Answer, *, writing: bool) -> Object:
        found = self._json(answer, writing=writing)
        if not isinstance(found, dict):
            raise _not_an_api()
        return found

    def _json(self, answer: Answer, *, writing: bool) -> Any:
        try:
            found = answer.json()
        except Rejected:
            found = None
        if answer.status >= 400:
            raise self._refused(answer, found if isinstance(found, dict) else {}, writing)
        return found

    def _refused(self, answer: Answer, found: Object, writing: bool) -> Exception:
        detail = self.http.redact(answer.text)[:2000]
        if answer.status == 409:
            words = say("Lexware Office was changed by somebody at the same moment.")
            return RetryLater(words, maybe_written=writing, code="conflict", detail=detail)
        if answer.status == 404:
            return Rejected(say("Lexware Office does not hold this object."), code=GONE, detail=detail)
        why = self.http.redact(_why(found))
        return Rejected(say("Lexware Office refused it: %(why)s", why=why), code="refused", detail=detail)


def _why(found: Object) -> str:
    """What is wrong, in Lexware's words, whichever of the two shapes it comes in."""
    details = [
        f"{fields.words(one, 'field', 120)}: {fields.words(one, 'message', 200)}"
        for one in fields.children(found, "details")
    ]
    issues = [
        f"{fields.words(one, 'source', 120)}: {fields.words(one, 'i18nKey', 200)}"
        for one in fields.children(found, "IssueList")
    ]
    return "; ".join([*details, *issues][:5]) or fields.words(found, "message", 300)


def _not_an_api() -> Misconfigured:
    return Misconfigured(
        say("The address answers, but not as Lexware Office's interface. Is it right?"), code="not_an_api"
    )
