"""PayPal: signed webhooks and the transaction search in; refunds out.

A webhook is stored as it came; its signature needs a certificate that must be fetched, so it is judged when the webhook is
followed, before PayPal is asked for the object itself.  What no webhook brings comes, some hours late, by search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import HubError, Rejected, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command, Ignored, Report, Written
from integration_hub.kernel.text import Text, say

from . import _paypal_reports as reports
from . import _paypal_signature as signature
from ._paypal_api import TOO_MANY, Api, safe_id
from ._paypal_config import PayPalConfig
from .base import Capability, Connector, Delivery, Finding, Incoming, Page, Role, Stream
from .http import Http

READ = frozenset({"capture", "refund", "authorization", "dispute", "row"})
WINDOW = timedelta(days=31)  # what the search takes at once
HISTORY = timedelta(days=3 * 365 - 2)
SMALLEST = timedelta(minutes=1)
PER_PAGE = 500
_PATHS = {
    "capture": "/v2/payments/captures",
    "refund": "/v2/payments/refunds",
    "authorization": "/v2/payments/authorizations",
    "dispute": "/v1/customer/disputes",
}
_FOREIGN = re.compile(r"[^A-Za-z0-9_.,-]")  # what a custom id may not hold
_DAY = timedelta(days=1)


class PayPal(Connector):
    """One business account at PayPal."""

    code: ClassVar[str] = "paypal"
    label: ClassVar[str] = "PayPal"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.PAYMENT})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RECEIVE, Capability.POLL, Capability.REFUND})
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("transactions", timedelta(minutes=30), 5 * _DAY, say("Movements of the balance")),
        Stream("disputes", timedelta(hours=1), 3 * _DAY, say("Disputes"), restates=True),
    )
    cannot: ClassVar[tuple[Text, ...]] = (
        say("PayPal's transaction search lags up to three hours behind; webhooks are faster."),
        say("PayPal names no items for a transfer to the bank; the hub proposes them."),
        say("The webhook simulator of PayPal's dashboard signs nothing that can be verified; its events are ignored."),
    )
    Config = PayPalConfig
    config: PayPalConfig

    def __init__(self, config: PayPalConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        self.api = Api(http, config)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        if not self.config.webhook_id:
            raise Unauthentic(say("The webhook's signature is missing or wrong."))
        proof = signature.signed(request.headers, self.config.base)
        event_id, topic = codec.peek(request.body, "id"), codec.peek(request.body, "event_type")
        return (Delivery(topic if "." in topic else "event", event_id, request.body, proof, key=event_id),)

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic not in READ

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        signature.verify(delivery.context, self.config.webhook_id, delivery.body, self.http, self.config.base)
        event = codec.load_object(delivery.body)
        kind, object_id = _points_at(event)
        if kind not in _PATHS:
            return ()
        return (_delivery(kind, self.api.read(f"{_PATHS[kind]}/{safe_id(object_id)}")),)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic not in READ:
            return (Ignored(reason=say("says only where to look; what was read there is an event of its own")),)
        body = codec.load_object(delivery.body)
        if delivery.topic == "row":
            return reports.row_reports(body)
        readers: dict[str, Callable[[Object], Report]] = {
            "capture": reports.capture_report,
            "refund": reports.refund_report,
            "authorization": reports.authorisation_report,
            "dispute": reports.dispute_report,
        }
        return (readers[delivery.topic](body),)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "transactions":
            return self._search(since, token)
        if stream == "disputes":
            return self._disputes(since, token)
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def _search(self, since: datetime | None, token: str | None) -> Page:
        """Window after window of at most 31 days, a page at a time; the token is ``start|end|page``."""
        now = datetime.now(UTC).replace(microsecond=0)
        start, end, page = _read_token(token) if token else (since or now - HISTORY, now, 1)
        end = min(end, start + WINDOW)
        params = {"start_date": _when(start), "end_date": _when(end), "fields": "all", "page_size": PER_PAGE}
        try:
            found = self.api.read("/v1/reporting/transactions", {**params, "page": page})
        except Rejected as error:
            if error.code != TOO_MANY or end - start <= SMALLEST:
                raise
            return Page([], _token(start, start + (end - start) / 2, 1))
        deliveries = [_row(one) for one in fields.children(found, "transaction_details")]
        if page < fields.amount(found, "total_pages"):
            return Page(deliveries, _token(start, end, page + 1))
        return Page(deliveries, _token(end, now, 1) if end < now - SMALLEST else None)

    def _disputes(self, since: datetime | None, token: str | None) -> Page:
        after = {"update_time_after": _when(since)} if since else {}
        found = self.api.read("/v1/customer/disputes", {"page_size": 50, **(_next_params(token) or after)})
        deliveries = []
        for item in fields.children(found, "items"):
            dispute_id = safe_id(fields.identifier(item, "dispute_id"))
            deliveries.append(_delivery("dispute", self.api.read(f"{_PATHS['dispute']}/{dispute_id}")))
        links = [one for one in fields.children(found, "links") if one.get("rel") == "next"]
        return Page(deliveries, _page_token(fields.words(links[0], "href")) if links else None)

    def send(self, command: Command) -> Written:
        refund = _refund(command)
        try:
            if known := self.find(command):
                return known
        except Unsupported:
            pass  # PayPal cannot be asked, but it keeps the key for 45 days
        body = {
            "amount": {"currency_code": refund.currency, "value": _value(refund)},
            "custom_id": _custom_id(refund),
            **({"note_to_payer": refund.reason[:255]} if refund.reason else {}),
        }
        made, known_before = self.api.write(
            f"{_PATHS['capture']}/{safe_id(refund.payment_id)}/refund", body, refund.key
        )
        return _written(made, was_there=known_before)

    def find(self, command: Command) -> Written | None:
        """The checkout order lists the refunds of its captures; ours bears our key as custom id."""
        refund = _refund(command)
        capture = self.api.read(f"{_PATHS['capture']}/{safe_id(refund.payment_id)}")
        order_id = reports.order_of(capture)
        if not order_id:
            raise Unsupported(say("PayPal does not say which order this payment belongs to, so it cannot be asked."))
        order = self.api.read(f"/v2/checkout/orders/{safe_id(order_id)}")
        for unit in fields.children(order, "purchase_units"):
            for one in fields.children(fields.child(unit, "payments"), "refunds"):
                if fields.words(one, "custom_id", 127) == _custom_id(refund):
                    return _written(one, was_there=True)
        return None

    def check(self) -> Sequence[Finding]:
        try:
            self.api.read("/v1/reporting/balances", {"currency_code": "ALL"})
        except HubError as error:
            return (Finding(False, error.text),)
        known = Finding(True, say("PayPal answers, and the app may read the balance."))
        now = datetime.now(UTC).replace(microsecond=0)
        searched = {"start_date": _when(now - _DAY), "end_date": _when(now), "page_size": 1}
        lists: Mapping[str, tuple[Text, dict[str, Any]]] = {
            "/v1/reporting/transactions": (say("Movements of the balance"), searched),
            "/v1/customer/disputes": (say("Disputes"), {"page_size": 1}),
        }
        return (known, *(self._may_read(path, *what) for path, what in lists.items()))

    def _may_read(self, path: str, what: Text, params: dict[str, Any]) -> Finding:
        try:
            self.api.read(path, params)
        except HubError as error:
            return Finding(False, say("%(what)s cannot be read: %(why)s", what=what, why=error.text))
        return Finding(True, say("%(what)s can be read.", what=what))


def _points_at(event: Object) -> tuple[str, str]:
    """Kind and id of what an event is about; PAYMENT.CAPTURE.REFUNDED is about the refund, not the capture."""
    resource, name = fields.child(event, "resource"), fields.words(event, "event_type", 80)
    kind = fields.words(event, "resource_type", 40).lower()
    if kind == "dispute" or name.startswith("CUSTOMER.DISPUTE."):
        return "dispute", fields.identifier(resource, "dispute_id")
    if kind not in _PATHS:
        return "", ""
    return kind, fields.identifier(resource, "id")


def _delivery(topic: str, item: Object) -> Delivery:
    about = fields.identifier(item, "dispute_id" if topic == "dispute" else "id")
    return Delivery(topic, about, codec.canonical(item))


def _row(row: Object) -> Delivery:
    """A row without what moves nothing and only holds personal data."""
    kept = {name: row[name] for name in ("transaction_info", "payer_info") if name in row}
    about = fields.identifier(fields.child(row, "transaction_info"), "transaction_id")
    return Delivery("row", about, codec.canonical(kept))


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _token(start: datetime, end: datetime, page: int) -> str:
    return f"{start.isoformat()}|{end.isoformat()}|{page}"


def _read_token(token: str) -> tuple[datetime, datetime, int]:
    start, end, page = token.split("|")
    return codec.utc(start, "token"), codec.utc(end, "token"), int(page)


def _page_token(href: str) -> str | None:
    found = re.search(r"next_page_token=([A-Za-z0-9_=%.-]+)", href)
    return unquote(found[1]) if found else None


def _next_params(token: str | None) -> dict[str, str]:
    return {"next_page_token": token} if token else {}


def _refund(command: Command) -> RefundPayment:
    if not isinstance(command, RefundPayment):
        raise Unsupported(say("%(system)s cannot carry this out.", system=PayPal.label))
    return command


def _custom_id(refund: RefundPayment) -> str:
    return _FOREIGN.sub("-", refund.key)[:127]


_WHOLE = frozenset({"HUF", "JPY", "TWD"})  # PayPal takes no decimals in these


def _value(refund: RefundPayment) -> str:
    exact = round(refund.amount, 0 if refund.currency in _WHOLE else 2)
    if exact != refund.amount or exact <= 0:
        words = say("%(amount)s %(currency)s cannot be refunded at PayPal.", amount=refund.amount,
                    currency=refund.currency)  # fmt: skip
        raise Rejected(words, code="bad_amount")
    return format(exact, "f")


def _written(refund: Object, *, was_there: bool) -> Written:
    refund_id, status = fields.identifier(refund, "id"), fields.words(refund, "status", 40)
    url = f"https://www.paypal.com/activity/payment/{refund_id}"
    return Written(external_id=refund_id, vendor_status=status, url=url, was_there=was_there)
