"""A played Stripe account: lists with cursors, expansions, refunds under idempotency keys, signed webhooks, events."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from .hooks import Parcel, Sender, is_local
from .http import Request, Response, json_response
from .purse import Purse, PurseError
from .store import Record
from .stripe_types import Words
from .world import STRIPE_KEY

PREFIX = "/stripe"
EVENTS = {
    "paid": "charge.succeeded",
    "refunded": "refund.created",
    "refund_failed": "refund.failed",
    "disputed": "charge.dispute.created",
    "decided": "charge.dispute.closed",
    "payout": "payout.created",
    "payout_paid": "payout.paid",
}


class Stripe:
    """Answers ``/stripe/v1/…`` and sends signed webhooks."""

    name = "stripe"
    prefix = PREFIX + "/"

    def __init__(self, purse: Purse, sender: Sender) -> None:
        self._purse = purse
        self._sender = sender
        self._words = Words(purse)
        self._shown: Mapping[str, tuple[str, Callable[[Record], Record]]] = {
            "charges": ("payments", self._words.charge),
            "refunds": ("refunds", self._words.refund),
            "disputes": ("disputes", self._words.dispute),
            "payouts": ("payouts", self._words.payout),
        }
        purse.listeners.append(self._happened)

    def handle(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {STRIPE_KEY}":
            return _error(401, "Invalid API Key provided")
        _, _, version, kind, *rest = [*request.path.rstrip("/").split("/"), ""][:6]
        if version != "v1":
            return _error(404, "Unrecognized request URL")
        wanted = _many(request)
        if request.method == "POST":
            return self._refund(request) if kind == "refunds" else _error(404, "Unrecognized request URL")
        return self._one(kind, rest[0], wanted) if rest and rest[0] else self._all(kind, request.query, wanted)

    def writes(self, request: Request) -> bool:
        return request.method == "POST"

    def failure(self, status: int, retry_after: int) -> Response:
        answer = _error(status, "An unknown error occurred")
        return Response(status, answer.body, {**answer.headers, "Retry-After": str(retry_after)})

    def _one(self, kind: str, key: str, expand: list[str]) -> Response:
        if kind == "payment_intents":
            row = self._purse.find("payments", key.replace("pi_", "ch_", 1))
            found = self._words.intent(row) if row else None
        else:
            table, show = self._shown.get(kind, ("payments", lambda row: None))
            row = self._purse.find(table, key)
            found = show(row) if row and row["provider"] == "stripe" else None
        return json_response(self._expanded(found, expand)) if found else _error(404, f"No such object: '{key}'")

    def _all(self, kind: str, query: Mapping[str, str], wanted: list[str]) -> Response:
        if kind == "balance":
            return json_response({"object": "balance", "livemode": False, "available": [], "pending": []})
        rows = self._rows(kind, query)
        if rows is None:
            return _error(404, "Unrecognized request URL")
        if since := query.get("created[gte]"):
            rows = [row for row in rows if row["created"] >= int(since)]
        after = query.get("starting_after")
        if after:
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(after) + 1 :] if after in ids else []
        limit = int(query.get("limit", 10))
        expand = [name.removeprefix("data.") for name in wanted]
        data = [self._expanded(row, expand) for row in rows[:limit]]
        return json_response({"object": "list", "data": data, "has_more": len(rows) > limit, "url": f"/v1/{kind}"})

    def _rows(self, kind: str, query: Mapping[str, str]) -> list[Record] | None:
        """Newest first, as Stripe lists everything."""
        store = self._purse.world.store
        if kind == "balance_transactions":
            moves = self._purse.moves("stripe")
            payout = query.get("payout")
            if payout:
                moves = [row for row in moves if payout in (row["payout"], row["about"])]
            return [self._words.entry(row) for row in reversed(moves)]
        if kind == "events":
            return [row["event"] for row in reversed(store.rows("stripe.events"))]
        if kind == "webhook_endpoints":
            return [row for row in store.rows("stripe.webhooks") if row.get("object")]
        if kind not in self._shown:
            return None
        table, show = self._shown[kind]
        rows = self._purse.rows(table, "stripe")
        if payment := query.get("charge") or query.get("payment_intent", "").replace("pi_", "ch_", 1):
            rows = [row for row in rows if row["payment"] == payment]
        return [show(row) for row in reversed(rows)]

    def _expanded(self, found: Record, expand: list[str]) -> Record:
        for path in expand:
            name, _, further = path.partition(".")
            if isinstance(found.get(name), str):
                value = found[name]
                inner = self._words.entry_of(value) if value.startswith("txn_") else self._words.source(value)
                found = {**found, name: self._expanded(inner, [further] if further else []) if inner else value}
        return found

    def _refund(self, request: Request) -> Response:
        given = dict(parse_qsl(request.body.decode()))
        key = request.headers.get("idempotency-key", "")
        payment = given.get("charge") or given.get("payment_intent", "").replace("pi_", "ch_", 1)
        replayed = any(key and row["request"] == key for row in self._purse.rows("refunds", "stripe"))
        try:
            row = self._purse.refund(payment, int(given.get("amount", 0)), request=key)
        except PurseError as error:
            return _error(400, str(error), "charge_already_refunded")
        if not replayed:
            metadata = {name[9:-1]: value for name, value in given.items() if name.startswith("metadata[")}
            row = self._purse.world.store.put("purse.refunds", {**row, "metadata": metadata})
        headers = {"Idempotent-Replayed": "true"} if replayed else {}
        return json_response(self._words.refund(row), 200, headers)

    def _happened(self, provider: str, what: str, row: Record) -> None:
        if provider != self.name:
            return
        store = self._purse.world.store
        number = store.next_id("stripe.events")
        table = next(
            name for name in ("payments", "refunds", "disputes", "payouts") if self._purse.find(name, row["key"])
        )
        show = next(show for of, show in self._shown.values() if of == table)
        event = {
            "id": f"evt_sandbox{number:06}",
            "object": "event",
            "api_version": "2025-09-30.clover",
            "created": int(time.time()),
            "data": {"object": show(row)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": EVENTS[what],
        }
        store.put("stripe.events", {"id": number, "event": event})
        for hook in store.rows("stripe.webhooks"):
            self._sender.soon(0.1, lambda hook=hook: self._post(hook, event))  # type: ignore[misc]

    def _post(self, hook: Record, event: Record) -> None:
        if is_local(hook["url"]):
            body = json.dumps(event, indent=2).encode()
            self._sender.send(Parcel(self.name, hook["url"], body, {**_JSON, **signed(hook["secret"], body)}))

    def subscribe(self, url: str, secret: str) -> Record:
        """A webhook endpoint for everything; one address has one."""
        store = self._purse.world.store
        for row in store.rows("stripe.webhooks"):
            if row["url"] == url:
                store.remove("stripe.webhooks", row["id"])
        number = store.next_id("stripe.webhooks")
        row = {"url": url, "secret": secret, "enabled_events": ["*"], "status": "enabled", "object": "webhook_endpoint"}
        return store.put("stripe.webhooks", {"id": number, "created": int(time.time()), **row})


_JSON = {"Content-Type": "application/json; charset=utf-8"}


def signed(secret: str, body: bytes, at: int | None = None) -> dict[str, str]:
    """The header that Stripe sends with these bytes."""
    stamp = str(at if at is not None else int(time.time()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}


def _many(request: Request) -> list[str]:
    return [value for name, value in request.pairs if name == "expand[]"]


def _error(status: int, message: str, code: str = "") -> Response:
    error: dict[str, Any] = {"message": message, "type": "invalid_request_error"}
    return json_response({"error": {**error, "code": code} if code else error}, status)
