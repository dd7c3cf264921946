"""Telling a WooCommerce shop what became of an order: notes, tracking, status.

WooCommerce has no idempotency keys.  So each step looks first: a note carries a marker that names its cause, tracking is
known by its number, and a status is only put where it is not already so.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from urllib.parse import quote

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Parcel, TellAccepted, TellCancelled, TellShipped, Written
from integration_hub.kernel.states import OrderStage
from integration_hub.kernel.text import say

from ._woocommerce_api import NO_ROUTE, V3, Api
from ._woocommerce_order import STAGES, status_of

TRACKING = "/wp-json/wc-shipment-tracking/v3"

# a status that tells the end of an order is not overwritten by one that comes late
_FINAL = frozenset({OrderStage.CANCELLED, OrderStage.REFUNDED, OrderStage.GONE})

Tell = TellAccepted | TellShipped | TellCancelled


@dataclass(frozen=True)
class Wish:
    """What the shop shall hold in the end: a note or a tracking entry, and a status (empty: any)."""

    order_id: str
    marker: str
    note: str
    status: str = ""
    parcel: Parcel | None = None
    to_customer: bool = False


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
            order = self.api.write("PUT", _order_path(wish), {"status": wish.status})
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
