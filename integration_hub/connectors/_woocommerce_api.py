"""Calls to WooCommerce's REST interface, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from .http import Answer, Http

V3 = "/wp-json/wc/v3"
PER_PAGE = 100
NO_ROUTE = "no_route"
GONE = "gone"
_JUDGED_HERE = frozenset({400, 401, 403, 404, 500})


class Api:
    """JSON in, JSON out; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Object:
        """One object."""
        found = self._call("GET", path, params=params)[0]
        if not isinstance(found, dict):
            raise _not_an_api()
        return found

    def read_or_none(self, path: str) -> Object | None:
        """One object, None where the shop does not know its id."""
        try:
            return self.read(path)
        except Rejected as error:
            if error.code == GONE:
                return None
            raise

    def items(self, path: str, params: Mapping[str, Any] | None = None) -> tuple[list[Object], bool]:
        """One page of a list, and whether pages follow it."""
        params = {"per_page": PER_PAGE, "page": 1, **(params or {})}
        found, answer = self._call("GET", path, params=params)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise _not_an_api()
        pages = answer.headers.get("x-wp-totalpages", "")
        more = int(params["page"]) < int(pages) if pages.isascii() and pages.isdigit() else len(found) >= PER_PAGE
        return found, more

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Object:
        """Create or change one object."""
        found = self._call(method, path, json=body)[0]
        return found if isinstance(found, dict) else {}

    def _call(self, method: str, path: str, **kwargs: Any) -> tuple[Any, Answer]:
        answer = self.http.request(method, path, accept=_JUDGED_HERE, **kwargs)
        if answer.status >= 300:
            raise self._refused(answer, method)
        try:
            return answer.json(), answer
        except Rejected:
            raise _not_an_api() from None

    def _refused(self, answer: Answer, method: str) -> Exception:
        code, writing = _code(answer), method != "GET"
        usual = self.http.refusal(answer, writing)
        if answer.status == 404:
            return _not_found(code, self.http.redact(answer.text)[:2000])
        if answer.status == 500 and code.startswith(("woocommerce_rest_", "rest_")):
            words = say("The shop refused it: %(why)s", why=self.http.redact(_message(answer)))
            return Rejected(words, code="refused", detail=code)
        if answer.status in (401, 403) and writing and code.startswith("woocommerce_rest_"):
            words = say("The API key may only read. Give it the permission Read/Write in WooCommerce.")
            return Misconfigured(words, code="read_only_key", detail=code)
        return usual


def _not_an_api() -> Misconfigured:
    words = say(
        "The address answers, but not as a WooCommerce interface. Is it right, and is the shop out of maintenance?"
    )
    return Misconfigured(words, code="not_an_api")


def _not_found(code: str, detail: str) -> Exception:
    if code.endswith(("_invalid_id", "_not_found")):
        return Rejected(say("The shop does not hold it any more."), code=GONE, detail=detail)
    words = say(
        "The shop has no such interface. Is the address right, and are the permalinks in WordPress not set to Plain?"
    )
    return Misconfigured(words, code=NO_ROUTE, detail=detail)


def _body(answer: Answer) -> Object:
    try:
        found = answer.json()
    except Rejected:
        return {}
    return found if isinstance(found, dict) else {}


def _code(answer: Answer) -> str:
    found = _body(answer).get("code")
    return found if isinstance(found, str) else ""


def _message(answer: Answer) -> str:
    try:
        return fields.words(_body(answer), "message", 300)
    except Rejected:
        return ""
