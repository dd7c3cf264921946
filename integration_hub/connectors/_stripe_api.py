"""Calls to Stripe's interface: the version pinned, the account named, refusals in Stripe's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from .http import Answer, Http

VERSION = "2025-09-30.clover"  # https://docs.stripe.com/api/versioning: what we read was written for this one
PER_PAGE = 100
GONE = "gone"
_ID = re.compile(r"[A-Za-z0-9_]{1,100}")
_AT_WORK = frozenset({"lock_timeout", "idempotency_key_in_use"})


def safe_id(value: str) -> str:
    """An id fit for an address; Rejected for anything else."""
    if not _ID.fullmatch(value):
        raise unreadable("“%(id)s” is not an id of Stripe's", id=value[:100])
    return value


class Api:
    """JSON in, form out; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def read(self, path: str, *expand: str) -> Object:
        """One object, with these of its fields expanded."""
        return self._object(self.http.get(path, params={"expand[]": list(expand)}, accept=(400, 402, 404)))

    def page(self, path: str, params: Mapping[str, Any]) -> tuple[list[Object], bool]:
        """One page of a list, newest first, and whether more follow."""
        found = self._object(self.http.get(path, params={"limit": PER_PAGE, **params}, accept=(400, 402, 404)))
        if found.get("object") != "list":
            raise _not_stripe()
        return fields.children(found, "data"), fields.flag(found, "has_more")

    def write(self, path: str, form: Mapping[str, Any], key: str) -> tuple[Object, bool]:
        """Create one object under a key, and whether Stripe had done so before."""
        headers = {"Idempotency-Key": key[:255]}
        answer = self.http.request("POST", path, form=form, headers=headers, accept=(400, 402, 404, 409))
        return self._object(answer, writing=True), answer.headers.get("idempotent-replayed") == "true"

    def _object(self, answer: Answer, *, writing: bool = False) -> Object:
        try:
            found = answer.json()
        except Rejected:
            found = None
        if answer.status >= 400:
            raise self._refused(answer, found if isinstance(found, dict) else {}, writing)
        if not isinstance(found, dict) or "object" not in found:
            raise _not_stripe()
        return found

    def _refused(self, answer: Answer, found: Object, writing: bool) -> Exception:
        said = found.get("error") if isinstance(found.get("error"), dict) else {}
        why = self.http.redact(fields.words(said, "message", 300) if said else "")
        code = fields.words(said, "code", 60) if said else ""
        detail = self.http.redact(answer.text)[:2000]
        if answer.status == 409 or code in _AT_WORK:
            return RetryLater(
                say("Stripe is still at work on it."), maybe_written=writing, code="at_work", detail=detail
            )
        if answer.status == 404:
            return Rejected(say("Stripe does not hold this object: %(why)s", why=why), code=GONE, detail=detail)
        return Rejected(say("Stripe refused it: %(why)s", why=why or code), code="refused", detail=detail)


def _not_stripe() -> Misconfigured:
    return Misconfigured(say("The address answers, but not as Stripe's interface. Is it right?"), code="not_an_api")
