"""A Shopware shop in memory: token, search, custom fields, tracking codes and the three state machines."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.connectors.world import Reply

from . import goods, payloads

_MOVE = re.compile(r"/api/_action/(order|order_delivery|order_transaction)/([0-9a-f]{32})/state/([a-z_]+)")
_PATCH = re.compile(r"/api/(order|order-delivery)/([0-9a-f]{32})")
_ROWS = {"order_delivery": "deliveries", "order-delivery": "deliveries", "order_transaction": "transactions"}
TOKEN = "eyJ0eXAi-test-token"

# the moves that Shopware's documentation draws (snippets/mermaid-diagrams of shopware/docs), by machine and action
MOVES: dict[str, dict[str, dict[str, str]]] = {
    "order": {
        "process": {"open": "in_progress"},
        "complete": {"in_progress": "completed"},
        "cancel": {"open": "cancelled", "in_progress": "cancelled"},
    },
    "order_delivery": {
        "ship": {"open": "shipped", "shipped_partially": "shipped"},
        "ship_partially": {"open": "shipped_partially"},
        "retour": dict.fromkeys(("shipped", "shipped_partially", "returned_partially"), "returned"),
        "retour_partially": dict.fromkeys(("shipped", "shipped_partially"), "returned_partially"),
    },
    "order_transaction": {
        "paid": dict.fromkeys(
            ("open", "in_progress", "failed", "authorized", "unconfirmed", "cancelled", "chargeback"), "paid"
        ),
        "refund": dict.fromkeys(("paid", "paid_partially", "refunded_partially", "cancelled"), "refunded"),
        "refund_partially": dict.fromkeys(("paid", "paid_partially", "cancelled"), "refunded_partially"),
        "chargeback": dict.fromkeys(("paid", "paid_partially"), "chargeback"),
    },
}


def refusal(status: int, code: str, detail: str = "") -> Reply:
    return status, {}, json.dumps({"errors": [{"status": str(status), "code": code, "title": "No", "detail": detail}]})


class Shop:
    """Keeps what is written; ``tokens`` counts how often one was asked for, ``stale`` are those not taken any more."""

    def __init__(self, *orders: dict[str, Any]) -> None:
        self.orders = [copy.deepcopy(order) for order in (orders or (payloads.order(),))]
        self.products = goods.shelf()
        self.returns = [payloads.back()]
        self.writes: list[tuple[str, Any]] = []
        self.tokens = 0
        self.stale: set[str] = set()

    def is_write(self, request: requests.PreparedRequest) -> bool:
        path = urlsplit(str(request.url)).path
        return not path.startswith(("/api/oauth/", "/api/search/"))

    def made(self) -> Any:
        return list(self.writes)

    def answer(self, request: requests.PreparedRequest) -> Reply:
        path, body = urlsplit(str(request.url)).path, json.loads(request.body or b"{}")
        if path == "/api/oauth/token":
            return self._token(body)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}{self.tokens}" or not self.tokens:
            return refusal(401, "9", "The resource owner or authorization server denied the request.")
        if path.startswith("/api/search/"):
            return self._search(path.rpartition("/")[2], body)
        if path == "/api/_action/sync":
            return self._sync(body)
        if found := _MOVE.fullmatch(path):
            return self._move(found[1], found[2], found[3], body)
        if found := _PATCH.fullmatch(path):
            return self._patch(found[1], found[2], body)
        return refusal(404, "0", "No route found")

    def _search(self, entity: str, body: Any) -> Reply:
        if entity == "order-return":
            return 200, {}, json.dumps({"total": 0, "data": _paged(self.returns, body)})
        rows = self.orders if entity == "order" else self.products
        return 200, {}, json.dumps({"total": 0, "data": _found(rows, body)})

    def _token(self, body: Any) -> Reply:
        if (body.get("client_id"), body.get("client_secret")) != ("SWIATEST0001", "secret-of-the-key"):
            return refusal(401, "4", "Client authentication failed")
        self.tokens += 1
        return 200, {}, json.dumps({"token_type": "Bearer", "expires_in": 600, "access_token": f"{TOKEN}{self.tokens}"})

    def _sync(self, operations: Any) -> Reply:
        (operation,) = operations
        assert (operation["action"], operation["entity"]) == ("upsert", "product")
        for wish in operation["payload"]:
            row = next(row for row in self.products if row["id"] == wish["id"])
            row["availableStock"] += wish["stock"] - row["stock"]
            row["stock"] = wish["stock"]
            self.writes.append(("stock", wish))
        return 200, {}, json.dumps({"data": {}})

    def _row(self, entity: str, row_id: str) -> Any:
        rows = [row for order in self.orders for row in (order[_ROWS[entity]] if entity in _ROWS else [order])]
        return next((row for row in rows if row["id"] == row_id), None)

    def _move(self, machine: str, row_id: str, action: str, body: Any) -> Reply:
        row = self._row(machine, row_id)
        if row is None:
            return refusal(404, "FRAMEWORK__STATE_MACHINE_STATE_NOT_FOUND", "no such row")
        now = row["stateMachineState"]["technicalName"]
        goal = MOVES[machine].get(action, {}).get(now)
        if goal is None:
            return refusal(
                400, "SYSTEM__ILLEGAL_STATE_TRANSITION", f'Illegal transition "{action}" from state "{now}".'
            )
        row["stateMachineState"] = payloads.state(goal)
        self.writes.append((f"{machine} {action}", body["sendMail"]))
        return 200, {}, json.dumps(row["stateMachineState"])

    def _patch(self, entity: str, row_id: str, body: Any) -> Reply:
        row = self._row(entity, row_id)
        if row is None:
            return refusal(404, "FRAMEWORK__WRITE_CONSTRAINT_VIOLATION", "no such row")
        fields = {**(row.get("customFields") or {}), **body.get("customFields", {})}
        row.update({**body, "customFields": fields})
        self.writes.append((entity, body))
        return 204, {}, ""


def _paged(rows: list[Any], criteria: Any) -> list[Any]:
    found = [row for row in rows if all(_meets(row, one) for one in criteria.get("filter", ()))]
    found.sort(key=lambda row: (row["createdAt"], row["id"]))
    start = (criteria.get("page", 1) - 1) * criteria["limit"]
    return found[start : start + criteria["limit"]]


def _found(rows: list[Any], criteria: Any) -> list[Any]:
    found = [row for row in rows if all(_meets(row, one) for one in criteria.get("filter", ()))]
    return sorted(found, key=lambda row: int(row["autoIncrement"]))[: criteria["limit"]]


def _meets(order: Any, wanted: Any) -> bool:
    if wanted["type"] == "not":
        return not any(_meets(order, one) for one in wanted["queries"])
    if wanted["type"] == "multi":
        return any(_meets(order, one) for one in wanted["queries"])
    values = list(_values(order, wanted["field"].split(".")))
    if wanted["type"] == "equalsAny":
        return any(value in wanted["value"] for value in values)
    return any(_within(value, wanted["parameters"]) for value in values if value is not None)


def _values(row: Any, names: list[str]) -> Iterator[Any]:
    found = row.get(names[0])
    if len(names) == 1:
        yield found
        return
    for one in found if isinstance(found, list) else [found] if found else ():
        yield from _values(one, names[1:])


def _within(value: Any, bounds: Any) -> bool:
    limits = {name: _comparable(bound) for name, bound in bounds.items()}
    own = _comparable(value)
    return (
        ("gte" not in limits or own >= limits["gte"])
        and ("gt" not in limits or own > limits["gt"])
        and ("lt" not in limits or own < limits["lt"])
    )


def _comparable(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
