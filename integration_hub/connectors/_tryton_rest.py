"""Tryton's REST interface (trytond 8.0): bearer key, JSON with marked types, and its own way to say no.

Sources: trytond/protocols/rest.py and jsonrpc.py of 8.0; the statuses were seen on a running server.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater, unreadable
from integration_hub.kernel.text import say

from .http import Answer, Http, answered_at

Row = dict[str, Any]
SLOW_DOWN = timedelta(minutes=5)  # its login limit counts over five minutes


def numeric(amount: Decimal) -> Row:
    """A Decimal for a field of type Numeric; quantities are Floats there and go as plain JSON numbers."""
    return {"__class__": "Decimal", "decimal": format(amount, "f")}


def day(value: date) -> Row:
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


def moment(value: datetime) -> Row:
    """A moment as Tryton keeps it: UTC without saying so."""
    at = value.astimezone(UTC)
    clock = {"hour": at.hour, "minute": at.minute, "second": at.second, "microsecond": at.microsecond}
    return day(at.date()) | {"__class__": "datetime"} | clock


def plain(value: Any) -> Any:
    """What Tryton sent with its marked types as Decimal, date and UTC datetime; others stay.  Raises Rejected."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        return _unmarked(value) if "__class__" in value else {name: plain(item) for name, item in value.items()}
    except (KeyError, TypeError, ValueError, OverflowError):
        raise unreadable("a marked value is broken") from None


def _unmarked(value: Row) -> Any:
    if value["__class__"] == "Decimal":
        return codec.money_amount(value["decimal"], "a number")
    if value["__class__"] == "date":
        return date(value["year"], value["month"], value["day"])
    if value["__class__"] == "datetime":
        clock = (value["hour"], value["minute"], value["second"], value["microsecond"])
        return datetime(value["year"], value["month"], value["day"], *clock, tzinfo=UTC)
    return value


def _holds(value: Any, path: Sequence[str]) -> bool:
    """Tryton silently leaves out fields that the user may not read; an empty reference holds everything."""
    if not path or value is None:
        return True
    if isinstance(value, list):
        return all(_holds(item, path) for item in value)
    return isinstance(value, dict) and path[0] in value and _holds(value[path[0]], path[1:])


def _packed(value: Any) -> str:
    return urlsafe_b64encode(codec.canonical(value)).decode()


@dataclass
class Rest:
    """One database of one server.  ``context`` must name the company before anything of it can be seen.

    ``answered_at`` is the server's clock at its last answer.
    """

    http: Http
    url: str
    database: str
    key: str
    context: Mapping[str, Any] = field(default_factory=dict)
    answered_at: datetime | None = None

    def version(self) -> str:
        """The server's series ("8.0"); needs no key."""
        question = {"id": 0, "method": "common.server.version", "params": []}
        answer = self.http.request("POST", f"{self.url.rstrip('/')}/rpc/", json=question, writes=False).json()
        return str(answer.get("result", "")) if isinstance(answer, dict) else ""

    def rows(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int = 1000,
        order: Any = None,
        inactive: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """The records as sent, marked types and all; at most ``limit``; deactivated ones only where ``inactive``."""
        params: dict[str, Any] = {"d": _packed(domain), "f": list(fields), "s": limit}
        if order is not None:
            params["o"] = _packed(order)
        found = self._ask(
            "GET", f"/model/{model}", {"active_test": not inactive, **(context or {})}, params=params
        ).json()
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise RetryLater(say("The answer is not what Tryton sends."), code="their_fault")
        if lacking := sorted({path for path in fields for row in found if not _holds(row, path.split("."))}):
            words = say("The user may not read %(fields)s of %(model)s.", fields=", ".join(lacking), model=model)
            raise Misconfigured(words, code="no_right_to_read")
        return found

    def search(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, order: Any = None, inactive: bool = False
    ) -> list[Row]:
        """The records with plain values."""
        found: list[Row] = plain(self.rows(model, domain, fields, order=order, inactive=inactive))
        return found

    def create(self, model: str, values: Row) -> None:
        self._ask("POST", f"/model/{model}", json=values, params={"f": ["id"]})

    def write(self, model: str, record: int, values: Row) -> None:
        self._ask("PUT", f"/model/{model}/{record}", json=values, params={"f": ["id"]})

    def delete(self, model: str, record: int) -> None:
        self._ask("DELETE", f"/model/{model}/{record}")

    def press(self, model: str, record: int, button: str) -> None:
        """What a click on this button does."""
        self._ask("POST", f"/model/{model}/{record}/{button}", json={}, params={"f": ["id"]})

    def _ask(self, method: str, path: str, context: Row | None = None, **request: Any) -> Answer:
        packed = _packed({**self.context, **(context or {})})
        headers = {"Authorization": f"bearer {self.key}", "X-Tryton-Context": packed}
        address = f"{self.url.rstrip('/')}/{self.database}/rest{path}"
        answer = self.http.request(method, address, headers=headers, accept=(400, 404, 429), **request)
        if answer.status >= 400:
            raise self._refusal(answer, path, writing=method != "GET")
        self.answered_at = answered_at(answer)
        return answer

    def _refusal(self, answer: Answer, path: str, *, writing: bool) -> Exception:
        detail = self.http.redact(answer.text)[:2000]
        if answer.status == 400:
            return _said_no(answer, detail, writing=writing)
        if answer.status == 404 and path.count("/") > 2:
            return RetryLater(say("The record is not there any more."), code="gone_meanwhile", detail=detail)
        if answer.status == 404:
            words = say("Tryton has no database %(database)s at this address.", database=self.database)
            return Misconfigured(words, code="no_database", detail=detail)
        error = self.http.refusal(answer, writing)
        if isinstance(error, RetryLater) and error.code == "slow_down":
            error.after = error.after or SLOW_DOWN
        return error


def _said_no(answer: Answer, detail: str, *, writing: bool) -> HubError:
    """400 means two things: as JSON a rule of the ERP, as HTML a lost race or fault whose true cause 8.0 hides."""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return RetryLater(say("Tryton was disturbed."), maybe_written=writing, code="their_fault", detail=detail)
    said = codec.load_object(answer.body)
    message = " ".join(str(said[name]) for name in ("message", "description") if said.get(name))
    return Rejected(say("Tryton refuses it: %(message)s", message=message[:1000]), code="refused", detail=detail)
