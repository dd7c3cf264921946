"""Stripe: signed webhooks and polling in; refunds out.

A webhook says where to look: events come late, twice and in any order, and their content has the version of the endpoint.
So what one points at is read anew with the version pinned here.  Polling brings what no webhook did.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, Unauthentic, Unsupported, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command, Ignored, Report, Written
from integration_hub.kernel.text import Text, say

from . import _stripe_reports as reports
from ._stripe_api import VERSION, Api, safe_id
from ._stripe_config import StripeConfig
from ._stripe_money import minor
from .base import Capability, Connector, Delivery, Finding, Incoming, Page, Role, Stream
from .http import Http

TOLERANCE = 300  # seconds; as Stripe's own libraries
READ = frozenset({"charge", "refund", "dispute", "payout", "movement", "item"})
WATCHED = (
    "charge.succeeded",
    "charge.updated",
    "refund.created",
    "refund.failed",
    "charge.dispute.created",
    "payout.paid",
)
_EXPANDED = {"charge": ("balance_transaction",), "refund": ("balance_transaction", "failure_balance_transaction")}
_PATHS = {"charge": "charges", "refund": "refunds", "dispute": "disputes", "payout": "payouts"}
_EVENTS = ("charge.*", "refund.*", "charge.dispute.*", "payout.*")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Stripe(Connector):
    """One account at Stripe."""

    code: ClassVar[str] = "stripe"
    label: ClassVar[str] = "Stripe"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.PAYMENT})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RECEIVE, Capability.POLL, Capability.REFUND})
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("movements", timedelta(minutes=10), _HOUR, say("Movements of the balance")),
        Stream("refunds", timedelta(minutes=30), 7 * _DAY, say("Refunds"), restates=True),
        Stream("disputes", _HOUR, 90 * _DAY, say("Disputes"), restates=True),
        Stream("payouts", _HOUR, 14 * _DAY, say("Payouts"), restates=True),
        Stream("items", _HOUR, 4 * _DAY, say("Items of payouts")),
        Stream("events", timedelta(minutes=15), timedelta(minutes=30), say("Events of the last 30 days")),
    )
    cannot: ClassVar[tuple[Text, ...]] = (
        say("Stripe names no items for a payout that was asked for by hand; the hub proposes them."),
        say("Stripe's own tax invoices for fees come by mail, not over the interface."),
    )
    Config = StripeConfig
    config: StripeConfig

    def __init__(self, config: StripeConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        named = {"Stripe-Account": config.account} if config.account else {}
        key = {"Authorization": f"Bearer {config.api_key}", "Stripe-Version": VERSION}
        http.headers = {**http.headers, **key, **named}
        self.api = Api(http)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        self._verify(request)
        event_id = codec.peek(request.body, "id")
        topic = codec.peek(request.body, "type")
        return (Delivery(topic if "." in topic else "event", event_id, request.body, key=event_id),)

    def _verify(self, request: Incoming) -> None:
        """HMAC-SHA256 over ``t.body``; any v1 may fit, other schemes prove nothing (stripe-python ``_webhook.py``)."""
        pairs = [part.strip().partition("=") for part in request.headers.get("stripe-signature", "").split(",")]
        stamp = next((value for name, _, value in pairs if name == "t"), "")
        if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12:
            raise Unauthentic(say("The webhook's signature is missing or wrong."))
        signed = stamp.encode() + b"." + request.body
        stated = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
        digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in self._secrets()]
        if not any(hmac.compare_digest(digest, one) for digest in digests for one in stated):
            raise Unauthentic(say("The webhook's signature is missing or wrong."))
        if abs(datetime.now(UTC).timestamp() - int(stamp)) > TOLERANCE:
            raise Unauthentic(say("The webhook was signed more than five minutes ago; is the clock right?"))

    def _secrets(self) -> list[str]:
        """The secret, and while it is being rolled the one before."""
        given = [self.config.webhook_secret] if self.config.webhook_secret else []
        if not (self.config.previous_webhook_secret and self.config.previous_until):
            return given
        still = datetime.now(UTC) < self._previous_until()
        return [*given, self.config.previous_webhook_secret] if still else given

    def _previous_until(self) -> datetime:
        try:
            return codec.utc(self.config.previous_until.strip(), "previous_until")
        except Rejected as error:
            words = say("The time until which the previous signing secret is good cannot be read.")
            raise Misconfigured(words, code="bad_setting") from error

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic not in READ

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        event = codec.load_object(delivery.body)
        account = fields.identifier(event, "account", required=False)
        if account and account != self.config.account:
            words = say("The event is for the account %(account)s, which this connection does not stand for.",
                        account=account)  # fmt: skip
            raise Rejected(words, code="other_account")
        kind, object_id = _points_at(event)
        if kind == "payment_intent":
            return self._charge_of(object_id)
        if kind not in _PATHS:
            return ()
        found = self.api.read(f"/v1/{_PATHS[kind]}/{safe_id(object_id)}", *_EXPANDED.get(kind, ()))
        return (_delivery(kind, found),)

    def _charge_of(self, intent_id: str) -> Sequence[Delivery]:
        intent = self.api.read(f"/v1/payment_intents/{safe_id(intent_id)}", "latest_charge.balance_transaction")
        charge = fields.child(intent, "latest_charge") if isinstance(intent.get("latest_charge"), dict) else {}
        return (_delivery("charge", charge),) if charge else ()

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic not in READ:
            return (Ignored(reason=say("says only where to look; what was read there is an event of its own")),)
        body = codec.load_object(delivery.body)
        seen = fields.moment(delivery.context, "seen")
        if delivery.topic == "charge":
            return (reports.charge_report(body, seen, _object(body, "balance_transaction")),)
        if delivery.topic == "refund":
            entry, back = _object(body, "balance_transaction"), _object(body, "failure_balance_transaction")
            return reports.refund_reports(body, seen, entry, back)
        if delivery.topic == "dispute":
            return reports.dispute_reports(body, seen)
        return (reports.payout_report(body, seen) if delivery.topic == "payout" else reports.movement(body, seen),)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "movements":
            return self._list("movement", "/v1/balance_transactions", since, token, {"expand[]": ["data.source"]})
        if stream == "items":
            return self._items(since, token)
        if stream == "events":
            return self._events(since, token)
        kind = stream.removesuffix("s")
        if kind not in _PATHS:
            raise Unsupported(say("%(system)s cannot be polled.", system=self.label))
        expanded = {"expand[]": [f"data.{name}" for name in _EXPANDED.get(kind, ())]}
        return self._list(kind, f"/v1/{stream}", since, token, expanded)

    def _list(
        self, topic: str, path: str, since: datetime | None, token: str | None, params: Mapping[str, Any]
    ) -> Page:
        found, more = self.api.page(path, {**params, **_window(since, token)})
        return Page([_delivery(topic, item) for item in found], _last(found) if more else None)

    def _events(self, since: datetime | None, token: str | None) -> Page:
        """What Stripe has told or wanted to tell; what came by webhook is known under the event's id."""
        found, more = self.api.page("/v1/events", {"types[]": list(_EVENTS), **_window(since, token)})
        deliveries = [
            Delivery(fields.words(item, "type", 80), event_id, codec.canonical(item), key=event_id)
            for item in found
            if (event_id := fields.identifier(item, "id"))
        ]
        return Page(deliveries, _last(found) if more else None)

    def _items(self, since: datetime | None, token: str | None) -> Page:
        """The items of one payout a page, payout after payout; the token is ``payout page:payout:item``."""
        before, payout, after = (token or "::").split(":", 2)
        if not payout:
            return self._next_payout(since, before)
        params = {"payout": safe_id(payout), "expand[]": ["data.source"]}
        found, more = self.api.page("/v1/balance_transactions", {**params, **_window(None, after)})
        deliveries = [_delivery("item", {**item, "payout": payout}) for item in found if item.get("type") != "payout"]
        return Page(deliveries, f"{before}:{payout}:{_last(found)}" if more else f"{payout}::")

    def _next_payout(self, since: datetime | None, before: str) -> Page:
        found, more = self.api.page("/v1/payouts", {"limit": 1, **_window(since, before)})
        if not found:
            return Page([])
        payout = fields.identifier(found[0], "id")
        if fields.flag(found[0], "automatic"):
            return Page([], f"{payout}:{payout}:")
        return Page([], f"{payout}::" if more else None)

    def send(self, command: Command) -> Written:
        refund = _refund(command)
        if known := self.find(command):
            return Written(**{**vars(known), "was_there": True})
        amount = minor(refund.amount, refund.currency)
        if amount is None or amount <= 0:
            words = say("%(amount)s %(currency)s cannot be refunded at Stripe.", amount=refund.amount,
                        currency=refund.currency)  # fmt: skip
            raise Rejected(words, code="bad_amount")
        form = {
            **_of_payment(refund),
            "amount": amount,
            "metadata[hub_key]": refund.key[:500],
            "metadata[order_reference]": refund.order_reference[:500],
            "metadata[reason]": refund.reason[:500],
        }
        made, replayed = self.api.write("/v1/refunds", form, refund.key)
        return _written(made, was_there=replayed)

    def find(self, command: Command) -> Written | None:
        refund, after = _refund(command), None
        while True:
            found, more = self.api.page("/v1/refunds", {**_of_payment(refund), **_window(None, after)})
            for item in found:
                if fields.words(fields.child(item, "metadata"), "hub_key") == refund.key[:500]:
                    return _written(item, was_there=True)
            if not more:
                return None
            after = _last(found)

    def check(self) -> Sequence[Finding]:
        try:
            balance = self.api.read("/v1/balance")
            live = fields.flag(balance, "livemode")
        except HubError as error:
            return (Finding(False, error.text),)
        mode = say("The key is right, for real money.") if live else say("The key is right, for test mode.")
        lists = [("charges", say("Charges")), ("refunds", say("Refunds")), ("disputes", say("Disputes")),
                 ("payouts", say("Payouts")), ("balance_transactions", say("Movements of the balance"))]  # fmt: skip
        return (Finding(True, mode), *(self._may_read(*one) for one in lists), self._check_webhooks())

    def _may_read(self, path: str, what: Text) -> Finding:
        try:
            self.api.page(f"/v1/{path}", {"limit": 1})
        except HubError as error:
            return Finding(False, say("%(what)s cannot be read: %(why)s", what=what, why=error.text))
        return Finding(True, say("%(what)s can be read.", what=what))

    def _check_webhooks(self) -> Finding:
        try:
            found, _more = self.api.page("/v1/webhook_endpoints", {})
            wanted = [set(fields.texts(item, "enabled_events")) for item in found if item.get("status") == "enabled"]
        except HubError:
            return Finding(True, say("The key may not read webhook endpoints, so whether there is one is not known."))
        if any("*" in one or set(WATCHED) <= one for one in wanted):
            return Finding(True, say("There is a webhook endpoint that sends what the hub needs."))
        words = say("No webhook endpoint sends %(events)s; until one does, the hub polls.", events=", ".join(WATCHED))
        return Finding(False, words)


def _points_at(event: Object) -> tuple[str, str]:
    """Kind and id of the object an event is about: a snapshot holds it, a thin event names it."""
    if related := fields.child(event, "related_object"):
        return fields.words(related, "type", 60), fields.identifier(related, "id")
    data = fields.child(fields.child(event, "data"), "object")
    if not data:
        raise unreadable("the event is about nothing")
    return fields.words(data, "object", 60), fields.identifier(data, "id", required=False)


def _delivery(topic: str, item: Object) -> Delivery:
    source = item.get("source")
    about = source.get("id") if isinstance(source, dict) else source
    object_id = fields.identifier({"id": about} if isinstance(about, str) and about else item, "id")
    return Delivery(topic, object_id, codec.canonical(item), {"seen": datetime.now(UTC).isoformat()})


def _object(source: Object, name: str) -> Object | None:
    value = source.get(name)
    return value if isinstance(value, dict) else None


def _window(since: datetime | None, after: str | None) -> dict[str, Any]:
    window: dict[str, Any] = {"created[gte]": int(since.timestamp())} if since else {}
    return {**window, "starting_after": safe_id(after)} if after else window


def _last(found: Sequence[Object]) -> str | None:
    return fields.identifier(found[-1], "id") if found else None


def _refund(command: Command) -> RefundPayment:
    if not isinstance(command, RefundPayment):
        raise Unsupported(say("%(system)s cannot carry this out.", system=Stripe.label))
    return command


def _of_payment(refund: RefundPayment) -> dict[str, str]:
    name = "payment_intent" if refund.payment_id.startswith("pi_") else "charge"
    return {name: safe_id(refund.payment_id)}


def _written(refund: Object, *, was_there: bool) -> Written:
    refund_id = fields.identifier(refund, "id")
    url = f"https://dashboard.stripe.com/refunds/{refund_id}"
    status = fields.words(refund, "status", 40)
    return Written(external_id=refund_id, vendor_status=status, url=url, was_there=was_there)
