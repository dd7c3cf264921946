"""One ``call`` over Odoo's two doors: JSON-2 (19 and later) and JSON-RPC (before), with their ways to state an error.

JSON-RPC answers HTTP 200 even to errors, and leaves ``result`` out where a method returns None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.text import say

from .http import Answer, Http, answered_at

Row = dict[str, Any]
JSON2 = "json2"
JSON_RPC = "jsonrpc"
AUTO = "auto"
MANY = 2000

# Over JSON-2 all arguments are named.  Over JSON-RPC these are not: ``create`` looks at its first positional argument
# before 18, and ``search_count`` called its domain otherwise before 16.
_POSITIONAL = ("domain", "vals_list", "vals")
_READING = frozenset({"search_read", "read", "fields_get", "search_count"})
_PASSING = ("SerializationFailure", "TransactionRollback", "DeadlockDetected", "LockNotAvailable", "LockError")
_CREDENTIALS = ("AccessDenied", "SessionExpired", "Unauthorized")


class NoSuchDoor(Misconfigured):
    """This Odoo has no JSON-2 interface (404 without Odoo's own error body)."""


class OdooRpc:
    """Calls of one connection; remembers which door is open, and the server's clock at its last answer."""

    def __init__(self, http: Http, database: str, login: str, api_key: str, transport: str) -> None:
        self._http = http
        self._database = database
        self._login = login
        self._key = api_key
        self._transport = transport
        self._uid: int | None = None
        self.answered_at: datetime | None = None

    @property
    def transport(self) -> str:
        return self._transport

    def call(
        self, model: str, method: str, *, ids: Sequence[int] = (), context: Mapping[str, Any] | None = None, **args: Any
    ) -> Any:
        """Call a model's method with named arguments; None where the method returns nothing."""
        if self._transport == JSON_RPC:
            return self._by_rpc(model, method, ids, args, context or {})
        try:
            result = self._by_json2(model, method, ids, args, context or {})
        except NoSuchDoor:
            if self._transport != AUTO:
                raise
            self._transport = JSON_RPC
            return self._by_rpc(model, method, ids, args, context or {})
        self._transport = JSON2
        return result

    def rows(self, model: str, method: str, *, names: Sequence[str], **rest: Any) -> list[Row]:
        """The records of a reading call, each with its id and the fields asked for."""
        found = self.call(model, method, fields=list(names), **rest)
        if not isinstance(found, list) or not all(_complete(row, names) for row in found):
            raise _senseless(False)
        return found

    def every(self, model: str, domain: Sequence[Any], names: Sequence[str], **context: Any) -> Iterator[Row]:
        """All records of a domain, however many, by ascending id."""
        last, full = 0, True
        while full:
            after = [["id", ">", last], *domain]
            found = self.rows(model, "search_read", names=names, domain=after, order="id", limit=MANY, context=context)
            yield from found
            last, full = found[-1]["id"] if found else last, len(found) == MANY

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """The id of a new record."""
        found = self.call(model, "create", vals_list=[values])
        if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], int):
            raise _senseless(True)
        return found[0]

    def known(self, model: str, names: Sequence[str]) -> frozenset[str]:
        """Which of these fields the model has."""
        found = self.call(model, "fields_get", allfields=list(names), attributes=["type"])
        if not isinstance(found, dict):
            raise _senseless(False)
        return frozenset(names) & frozenset(found)

    def count(self, model: str, domain: Sequence[Any]) -> int:
        """How many records a domain describes."""
        found = self.call(model, "search_count", domain=list(domain))
        if not isinstance(found, int):
            raise _senseless(False)
        return found

    def _by_json2(
        self, model: str, method: str, ids: Sequence[int], args: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        writes = method not in _READING
        body = {**args, **({"ids": list(ids)} if ids else {}), **({"context": context} if context else {})}
        headers = {"Authorization": f"bearer {self._key}"}
        if self._database:
            headers["X-Odoo-Database"] = self._database
        path = f"/json/2/{model}/{method}"
        answer = self._http.request("POST", path, json=body, headers=headers, accept=range(400, 600), writes=writes)
        self.answered_at = answered_at(answer)
        if answer.status >= 400:
            raise self._json2_error(answer, writes)
        return _json(answer, writes)

    def _json2_error(self, answer: Answer, writes: bool) -> Exception:
        """Odoo names the exception in the body; a proxy in front of it does not, and then the status decides."""
        stated = _object(answer)
        if stated is None and answer.status == 404:
            return NoSuchDoor(
                say("This Odoo has no JSON-2 interface (choose JSON-RPC), or no such database."), code="no_json2"
            )
        if stated is None or "name" not in stated or answer.status in (401, 429, 503):
            return self._http.refusal(answer, writes)
        return self._error(str(stated["name"]), str(stated.get("message", "")), str(stated.get("debug", "")), writes)

    def _by_rpc(
        self, model: str, method: str, ids: Sequence[int], args: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        named = {**args, **({"context": context} if context else {})}
        positional = ([list(ids)] if ids else []) + [named.pop(name) for name in _POSITIONAL if name in named]
        call = [self._database, self.uid(), self._key, model, method, positional, named]
        return self._rpc("object", "execute_kw", call, writes=method not in _READING)

    def uid(self) -> int:
        """Log in (once); Odoo answers false for a wrong login or key."""
        if self._uid is None:
            found = self._rpc("common", "authenticate", [self._database, self._login, self._key, {}], writes=False)
            if not isinstance(found, int) or not found:
                words = say("Odoo does not accept the database, login or API key.")
                raise Misconfigured(words, code="refused_credentials")
            self._uid = found
        return self._uid

    def _rpc(self, service: str, method: str, args: Sequence[Any], *, writes: bool) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        answer = self._http.request("POST", "/jsonrpc", json=body, writes=writes)
        self.answered_at = answered_at(answer)
        stated = _json(answer, writes)
        if not isinstance(stated, dict):
            raise _senseless(writes)
        if "error" in stated:
            error = fields.child(stated, "error")
            data = fields.child(error, "data")
            message = str(data.get("message") or error.get("message", ""))
            raise self._error(str(data.get("name", "")), message, str(data.get("debug", "")), writes)
        return stated.get("result")

    def _error(self, name: str, message: str, debug: str, writes: bool) -> HubError:
        """Ours for Odoo's: by the exception's name, whichever door it came through."""
        detail = self._http.redact(f"{name}: {message}\n{debug}")[:2000]
        short = name.rsplit(".", maxsplit=1)[-1]
        message = self._http.redact(message)[:500]
        if any(word in name for word in _PASSING) or "could not serialize access" in message:
            return RetryLater(say("Odoo was busy with the same records."), code="their_conflict", detail=detail)
        if any(word in name for word in _CREDENTIALS):
            words = say("Odoo does not accept the database, login or API key.")
            return Misconfigured(words, code="refused_credentials", detail=detail)
        if short == "AccessError":
            words = say("The Odoo user lacks a right: %(message)s", message=message)
            return Misconfigured(words, code="refused_rights", detail=detail)
        if short == "OperationalError" and "database" in message and "does not exist" in message:
            return Misconfigured(say("Odoo has no such database."), code="unknown_database", detail=detail)
        if short in ("OperationalError", "InterfaceError", "PoolError"):
            return RetryLater(say("Odoo has a fault."), maybe_written=writes, code="their_fault", detail=detail)
        return Rejected(say("Odoo refused it: %(message)s", message=message), code="refused", detail=detail)


def _complete(row: Any, names: Sequence[str]) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), int) and row.keys() >= set(names)


def _json(answer: Answer, writes: bool) -> Any:
    try:
        return answer.json()
    except Rejected:
        raise _senseless(writes) from None


def _senseless(writes: bool) -> RetryLater:
    """Most often a proxy or a start page that answers in Odoo's place for a while."""
    return RetryLater(say("The address answers, but not as Odoo does."), maybe_written=writes, code="not_an_api")


def _object(answer: Answer) -> dict[str, Any] | None:
    """The error body: an object since 19, a plain JSON string in early builds, nothing of the kind from a proxy."""
    try:
        value = answer.json()
    except Rejected:
        return None
    if isinstance(value, str):
        return {"name": "", "message": value}
    return value if isinstance(value, dict) else None
