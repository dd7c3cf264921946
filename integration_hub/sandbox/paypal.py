"""A played PayPal: tokens, captures and refunds, disputes, the transaction search, and webhooks signed with RSA."""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from .hooks import Parcel, Sender, is_local
from .http import Request, Response, json_response
from .purse import Purse, PurseError
from .store import Record
from .world import PAYPAL_ID, PAYPAL_SECRET

PREFIX = "/paypal"
CODES = {
    "charge": "T0006",
    "refund": "T1107",
    "refund_failure": "T1100",
    "dispute": "T1201",
    "dispute_reversal": "T1202",
    "fee": "T0101",
    "payout": "T0400",
}
EVENTS = {
    "paid": ("capture", "PAYMENT.CAPTURE.COMPLETED"),
    "refunded": ("refund", "PAYMENT.CAPTURE.REFUNDED"),
    "refund_failed": ("refund", "PAYMENT.REFUND.FAILED"),
    "disputed": ("dispute", "CUSTOMER.DISPUTE.CREATED"),
    "decided": ("dispute", "CUSTOMER.DISPUTE.RESOLVED"),
}
_STATUS = {"succeeded": "COMPLETED", "failed": "FAILED"}
_OUTCOME = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}


class PayPal:
    """Answers ``/paypal/v1/…`` and ``/paypal/v2/…`` and sends signed webhooks."""

    name = "paypal"
    prefix = PREFIX + "/"

    def __init__(self, purse: Purse, sender: Sender) -> None:
        self._purse = purse
        self._sender = sender
        self._token = secrets.token_hex(20)
        self._serial = secrets.token_hex(8)  # a new start has a new key, and so a certificate of a new address
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = certificate(self._key)
        purse.listeners.append(self._happened)

    def handle(self, request: Request) -> Response:
        path = request.path.removeprefix(PREFIX)
        if path == f"/v1/notifications/certs/{self._serial}":
            return Response(200, self._certificate, {"Content-Type": "application/x-pem-file"})
        if path == "/v1/oauth2/token":
            return self._login(request)
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _error(401, "INVALID_TOKEN", "Token signature verification failed")
        if request.method == "POST":
            key, _, what = path.removeprefix("/v2/payments/captures/").partition("/")
            return self._refund(key, request) if what == "refund" else _error(404, "NOT_FOUND", path)
        return self._read(path, request)

    def _read(self, path: str, request: Request) -> Response:
        if path.startswith("/v1/reporting/"):
            return self._report(path.removeprefix("/v1/reporting/"), request)
        if path == "/v1/customer/disputes":
            found = [self.dispute(row) for row in self._purse.rows("disputes", self.name)]
            return json_response({"items": found, "links": []})
        *_, kind, key = path.split("/")
        return self._one(kind, key)

    def writes(self, request: Request) -> bool:
        return request.method == "POST" and request.path.endswith("/refund")

    def failure(self, status: int, retry_after: int) -> Response:
        answer = _error(status, "INTERNAL_SERVICE_ERROR", "An internal service error has occurred")
        return Response(status, answer.body, {**answer.headers, "Retry-After": str(retry_after)})

    def _login(self, request: Request) -> Response:
        basic = base64.b64encode(f"{PAYPAL_ID}:{PAYPAL_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return json_response({"error": "invalid_client", "error_description": "Client Authentication failed"}, 401)
        return json_response({"access_token": self._token, "token_type": "Bearer", "expires_in": 32400})

    def _one(self, kind: str, key: str) -> Response:
        shown: dict[str, tuple[str, Callable[[Record], Record]]] = {
            "captures": ("payments", self.capture),
            "refunds": ("refunds", self.refund),
            "disputes": ("disputes", self.dispute),
            "orders": ("payments", self.order),
        }
        table, show = shown.get(kind, ("payments", self.capture))
        row = self._purse.find(table, key.removeprefix("ORDER-"))
        if kind not in shown or row is None or row["provider"] != self.name:
            return _error(404, "RESOURCE_NOT_FOUND", "The specified resource does not exist.")
        return json_response(show(row))

    def _report(self, kind: str, request: Request) -> Response:
        if kind == "balances":
            return json_response({"account_id": "SANDBOX", "balances": []})
        start, end = (datetime.fromisoformat(request.query[name]) for name in ("start_date", "end_date"))
        if end - start > timedelta(days=31):
            return _error(400, "INVALID_REQUEST", "Date range is greater than 31 days")
        rows = [self.row(row) for row in self._purse.moves(self.name)]
        found = [row for row in rows if start <= datetime.fromisoformat(_begun(row)) <= end]
        size, page = int(request.query.get("page_size", 100)), int(request.query.get("page", 1))
        pages = -(-len(found) // size)
        return json_response(
            {
                "transaction_details": found[(page - 1) * size : page * size],
                "account_number": "SANDBOX",
                "page": page,
                "total_items": len(found),
                "total_pages": pages,
            }
        )

    def _refund(self, key: str, request: Request) -> Response:
        given: dict[str, Any] = request.json()
        asked = request.headers.get("paypal-request-id", "")
        known = any(asked and row["request"] == asked for row in self._purse.rows("refunds", self.name))
        try:
            amount = round(float(given["amount"]["value"]) * 100)
            row = self._purse.refund(key, amount, request=asked, reason=given.get("note_to_payer", ""))
        except (PurseError, KeyError, TypeError, ValueError) as error:
            return _error(422, "UNPROCESSABLE_ENTITY", str(error), "REFUND_AMOUNT_EXCEEDED")
        if not known:
            row = self._purse.world.store.put("purse.refunds", {**row, "custom_id": given.get("custom_id", "")})
        return json_response(self.refund(row), 200 if known else 201)

    def capture(self, row: Record) -> Record:
        """A capture as PayPal shows it; the fee is positive here."""
        fee = next(one["fee"] for one in self._purse.moves_of(self.name, row["key"]))
        left = row["amount"] - row["refunded"]
        return {
            "id": row["key"],
            "status": "REFUNDED" if not left else "PARTIALLY_REFUNDED" if row["refunded"] else "COMPLETED",
            "amount": _money(row["amount"]),
            "final_capture": True,
            "invoice_id": row["number"],
            "custom_id": f"{row['shop']}:{row['order_id']}",
            "seller_receivable_breakdown": {
                "gross_amount": _money(row["amount"]),
                "paypal_fee": _money(fee),
                "net_amount": _money(row["amount"] - fee),
            },
            "supplementary_data": {"related_ids": {"order_id": f"ORDER-{row['key']}"}},
            "create_time": _when(row["created"]),
            "update_time": _when(row["created"]),
            "links": [],
        }

    def refund(self, row: Record) -> Record:
        """A refund as PayPal shows it; its fee is not given back."""
        return {
            "id": row["key"],
            "status": _STATUS[row["status"]],
            "amount": _money(row["amount"]),
            "note_to_payer": row["reason"],
            "custom_id": row.get("custom_id", ""),
            "seller_payable_breakdown": {
                "gross_amount": _money(row["amount"]),
                "paypal_fee": _money(0),
                "net_amount": _money(row["amount"]),
                "total_refunded_amount": _money(row["amount"]),
            },
            "create_time": _when(row["created"]),
            "update_time": _when(row["created"]),
            "links": [
                {"rel": "up", "method": "GET", "href": f"https://api.paypal.com/v2/payments/captures/{row['payment']}"}
            ],
        }

    def order(self, row: Record) -> Record:
        """The checkout order with what happened to its money."""
        refunds = [self.refund(one) for one in self._purse.rows("refunds", self.name) if one["payment"] == row["key"]]
        payments = {"captures": [self.capture(row)], "refunds": refunds}
        return {"id": f"ORDER-{row['key']}", "status": "COMPLETED", "purchase_units": [{"payments": payments}]}

    def dispute(self, row: Record) -> Record:
        """A dispute as PayPal shows it."""
        over = row["status"] != "open"
        return {
            "dispute_id": row["key"],
            "create_time": _when(row["created"]),
            "update_time": _when(row["created"] + (60 if over else 0)),
            "disputed_transactions": [{"seller_transaction_id": row["payment"]}],
            "reason": row["reason"].upper(),
            "status": "RESOLVED" if over else "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": _money(row["amount"]),
            "dispute_life_cycle_stage": "CHARGEBACK",
            "seller_response_due_date": _when(row["due"]),
            **({"dispute_outcome": {"outcome_code": _OUTCOME[row["status"]]}} if over else {}),
        }

    def row(self, row: Record) -> Record:
        """A row of the transaction search; the fee is negative here."""
        payment = self._purse.find("payments", row["payment"]) or {}
        when = datetime.fromtimestamp(row["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        named = row["kind"] in ("charge", "refund", "payout")
        info = {
            "paypal_account_id": "SANDBOX",
            "transaction_id": row["about"] if named else f"MOVE{row['id']:06}",
            "transaction_event_code": CODES[row["kind"]],
            "transaction_initiation_date": when,
            "transaction_updated_date": when,
            "transaction_amount": _money(row["gross"]),
            "fee_amount": _money(-row["fee"]),
            "ending_balance": _money(self._balance_after(row)),
            "transaction_status": "S",
            "invoice_id": payment.get("number", ""),
            "transaction_subject": f"Bestellung {payment['number']}" if payment else "",
        }
        if row["kind"] != "charge" and payment:
            info |= {"paypal_reference_id": payment["key"], "paypal_reference_id_type": "TXN"}
        payer = {"email_address": payment.get("email", ""), "country_code": payment.get("country", "")}
        return {
            "transaction_info": info,
            "payer_info": {**payer, "payer_name": {"alternate_full_name": payment.get("name", "")}},
        }

    def _balance_after(self, row: Record) -> int:
        until = (row["created"], row["id"])
        moves = self._purse.moves(self.name)
        return sum(one["gross"] - one["fee"] for one in moves if (one["created"], one["id"]) <= until)

    def _happened(self, provider: str, what: str, row: Record) -> None:
        if provider != self.name or what not in EVENTS:
            return
        kind, name = EVENTS[what]
        show: dict[str, Callable[[Record], Record]] = {
            "capture": self.capture, "refund": self.refund, "dispute": self.dispute,
        }  # fmt: skip
        event = {
            "id": f"WH-{secrets.token_hex(8).upper()}-{row['id']}",
            "create_time": _when(row["created"]),
            "resource_type": kind,
            "event_type": name,
            "summary": name,
            "resource": show[kind](row),
            "event_version": "1.0",
        }
        for hook in self._purse.world.store.rows("paypal.webhooks"):
            self._sender.soon(0.1, lambda hook=hook: self._post(hook, event))  # type: ignore[misc]

    def _post(self, hook: Record, event: Record) -> None:
        if is_local(hook["url"]):
            body = json.dumps(event).encode()
            headers = {"Content-Type": "application/json", **self.signed(hook["secret"], body)}
            self._sender.send(Parcel(self.name, hook["url"], body, headers))

    def signed(self, webhook_id: str, body: bytes) -> dict[str, str]:
        """The headers that PayPal sends with these bytes."""
        sent, moment = secrets.token_hex(16), _when(int(datetime.now(UTC).timestamp()))
        said = f"{sent}|{moment}|{webhook_id}|{zlib.crc32(body)}".encode()
        proof = self._key.sign(said, PKCS1v15(), hashes.SHA256())
        return {
            "PAYPAL-TRANSMISSION-ID": sent,
            "PAYPAL-TRANSMISSION-TIME": moment,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(proof).decode(),
            "PAYPAL-CERT-URL": f"{self._purse.world.address}{PREFIX}/v1/notifications/certs/{self._serial}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }

    def subscribe(self, url: str, secret: str) -> Record:
        """A webhook under this id; one address has one."""
        store = self._purse.world.store
        for row in store.rows("paypal.webhooks"):
            if row["url"] == url:
                store.remove("paypal.webhooks", row["id"])
        return store.add("paypal.webhooks", {"url": url, "secret": secret})


def certificate(key: rsa.RSAPrivateKey, name: str = "messageverificationcerts.paypal.com") -> bytes:
    """A certificate for this key, in PEM, that names who PayPal's names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def _money(amount: int) -> Record:
    sign = "-" if amount < 0 else ""
    return {"currency_code": "EUR", "value": f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"}


def _begun(row: Record) -> str:
    return str(row["transaction_info"]["transaction_initiation_date"])


def _when(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _error(status: int, name: str, message: str, issue: str = "") -> Response:
    details = [{"issue": issue, "description": message}] if issue else []
    return json_response({"name": name, "message": message, "details": details}, status)
