"""Mollie: webhooks that only name an id, and polling in; refunds out.

The classic webhook is unsigned: what counts is what Mollie answers when it is asked with our key.  Mollie knows no
"changed since", so lists are read back a fixed span; fees stand in the balance, payouts are settlements.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import HubError, Rejected, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command, Ignored, Report, Written
from integration_hub.kernel.money import minor_digits
from integration_hub.kernel.text import Text, say

from . import _mollie_reports as reports
from ._mollie_api import GONE, Api, safe_id
from ._mollie_config import MollieConfig
from .base import Capability, Connector, Delivery, Finding, Incoming, Page, Role, Stream
from .http import Http

READ = frozenset({"payment", "refund", "chargeback", "capture", "settlement", "movement"})
CLASSIC = re.compile(rb"id=(tr_[A-Za-z0-9]{1,60})")
EMBED = {"embed": "captures,refunds,chargebacks"}
REACH = timedelta(days=40)  # longer than any merchant waits for a payout
FRESH = timedelta(hours=2)
_ITEMS = ("payments", "captures", "refunds", "chargebacks")
_MOVED = 50  # each movement may need its payment, too
_DAY = timedelta(days=1)


class Mollie(Connector):
    """One profile at Mollie."""

    code: ClassVar[str] = "mollie"
    label: ClassVar[str] = "Mollie"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.PAYMENT})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RECEIVE, Capability.POLL, Capability.REFUND})
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("payments", timedelta(minutes=15), 14 * _DAY, say("Payments"), restates=True),
        Stream("refunds", timedelta(hours=1), 30 * _DAY, say("Refunds"), restates=True),
        Stream("chargebacks", timedelta(hours=1), 120 * _DAY, say("Chargebacks"), restates=True),
        Stream("movements", timedelta(minutes=30), REACH, say("Movements of the balance"), restates=True),
        Stream("settlements", timedelta(hours=1), 14 * _DAY, say("Payouts"), restates=True),
    )
    cannot: ClassVar[tuple[Text, ...]] = (
        say("Mollie does not sign the webhooks of single payments; the hub asks Mollie and believes only its answer."),
        say("Mollie answers no chargeback over the interface; one counts as lost until Mollie reverses it."),
        say("The hub reads Mollie's primary balance; further balances in other currencies show payments without fees."),
    )
    Config = MollieConfig
    config: MollieConfig

    def __init__(self, config: MollieConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        self.api = Api(http, config)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        if "x-mollie-signature" not in request.headers:
            return (self._classic(request),)
        self._verify(request)
        event_id, topic = codec.peek(request.body, "id"), codec.peek(request.body, "type")
        return (Delivery(topic if "." in topic else "event", event_id, request.body, key=event_id),)

    def _classic(self, request: Incoming) -> Delivery:
        """``id=tr_…``: the same words each time something happens, so the moment sets them apart."""
        found = CLASSIC.fullmatch(request.body.strip())
        if not found:
            raise Unauthentic(say("The webhook's signature is missing or wrong."))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Delivery("payment.changed", found[1].decode(), request.body, salt=now)

    def _verify(self, request: Incoming) -> None:
        """HMAC-SHA256 of the raw body in hex, ``sha256=`` before it or not (mollie-api-php SignatureValidator)."""
        said = request.headers["x-mollie-signature"].split(",")
        stated = [one.strip().removeprefix("sha256=").encode("utf-8", "replace") for one in said]
        secrets = filter(None, (self.config.webhook_secret, self.config.previous_webhook_secret))
        digests = [hmac.new(one.encode(), request.body, hashlib.sha256).hexdigest().encode() for one in secrets]
        if not any(hmac.compare_digest(digest, one) for digest in digests for one in stated):
            raise Unauthentic(say("The webhook's signature is missing or wrong."))

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic not in READ

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        if delivery.topic == "payment.changed":
            return self._payment(parse_qs(delivery.body.decode("ascii", "replace").strip()).get("id", [""])[0])
        event = codec.load_object(delivery.body)
        entity = fields.child(fields.child(event, "_embedded"), "entity")
        if fields.words(entity, "resource", 40) in ("balance-transaction", "balance_transaction"):
            return (self._movement(entity, "", {}),)
        about = fields.identifier(event, "entityId")
        if about.startswith("tr_"):
            return self._payment(about)
        if about.startswith("pl_"):
            paid, _more = self.api.page(f"/payment-links/{safe_id(about)}/payments", "payments", None)
            return [one for found in paid for one in self._payment(fields.identifier(found, "id"))]
        return ()

    def _payment(self, payment_id: str) -> Sequence[Delivery]:
        """The payment as Mollie holds it; nothing where it does not: then somebody made the id up."""
        try:
            return (_delivery("payment", self.api.read(f"/payments/{safe_id(payment_id)}", EMBED)),)
        except Rejected as error:
            if error.code == GONE:
                return ()
            raise

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic not in READ:
            return (Ignored(reason=say("says only where to look; what was read there is an event of its own")),)
        body, seen = codec.load_object(delivery.body), fields.moment(delivery.context, "seen")
        if delivery.topic == "movement":
            payout = fields.identifier(body, "payout", required=False)
            return (reports.movement(fields.child(body, "entry"), fields.child(body, "payment"), payout, seen),)
        readers: dict[str, Callable[[], Sequence[Report]]] = {
            "payment": lambda: reports.payment_reports(body, seen),
            "refund": lambda: [reports.refund_report(body, seen)],
            "chargeback": lambda: reports.chargeback_reports(body, seen),
            "capture": lambda: [reports.capture_report({}, body, seen)],
            "settlement": lambda: [reports.payout_report(body, seen)],
        }
        return readers[delivery.topic]()

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream in ("payments", "refunds", "chargebacks"):
            return self._list(stream, since, token)
        if stream not in ("movements", "settlements"):
            raise Unsupported(say("%(system)s cannot be polled.", system=self.label))
        if not self.config.access_token:
            return Page([])  # the connection test says what is missed
        return self._movements(since, token) if stream == "movements" else self._settlements(since, token)

    def _list(self, stream: str, since: datetime | None, token: str | None) -> Page:
        found, after = self.api.page(f"/{stream}", stream, token)
        recent = _since(found, since)
        deliveries = [_delivery(stream.removesuffix("s"), self._whole(one)) for one in recent]
        return Page(deliveries, after if len(recent) == len(found) else None)

    def _whole(self, found: Object) -> Object:
        """A payment to which something happened, with what that was."""
        touched = any(_positive(found, name) for name in ("amountRefunded", "amountChargedBack"))
        if not touched and fields.words(found, "captureMode", 20) != "manual":
            return found
        return self.api.read(f"/payments/{safe_id(fields.identifier(found, 'id'))}", EMBED)

    def _movements(self, since: datetime | None, token: str | None) -> Page:
        """The balance, newest first.  What is older than a transfer out and newer than the one before went with it.

        The token is ``next entry:payout``.  What is not fresh was told with its payment before; of that only what belongs
        to no payment is told again, now that its payout may be known.
        """
        start, _, payout = (token or "").partition(":")
        path = "/balances/primary/transactions"
        found, after = self.api.page(path, "balance_transactions", start or None, books=True, limit=_MOVED)
        recent, payments = _since(found, since), dict[str, Object]()
        deliveries = []
        for entry in recent:
            sort, context = fields.words(entry, "type", 60), reports.context_of(entry)
            if sort.startswith("outgoing-"):
                payout = fields.identifier(context, "settlementId", required=False)
            if since is None or _created(entry) >= since + REACH - FRESH or not context.get("paymentId"):
                inside = "" if sort.startswith("outgoing-") else payout
                deliveries.append(self._movement(entry, inside, payments))
        return Page(deliveries, f"{after}:{payout}" if after and len(recent) == len(found) else None)

    def _movement(self, entry: Object, payout: str, payments: dict[str, Object]) -> Delivery:
        payment_id = fields.identifier(reports.context_of(entry), "paymentId", required=False)
        if payment_id and payment_id not in payments:
            found = self._payment(payment_id)
            payments[payment_id] = codec.load_object(found[0].body) if found else {}
        body = {"entry": entry, "payment": payments.get(payment_id, {}), "payout": payout}
        return _stamped("movement", fields.identifier(entry, "id"), body)

    def _settlements(self, since: datetime | None, token: str | None) -> Page:
        """Settlement after settlement, each with its items; the token is ``settlement:kind of item:next item``."""
        start, kind, item = (token or "::").split(":", 2)
        if not kind:
            return self._next_settlement(since, start)
        path, name = f"/settlements/{safe_id(start)}/{_ITEMS[int(kind)]}", _ITEMS[int(kind)]
        found, after = self.api.page(path, name, item or None, books=True)
        deliveries = [_delivery(name.removesuffix("s"), {"settlementId": start, **one}) for one in found]
        if after:
            return Page(deliveries, f"{start}:{kind}:{after}")
        further = int(kind) + 1
        return Page(deliveries, f"{start}:{further}:" if further < len(_ITEMS) else f"{start}::")

    def _next_settlement(self, since: datetime | None, before: str) -> Page:
        found, _after = self.api.page("/settlements", "settlements", before or None, books=True, limit=2)
        following = [one for one in found if fields.words(one, "id", 80) != before][:1]  # ``from`` itself comes again
        if not _since(following, since):
            return Page([])
        settlement_id = fields.identifier(following[0], "id")
        return Page([_delivery("settlement", following[0])], f"{settlement_id}:0:")

    def send(self, command: Command) -> Written:
        refund = _refund(command)
        if known := self.find(command):
            return known
        body = {
            "amount": {"currency": refund.currency, "value": _value(refund)},
            "description": (refund.reason or refund.order_reference)[:255],
            "metadata": {"hub_key": refund.key, "order_reference": refund.order_reference},
        }
        made = self.api.write(f"/payments/{safe_id(refund.payment_id)}/refunds", body, refund.key)
        return _written(made, was_there=False)

    def find(self, command: Command) -> Written | None:
        refund, after = _refund(command), None
        while True:
            found, after = self.api.page(f"/payments/{safe_id(refund.payment_id)}/refunds", "refunds", after)
            for one in found:
                if fields.words(reports.metadata(one), "hub_key") == refund.key[:500]:
                    return _written(one, was_there=True)
            if not after:
                return None

    def check(self) -> Sequence[Finding]:
        try:
            self.api.page("/payments", "payments", None, limit=1)
        except HubError as error:
            return (Finding(False, error.text),)
        payments = Finding(True, say("Mollie answers, and the key may read payments."))
        if not self.config.access_token:
            words = say("There is no organisation access token, so the hub sees neither fees nor payouts.")
            return (payments, Finding(False, words))
        balance = self._may_read("/balances/primary", say("The balance"))
        return (payments, balance, self._may_read("/settlements", say("Settlements")))

    def _may_read(self, path: str, what: Text) -> Finding:
        try:
            self.api.read(path, {"limit": 1} if path == "/settlements" else None, books=True)
        except HubError as error:
            return Finding(False, say("%(what)s cannot be read: %(why)s", what=what, why=error.text))
        return Finding(True, say("%(what)s can be read.", what=what))


def _created(item: Object) -> datetime:
    moments = [fields.moment(item, name) for name in ("createdAt", "settledAt")]
    return next((one for one in moments if one), datetime.max.replace(tzinfo=UTC))


def _since(found: Sequence[Object], since: datetime | None) -> list[Object]:
    """The newer part of a list that runs from new to old."""
    return [one for one in found if since is None or _created(one) >= since]


def _positive(source: Object, name: str) -> bool:
    found = fields.child(source, name)
    return bool(found) and fields.amount(found, "value") > 0


def _delivery(topic: str, item: Object) -> Delivery:
    return _stamped(topic, fields.identifier(item, "id"), item)


def _stamped(topic: str, object_id: str, body: Any) -> Delivery:
    return Delivery(topic, object_id, codec.canonical(body), {"seen": datetime.now(UTC).isoformat()})


def _refund(command: Command) -> RefundPayment:
    if not isinstance(command, RefundPayment):
        raise Unsupported(say("%(system)s cannot carry this out.", system=Mollie.label))
    return command


def _value(refund: RefundPayment) -> str:
    """The amount with exactly the decimals of its currency, as Mollie wants it."""
    exact = round(refund.amount, minor_digits(refund.currency))
    if exact != refund.amount or exact <= 0:
        words = say("%(amount)s %(currency)s cannot be refunded at Mollie.", amount=refund.amount,
                    currency=refund.currency)  # fmt: skip
        raise Rejected(words, code="bad_amount")
    return format(exact, "f")


def _written(refund: Object, *, was_there: bool) -> Written:
    status = fields.words(refund, "status", 40)
    return Written(external_id=fields.identifier(refund, "id"), vendor_status=status, was_there=was_there)
