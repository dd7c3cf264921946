"""Calls to Mollie's interface: HAL lists with cursors, one key for payments and one for the books."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from ._mollie_config import MollieConfig
from .http import Answer, Http

PER_PAGE = 250
GONE = "gone"
_ID = re.compile(r"[A-Za-z]{2,8}_[A-Za-z0-9_.]{1,80}")
_JUDGED_HERE = (400, 404, 409, 410, 422)


def safe_id(value: str) -> str:
    """An id fit for an address; Rejected for anything else."""
    if not _ID.fullmatch(value):
        raise unreadable("“%(id)s” is not an id of Mollie's", id=value[:100])
    return value


class Api:
    """JSON both ways; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http, config: MollieConfig) -> None:
        self.http = http
        self._payments = {"Authorization": f"Bearer {config.api_key}"}
        self._books = {"Authorization": f"Bearer {config.access_token}"}

    def read(self, path: str, params: Mapping[str, Any] | None = None, *, books: bool = False) -> Object:
        """One object."""
        headers = self._books if books else self._payments
        return self._object(self.http.get(path, params=params, headers=headers, accept=_JUDGED_HERE))

    def page(
        self, path: str, name: str, after: str | None, *, books: bool = False, limit: int = PER_PAGE
    ) -> tuple[list[Object], str | None]:
        """One page of a list, newest first, and the id that the next one starts with."""
        params = {"limit": limit, **({"from": safe_id(after)} if after else {})}
        found = self.read(path, params, books=books)
        following = fields.words(fields.child(fields.child(found, "_links"), "next"), "href")
        start = parse_qs(urlsplit(following).query).get("from", [""])[0]
        return fields.children(fields.child(found, "_embedded"), name), start or None

    def write(self, path: str, body: Mapping[str, Any], key: str) -> Object:
        """Create one object under a key, which Mollie keeps for an hour."""
        headers = {**self._payments, "Idempotency-Key": key[:255]}
        return self._object(self.http.request("POST", path, json=body, headers=headers, accept=_JUDGED_HERE), True)

    def _object(self, answer: Answer, writing: bool = False) -> Object:
        try:
            found = answer.json()
        except Rejected:
            found = None
        if answer.status >= 400:
            raise self._refused(answer, found if isinstance(found, dict) else {}, writing)
        if not isinstance(found, dict) or not ({"resource", "_embedded"} & found.keys()):
            raise Misconfigured(
                say("The address answers, but not as Mollie's interface. Is it right?"), code="not_an_api"
            )
        return found

    def _refused(self, answer: Answer, found: Object, writing: bool) -> Exception:
        why = self.http.redact(fields.words(found, "detail", 300))
        detail = self.http.redact(answer.text)[:2000]
        if answer.status == 409:
            return RetryLater(
                say("Mollie is still at work on it."), maybe_written=writing, code="at_work", detail=detail
            )
        if answer.status in (404, 410):
            return Rejected(say("Mollie does not hold this object: %(why)s", why=why), code=GONE, detail=detail)
        return Rejected(say("Mollie refused it: %(why)s", why=why), code="refused", detail=detail)
