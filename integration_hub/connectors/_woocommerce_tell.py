"""Telling a WooCommerce shop what became of an order: notes, tracking, status.

WooCommerce has no idempotency keys.  So each step looks first: a note carries a marker that names its cause, tracking is
known by its number, and a status is only put where it is not already so.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import CancelOrder, TellExchanged
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import Parcel, TellAccepted, TellCancelled, TellShipped, Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.states import OrderStage
from integration_hub.kernel.text import Text, mark, say

from ._exchanged import sentence
from ._woocommerce_api import NO_ROUTE, V3, Api
from ._woocommerce_config import WooCommerceConfig
from ._woocommerce_order import STAGES, status_of

TRACKING = "/wp-json/wc-shipment-tracking/v3"

# a status that tells the end of an order is not overwritten by one that comes late
_FINAL = frozenset({OrderStage.CANCELLED, OrderStage.REFUNDED, OrderStage.GONE})

_UNPAID = frozenset({"pending", "on-hold"})

Tell = TellAccepted | TellShipped | TellCancelled | TellPayment | CancelOrder | TellExchanged
PAYMENTS = {
    "paid": mark("The payment of %(amount)s has arrived."),
    "partly_refunded": mark("%(amount)s went back to the customer so far."),
    "refunded": mark("All money went back to the customer: %(amount)s."),
    "in_dispute": mark("The customer disputes the payment of %(amount)s with the bank."),
}


@dataclass(frozen=True)
class Wish:
    """What the shop shall hold in the end: a note or a tracking entry, and a status (empty: any).

    ``only_from`` are the statuses that may be left for it (empty: any); ``also`` is written together with the status.
    """

    order_id: str
    marker: str
    note: str
    status: str = ""
    parcel: Parcel | None = None
    to_customer: bool = False
    only_from: frozenset[str] = frozenset()
    also: Mapping[str, str] = field(default_factory=dict)


def wish_of(command: Tell, config: WooCommerceConfig) -> Wish:
    """What a command comes down to here."""
    if not (command.order_id.isascii() and command.order_id.isdigit()):
        raise Rejected(say("%(order)s is no order number of this shop.", order=command.order_id[:100]))
    if isinstance(command, TellShipped):
        return _shipped(command, config)
    if isinstance(command, TellPayment):
        return _paid(command)
    if isinstance(command, TellAccepted):
        note = say("In %(erp)s as %(number)s.", erp=command.erp, number=command.sale_number)
        marker = f"[{command.reference} accepted {command.sale_number}]"
        return Wish(command.order_id, marker, str(note), config.accepted_status)
    if isinstance(command, TellExchanged):
        told = bool(command.tracking) and config.tracking == "customer_note"
        return Wish(command.order_id, f"[{command.key} exchange]", sentence(command), to_customer=told)
    if isinstance(command, CancelOrder):
        note = say("Cancelled: %(why)s", why=command.reason)
        return Wish(command.order_id, f"[{command.key} cancel]", str(note), "cancelled")
    note = say("Cancelled in the ERP: %(why)s", why=command.reason)
    return Wish(command.order_id, f"[{command.reference} cancelled]", str(note), config.cancelled_status)


def _shipped(command: TellShipped, config: WooCommerceConfig) -> Wish:
    return Wish(
        order_id=command.order_id,
        marker=f"[{command.reference} parcel {command.parcel.key}]",
        note=parcel_note(command.parcel),
        status=config.shipped_status if command.complete else "",
        parcel=command.parcel if config.tracking == "shipment_tracking" else None,
        to_customer=config.tracking == "customer_note",
    )


def _paid(command: TellPayment) -> Wish:
    """A payment lets an order go on that waits for it, and none that is over; everything else about money is a note."""
    words = PAYMENTS.get(command.status)
    if words is None:
        raise Rejected(say("%(status)s is no standing of a payment.", status=command.status))
    return Wish(
        order_id=command.order_id,
        marker=f"[{command.reference} {command.key}]",
        note=str(Text(words, {"amount": Money(command.amount, command.currency)})),
        status="processing" if command.status == "paid" else "",
        only_from=_UNPAID,
        also={"transaction_id": command.payment_id} if command.payment_id else {},
    )


class Teller:
    """Looks, and writes what is missing."""

    def __init__(self, api: Api, shop: str) -> None:
        self.api = api
        self.shop = shop

    def find(self, wish: Wish) -> Written | None:
        """What is there, if nothing of the wish is missing."""
        order = self._order(wish)
        if self._wrong_status(wish, order) or not self._said(wish):
            return None
        return self._written(wish, order, was_there=True)

    def carry_out(self, wish: Wish) -> Written:
        """Bring it about; doing it again changes nothing."""
        order = self._order(wish)
        said = self._said(wish)
        if not said:
            self._say(wish)
        change = self._wrong_status(wish, order)
        if change:
            order = self.api.write("PUT", _order_path(wish), {"status": wish.status, **wish.also})
        return self._written(wish, order, was_there=said and not change)

    def _order(self, wish: Wish) -> Object:
        found = self.api.read_or_none(_order_path(wish))
        if found is None:
            raise Rejected(say("The shop does not hold order %(order)s any more.", order=wish.order_id), code="gone")
        return found

    def _wrong_status(self, wish: Wish, order: Object) -> bool:
        now = status_of(order)
        if not wish.status or now == wish.status or STAGES.get(now) in _FINAL:
            return False
        if wish.only_from:
            return now in wish.only_from
        return not (STAGES.get(now) is OrderStage.COMPLETED and wish.status not in STAGES)

    def _said(self, wish: Wish) -> bool:
        return (wish.parcel is not None and self._is_tracked(wish)) or self._is_noted(wish)

    def _is_noted(self, wish: Wish) -> bool:
        notes, _ = self.api.items(f"{_order_path(wish)}/notes")
        return any(wish.marker in html.unescape(fields.words(note, "note", 10_000)) for note in notes)

    def _is_tracked(self, wish: Wish) -> bool:
        if wish.parcel is None or not wish.parcel.tracking_number:
            return False
        try:
            entries, _ = self.api.items(_tracking_path(wish))
        except Misconfigured as error:
            if error.code == NO_ROUTE:
                return False
            raise
        return any(fields.words(entry, "tracking_number") == wish.parcel.tracking_number for entry in entries)

    def _say(self, wish: Wish) -> None:
        if wish.parcel is not None and wish.parcel.tracking_number:
            try:
                self.api.write("POST", _tracking_path(wish), _tracking(wish.parcel))
            except Misconfigured as error:
                if error.code != NO_ROUTE:
                    raise
            else:
                return
        body = {"note": f"{wish.note} {wish.marker}", "customer_note": wish.to_customer}
        self.api.write("POST", f"{_order_path(wish)}/notes", body)

    def _written(self, wish: Wish, order: Object, *, was_there: bool) -> Written:
        return Written(
            external_id=wish.order_id,
            number=fields.words(order, "number") or wish.order_id,
            vendor_status=status_of(order),
            url=f"{self.shop}/wp-admin/admin.php?page=wc-orders&action=edit&id={quote(wish.order_id, safe='')}",
            was_there=was_there,
        )


def parcel_note(parcel: Parcel) -> str:
    """A parcel in a sentence."""
    told = [parcel.carrier, parcel.tracking_number, parcel.tracking_url]
    return str(say("Shipped as %(number)s: %(parcel)s.", number=parcel.number, parcel=" ".join(filter(None, told))))


def _tracking(parcel: Parcel) -> dict[str, str]:
    return {
        "custom_tracking_provider": parcel.carrier,
        "custom_tracking_link": parcel.tracking_url,
        "tracking_number": parcel.tracking_number,
    }


def _order_path(wish: Wish) -> str:
    return f"{V3}/orders/{quote(wish.order_id, safe='')}"


def _tracking_path(wish: Wish) -> str:
    return f"{TRACKING}/orders/{quote(wish.order_id, safe='')}/shipment-trackings"
