"""Frappe's REST interface as ERPNext 14 to 16 serve it: documents, lists, methods, and its errors in our words.

Sources: frappe/frappe ``frappe/api/v1.py``, ``client.py``, ``utils/response.py``, ``exceptions.py``; docs.frappe.io, REST API.
Lists are asked for by ``frappe.client.get_list`` in a POST, because gunicorn takes no request line over 4,094 bytes, and
page by name: rows that change while we page would shift the others.  Times are those of the site's zone, without offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from html import unescape
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.text import say

from .http import Answer, Http, answered_at

Row = dict[str, Any]
Filters = Sequence[Any]

MANY = 500
DRAFT, SUBMITTED, CANCELLED = 0, 1, 2
_PASSING = frozenset({"TimestampMismatchError", "DocumentLockedError", "QueryDeadlockError", "QueryTimeoutError"})
_TWICE = frozenset({"DuplicateEntryError", "UniqueValidationError", "NameError"})
_TAG = re.compile(r"<[^>]*>")


class ErpNextApi:
    """Calls over one connection; remembers the site's zone, and the server's clock at its last answer."""

    def __init__(self, http: Http, key: str, secret: str) -> None:
        self.http = http
        http.headers = {"Authorization": f"token {key}:{secret}", "Accept": "application/json"}
        self.answered_at: datetime | None = None

    def rows(
        self,
        doctype: str,
        names: Sequence[str],
        filters: Filters = (),
        *,
        order: str = "name asc",
        limit: int = MANY,
        parent: str = "",
    ) -> list[Row]:
        """Some documents with these fields and their name; ``parent``: the doctype whose rows they are."""
        asked: Row = {"doctype": doctype, "fields": ["name", *names], "filters": list(filters)}
        more: Row = {"parent": parent} if parent else {}
        found = self.call("frappe.client.get_list", order_by=order, limit_page_length=limit, **asked, **more)
        if not isinstance(found, list) or not all(_complete(row, names) for row in found):
            raise _senseless(False)
        return found

    def every(self, doctype: str, names: Sequence[str], filters: Filters = (), parent: str = "") -> Iterator[Row]:
        """All of them, however many, by ascending name."""
        last, full = "", True
        while full:
            after = [["name", ">", last]] if last else []
            found = self.rows(doctype, names, [*filters, *after], parent=parent)
            yield from found
            last, full = found[-1]["name"] if found else last, len(found) == MANY

    def read(self, doctype: str, name: str) -> Row:
        """One document whole; Rejected (``not_there``) where there is none."""
        return self._document(self._ask("GET", _path(doctype, name), None, writes=False), False)

    def create(self, doctype: str, values: Mapping[str, Any]) -> Row:
        """A new document, as ERPNext has completed it."""
        return self._document(self._ask("POST", _path(doctype), values, writes=True), True)

    def update(self, doctype: str, seen: Row, values: Mapping[str, Any]) -> Row:
        """Change a document that was seen at its ``modified``; RetryLater where somebody has changed it since."""
        body = {**values, "modified": seen["modified"]}
        return self._document(self._ask("PUT", _path(doctype, seen["name"]), body, writes=True), True)

    def call(self, method: str, writes: bool = False, **args: Any) -> Any:
        """A method of the server's; None where it returns nothing."""
        stated = self._ask("POST", f"/api/method/{method}", args, writes=writes)
        return stated.get("message")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        stated = self.call("frappe.client.get_time_zone")
        name = stated.get("time_zone") if isinstance(stated, dict) else None
        try:
            return ZoneInfo(str(name))
        except (KeyError, ValueError, OSError):  # unknown names and those that are no names at all
            raise _senseless(False) from None

    def day(self, moment: datetime) -> date:
        """The day there."""
        return moment.astimezone(self.zone).date()

    def since(self, moment: datetime) -> str:
        """A time before which nothing of ``moment`` or later can stand there, also in the hour that comes twice."""
        zoned = [one.astimezone(self.zone) for one in (moment, moment + timedelta(hours=1))]
        offset = min(one.utcoffset() or timedelta(0) for one in zoned)
        return (moment.astimezone(UTC) + offset).strftime("%Y-%m-%d %H:%M:%S")

    def moment(self, stated: Any) -> str:
        """A time of the site's as UTC in ISO 8601, empty for none; in the hour that comes twice the latest that has been."""
        if not stated:
            return ""
        local = _local(str(stated)).replace(tzinfo=self.zone)
        later = local.replace(fold=1).astimezone(UTC)
        now = self.answered_at or datetime.now(UTC)
        return (later if later <= now + timedelta(minutes=1) else local.astimezone(UTC)).isoformat()

    def _ask(self, method: str, path: str, body: Any, *, writes: bool) -> Row:
        answer = self.http.request(method, path, json=body, accept=range(400, 600), writes=writes)
        self.answered_at = answered_at(answer)
        if answer.status >= 400:
            raise self._error(answer, writes)
        stated = _object(answer)
        if stated is None:
            raise _senseless(writes)
        return stated

    def _document(self, stated: Row, writes: bool) -> Row:
        found = stated.get("data")
        if not isinstance(found, dict) or not isinstance(found.get("name"), str) or "modified" not in found:
            raise _senseless(writes)
        return found

    def _error(self, answer: Answer, writes: bool) -> Exception:
        """Frappe names the exception in the body; what stands before it does not, and then the status decides."""
        stated = _object(answer) or {}
        kind = str(stated.get("exc_type") or "")
        if answer.status == 404 and not kind:
            return Misconfigured(say("The address answers, but not as ERPNext does."), code="not_an_api")
        if kind in _PASSING:
            return RetryLater(say("ERPNext was busy with the same records."), code="their_conflict", detail=kind)
        if not kind or answer.status in (401, 429) or answer.status >= 500:
            return self.http.refusal(answer, writes)
        return self._named(kind, self.http.redact(_message(stated))[:500], self.http.redact(answer.text)[:2000])

    def _named(self, kind: str, message: str, detail: str) -> HubError:
        if kind == "PermissionError":
            words = say("The ERPNext user lacks a right: %(message)s", message=message)
            return Misconfigured(words, code="refused_rights", detail=detail)
        if kind == "DataError":
            words = say("ERPNext does not know a field that the settings name: %(message)s", message=message)
            return Misconfigured(words, code="unknown_field", detail=detail)
        code = "duplicate" if kind in _TWICE else "not_there" if kind == "DoesNotExistError" else "refused"
        return Rejected(say("ERPNext refused it: %(message)s", message=message), code=code, detail=detail)


def _path(doctype: str, name: str = "") -> str:
    return "/api/resource/" + "/".join(quote(part, safe="") for part in (doctype, name) if part)


def _complete(row: Any, names: Sequence[str]) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str) and row.keys() >= set(names)


def _local(text: str) -> datetime:
    day, _, clock = text.strip().partition(" ")
    hours, _, rest = (clock or "00:00:00").partition(":")
    try:
        return datetime.fromisoformat(f"{day}T{hours.zfill(2)}:{rest}")  # hours of one digit come as 9:05:01
    except ValueError:
        raise _senseless(False) from None


def _senseless(writes: bool) -> RetryLater:
    """Most often a proxy or a start page that answers in ERPNext's place for a while."""
    words = say("The address answers, but not as ERPNext does.")
    return RetryLater(words, maybe_written=writes, code="not_an_api")


def _object(answer: Answer) -> Row | None:
    try:
        value = answer.json()
    except Rejected:
        return None
    return value if isinstance(value, dict) else None


def _message(stated: Row) -> str:
    """What ERPNext would show on the screen: a JSON list of JSON objects, in texts, with marks of HTML."""
    try:
        told = [codec.loads(one) for one in codec.loads(str(stated.get("_server_messages") or "[]"))]
        words = " ".join(str(one.get("message", "")) for one in told)
    except (Rejected, TypeError, AttributeError):
        words = ""
    if not words:
        words = str(stated.get("exception") or stated.get("exc_type") or "").rpartition("frappe.exceptions.")[2]
    return unescape(_TAG.sub("", words)).strip()
