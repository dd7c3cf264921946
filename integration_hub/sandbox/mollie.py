"""A played Mollie: HAL lists with cursors, refunds under idempotency keys, settlements, and webhooks that only say an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .hooks import Parcel, Sender, is_local
from .http import Request, Response, json_response
from .purse import Purse, PurseError
from .store import Record
from .world import MOLLIE_KEY, MOLLIE_TOKEN

PREFIX = "/mollie"
_TYPES = {
    "charge": "payment",
    "refund": "refund",
    "refund_failure": "returned-refund",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback-reversal",
    "fee": "invoice-compensation",
    "payout": "outgoing-transfer",
}
_STATUS = {"in_transit": "pending", "paid": "paidout"}
_REFUNDED = {"succeeded": "refunded", "failed": "failed"}
_ITEMS = {"payments": "charge", "refunds": "refund", "chargebacks": "dispute", "captures": "capture"}


class Mollie:
    """Answers ``/mollie/v2/…`` and calls the webhook of a payment when something happens to it."""

    name = "mollie"
    prefix = PREFIX + "/"

    def __init__(self, purse: Purse, sender: Sender) -> None:
        self._purse = purse
        self._sender = sender
        self._shown: Mapping[str, tuple[str, Callable[[Record], Record]]] = {
            "payments": ("payments", self.payment),
            "refunds": ("refunds", self.refund),
            "chargebacks": ("disputes", self.chargeback),
            "settlements": ("payouts", self.settlement),
        }
        purse.listeners.append(self._happened)

    def handle(self, request: Request) -> Response:
        _, _, version, *path = request.path.rstrip("/").split("/")
        books = bool(path) and path[0] in ("balances", "settlements")
        if request.headers.get("authorization") != f"Bearer {MOLLIE_TOKEN if books else MOLLIE_KEY}":
            return _error(401, "Missing authentication, or failed to authenticate")
        if version != "v2" or not path:
            return _error(404, "The resource does not exist")
        if request.method == "POST":
            return self._refund(path, request) if path[2:] == ["refunds"] else _error(404, "No such resource")
        return self._read(path, request)

    def writes(self, request: Request) -> bool:
        return request.method == "POST"

    def failure(self, status: int, retry_after: int) -> Response:
        answer = _error(status, "Something went wrong")
        return Response(status, answer.body, {**answer.headers, "Retry-After": str(retry_after)})

    def _read(self, path: list[str], request: Request) -> Response:
        if path[0] == "balances":
            return self._balance(path, request)
        table, show = self._shown.get(path[0], ("", dict))
        if not table:
            return _error(404, "The resource does not exist")
        if len(path) == 1:
            return self._listed(path[0], [show(row) for row in self._purse.rows(table, self.name)], request)
        row = self._purse.find(table, path[1])
        if row is None or row["provider"] != self.name:
            return _error(404, "No such object exists with this id")
        if len(path) == 3:
            return self._inside(path, row, request)
        return json_response(self._with_embedded(show(row), row) if "embed" in request.query else show(row))

    def _balance(self, path: list[str], request: Request) -> Response:
        if len(path) == 2:
            return json_response({"resource": "balance", "id": "bal_sandbox", "currency": "EUR"})
        moves = self._purse.moves(self.name)
        return self._listed("balance_transactions", [self.entry(row) for row in moves], request)

    def _inside(self, path: list[str], row: Record, request: Request) -> Response:
        """The items of a settlement, or the refunds of a payment."""
        if path[0] == "settlements":
            kind = _ITEMS.get(path[2], "")
            keys = [one["about"] for one in self._purse.moves(self.name) if one["payout"] == row["key"] and
                    one["kind"] == kind]  # fmt: skip
            table, show = self._shown.get(path[2], ("payments", dict))
            found = [show(known) for key in keys if (known := self._purse.find(table, key))]
            return self._listed(path[2], [{**one, "settlementId": row["key"]} for one in found], request)
        return self._listed("refunds", self._of("refunds", row, self.refund), request)

    def _listed(self, name: str, rows: list[Record], request: Request) -> Response:
        """Newest first, from the id asked for, which comes again."""
        rows.reverse()
        start, limit = request.query.get("from"), int(request.query.get("limit", 50))
        ids = [row["id"] for row in rows]
        rows = rows[ids.index(start) :] if start in ids else rows
        href = f"https://api.mollie.com/v2/{name}?from={rows[limit]['id']}&limit={limit}" if len(rows) > limit else ""
        following = {"href": href, "type": "application/hal+json"} if href else None
        return json_response(
            {"count": len(rows[:limit]), "_embedded": {name: rows[:limit]}, "_links": {"next": following}}
        )

    def _of(self, table: str, payment: Record, show: Callable[[Record], Record]) -> list[Record]:
        return [show(row) for row in self._purse.rows(table, self.name) if row["payment"] == payment["key"]]

    def _with_embedded(self, shown: Record, row: Record) -> Record:
        refunds = self._of("refunds", row, self.refund)
        chargebacks = self._of("disputes", row, self.chargeback)
        return {**shown, "_embedded": {"refunds": refunds, "chargebacks": chargebacks}}

    def _refund(self, path: list[str], request: Request) -> Response:
        given: dict[str, Any] = request.json()
        key = request.headers.get("idempotency-key", "")
        try:
            amount = round(float(given["amount"]["value"]) * 100)
            row = self._purse.refund(path[1], amount, request=key, reason=given.get("description", ""))
        except (PurseError, KeyError, TypeError, ValueError) as error:
            return _error(422, str(error))
        row = self._purse.world.store.put("purse.refunds", {**row, "metadata": given.get("metadata")})
        return json_response(self.refund(row), 201)

    def payment(self, row: Record) -> Record:
        """A payment as Mollie shows it."""
        back = sum(one["amount"] for one in self._purse.rows("disputes", self.name) if one["payment"] == row["key"])
        return {
            "resource": "payment",
            "id": row["key"],
            "mode": "live",
            "createdAt": _when(row["created"]),
            "paidAt": _when(row["created"]),
            "amount": _money(row["amount"]),
            "amountRefunded": _money(row["refunded"]),
            "amountChargedBack": _money(back),
            "description": f"Bestellung {row['number']}",
            "method": "ideal",
            "metadata": {"order_number": row["number"], "shop": row["shop"]},
            "status": "paid",
            "details": {"consumerName": row["name"]},
            "countryCode": row["country"],
            "profileId": "pfl_sandbox",
        }

    def refund(self, row: Record) -> Record:
        """A refund as Mollie shows it."""
        return {
            "resource": "refund",
            "id": row["key"],
            "mode": "live",
            "amount": _money(row["amount"]),
            "status": _REFUNDED[row["status"]],
            "createdAt": _when(row["created"]),
            "description": row["reason"],
            "metadata": row.get("metadata"),
            "paymentId": row["payment"],
        }

    def chargeback(self, row: Record) -> Record:
        """A chargeback as Mollie shows it."""
        return {
            "resource": "chargeback",
            "id": row["key"],
            "amount": _money(row["amount"]),
            "settlementAmount": _money(-row["amount"]),
            "createdAt": _when(row["created"]),
            "reversedAt": _when(row["created"] + 60) if row["status"] == "won" else None,
            "reason": {"code": "AC01", "description": row["reason"]},
            "paymentId": row["payment"],
        }

    def settlement(self, row: Record) -> Record:
        """A settlement as Mollie shows it."""
        paid = row.get("arrived")
        return {
            "resource": "settlement",
            "id": row["key"],
            "reference": f"SANDBOX.{row['id']:04}.{row['key']}",
            "createdAt": _when(row["created"]),
            "settledAt": _when(paid) if paid else None,
            "status": _STATUS[row["status"]],
            "amount": _money(row["amount"]),
            "periods": {},
        }

    def entry(self, row: Record) -> Record:
        """A movement of the balance as Mollie shows it."""
        context = {"paymentId": row["payment"]} if row["payment"] else {}
        name = {"refund": "refundId", "refund_failure": "refundId", "dispute": "chargebackId",
                "dispute_reversal": "chargebackId", "payout": "settlementId"}.get(row["kind"])  # fmt: skip
        return {
            "resource": "balance_transaction",
            "id": f"baltr_sandbox{row['id']:06}",
            "type": _TYPES[row["kind"]],
            "initialAmount": _money(row["gross"]),
            "deductions": _money(-row["fee"]),
            "resultAmount": _money(row["gross"] - row["fee"]),
            "createdAt": _when(row["created"]),
            "context": {**context, **({name: row["about"]} if name else {})},
        }

    def _happened(self, provider: str, what: str, row: Record) -> None:
        payment = row.get("payment") or row["key"]
        if provider != self.name or not payment.startswith("tr_"):
            return
        for hook in self._purse.world.store.rows("mollie.webhooks"):
            self._sender.soon(0.1, lambda hook=hook: self._post(hook, payment))  # type: ignore[misc]

    def _post(self, hook: Record, payment: str) -> None:
        if is_local(hook["url"]):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            self._sender.send(Parcel(self.name, hook["url"], f"id={payment}".encode(), headers))

    def subscribe(self, url: str, secret: str = "") -> Record:
        """The webhook address that the shops put into their payments; ``secret`` is none, nothing is signed."""
        store = self._purse.world.store
        for row in store.rows("mollie.webhooks"):
            store.remove("mollie.webhooks", row["id"])
        return store.add("mollie.webhooks", {"url": url})


def _money(amount: int) -> Record:
    sign = "-" if amount < 0 else ""
    return {"currency": "EUR", "value": f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"}


def _when(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def _error(status: int, detail: str) -> Response:
    return json_response({"status": status, "title": "Error", "detail": detail}, status)
