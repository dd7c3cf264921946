"""Calls to Shopify's GraphQL Admin API, and what its refusals mean.

Refusals come with HTTP 200: in ``errors`` for the whole request, in ``userErrors`` for one mutation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from .http import Answer, Http

MAX_WAIT = Decimal(300)  # seconds
MAX_PAGES = 100


class Api:
    """Queries and mutations; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def query(self, document: str, variables: Mapping[str, Any] | None = None) -> Object:
        """The ``data`` of a query."""
        return self._ask(document, variables, writes=False)

    def follow(self, document: str, of: str, path: tuple[str, str], first: Object | None = None) -> list[Object]:
        """All nodes of a connection: those of the page ``first`` (None: it is asked for) and of the pages behind it."""
        nodes: list[Object] = []
        page = first if first is not None else self._page(document, of, path, None)
        for _ in range(MAX_PAGES):
            nodes += fields.children(page, "nodes")
            info = fields.child(page, "pageInfo")
            if not fields.flag(info, "hasNextPage"):
                return nodes
            page = self._page(document, of, path, fields.words(info, "endCursor"))
        raise Rejected(say("Shopify's list does not end."), code="endless")

    def _page(self, document: str, of: str, path: tuple[str, str], after: str | None) -> Object:
        data = self.query(document, {"id": of, "after": after})
        return fields.child(fields.child(data, path[0]), path[1])

    def mutate(self, document: str, name: str, variables: Mapping[str, Any]) -> Object:
        """The payload of the mutation ``name``; its user errors are Rejected."""
        payload = self.attempt(document, name, variables)
        told = [fields.words(error, "message", 300) for error in fields.children(payload, "userErrors")]
        if told:
            raise Rejected(say("Shopify refused it: %(why)s", why="; ".join(told)), code="user_error")
        return payload

    def attempt(self, document: str, name: str, variables: Mapping[str, Any]) -> Object:
        """The payload of the mutation ``name`` with its user errors, for who can tell what each is about."""
        return fields.child(self._ask(document, variables, writes=True), name)

    def _ask(self, document: str, variables: Mapping[str, Any] | None, *, writes: bool) -> Object:
        body = {"query": document, "variables": dict(variables or {})}
        answer = self.http.request("POST", "", json=body, writes=writes, accept={402, 404, 423})
        if answer.status >= 300:
            raise _closed(answer)
        found = _object(answer)
        errors = found.get("errors")
        if errors:
            raise _refused(errors, fields.child(found, "extensions"), writes, self.http.redact(answer.text)[:2000])
        data = fields.child(found, "data")
        if not data:
            raise _not_shopify()
        return data


def _object(answer: Answer) -> Object:
    try:
        found = answer.json()
    except Rejected:
        raise _not_shopify() from None
    if not isinstance(found, dict):
        raise _not_shopify()
    return found


def _not_shopify() -> Misconfigured:
    return Misconfigured(say("The address answers, but not as Shopify does. Is it right?"), code="not_an_api")


def _closed(answer: Answer) -> Misconfigured:
    if answer.status == 404:
        words = say("There is no such shop, or it does not know this API version any more.")
    else:
        words = say("Shopify has locked or frozen this shop (%(status)s).", status=answer.status)
    return Misconfigured(words, code="shop_closed")


def _refused(errors: Any, extensions: Object, writes: bool, detail: str) -> HubError:
    listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    codes = {fields.words(fields.child(error, "extensions"), "code") for error in listed}
    if "THROTTLED" in codes:
        return RetryLater(say("Shopify asks us to slow down."), after=_wait(extensions), code="slow_down")
    if "ACCESS_DENIED" in codes:
        words = say("The app lacks a right: %(why)s", why=_told(listed))
        return Misconfigured(words, code="access_denied", detail=detail)
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return RetryLater(say("Shopify has a fault."), maybe_written=writes, code="their_fault", detail=detail)
    return Rejected(say("Shopify refused it: %(why)s", why=_told(listed) or "?"), code="refused", detail=detail)


def _told(errors: Sequence[Object]) -> str:
    return "; ".join(fields.words(error, "message", 300) for error in errors)[:500]


def _wait(extensions: Object) -> timedelta:
    """How long until the bucket holds enough points for the same query."""
    cost = fields.child(extensions, "cost")
    status = fields.child(cost, "throttleStatus")
    wanted = fields.amount(cost, "requestedQueryCost", Decimal(100))
    missing = wanted - fields.amount(status, "currentlyAvailable", Decimal(0))
    seconds = missing / max(fields.amount(status, "restoreRate", Decimal(50)), Decimal(1))
    return timedelta(seconds=float(min(max(seconds, Decimal(1)), MAX_WAIT)))
