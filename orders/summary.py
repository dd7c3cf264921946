"""An order as a case shows it: what was ordered, for how much, to whom, where it stands, what was done since it was held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from exceptions.models import ExceptionCase
from exceptions.subjects import Face, Standing
from integration_hub.backoffice import masking
from integration_hub.kernel.messages import Address
from integration_hub.models import Activity, OutboundCommand
from integration_hub.models.outbound import CommandState

from . import addresses
from .exported import WRITE_SALE
from .models import Order, Sale
from .states import OrderState

LINES = 100
STEPS = 30


def facts(pk: int, personal: bool) -> dict[str, Any]:
    """Head, lines, totals and addresses; without personal data for those who may not see it."""
    order = Order.objects.select_related("channel", "customer").prefetch_related("addresses").get(pk=pk)
    lines = list(order.lines.select_related("variant")[: LINES + 1])
    billing, shipping = addresses.of(order)
    return {
        "order": order,
        "lines": lines[:LINES],
        "more_lines": len(lines) > LINES,
        "addresses": [
            (_("Billing address"), _lines(billing, personal)),
            (_("Shipping address"), _lines(shipping, personal)),
        ],
        "net": order.total - order.total_tax,
    }


def _lines(address: Address, personal: bool) -> list[str]:
    shown = masking.masked(asdict(address), personal=personal)
    parts = (
        shown["company"],
        shown["name"],
        shown["street"],
        shown["street2"],
        f"{shown['postal_code']} {shown['city']}".strip(),
        " ".join(part for part in (shown["region"], shown["country"]) if part),
        shown["email"],
    )
    return [part for part in parts if part]


def standings(ids: Sequence[int]) -> Mapping[int, Standing]:
    """Where orders stand on their way to the ERP."""
    sales = dict(Sale.objects.filter(order_id__in=ids).order_by("pk").values_list("order_id", "number"))
    rows = Order.objects.filter(pk__in=ids).values_list("pk", "state")
    refused = _refused(ids)
    return {pk: _standing(OrderState(state), sales.get(pk), refused=pk in refused) for pk, state in rows}


def _refused(ids: Sequence[int]) -> set[int]:
    """Orders whose writing to the ERP waits for a person."""
    parked = OutboundCommand.objects.filter(
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id__in=ids,
        verb=WRITE_SALE,
        state=CommandState.PARKED,
    )
    return set(parked.values_list("subject_id", flat=True))


def _standing(state: OrderState, sale: str | None, *, refused: bool) -> Standing:
    if state == OrderState.ACCEPTED and sale is None and refused:
        return Standing(_("accepted, but not taken by the ERP"), "bad", settled=True)
    if state == OrderState.ACCEPTED and sale is None:
        return Standing(_("accepted, on its way to the ERP"), "warn", settled=False)
    if state == OrderState.ACCEPTED:
        return Standing(_("in the ERP as %(number)s") % {"number": sale or "?"}, "good", settled=True)
    return Standing(state.label, "bad" if state == OrderState.HELD else "none", settled=True)


def changes(pk: int) -> list[Activity]:
    """Steps of the order, and fixes made on its cases, since it was last held."""
    order = Q(subject_type=ContentType.objects.get_for_model(Order), subject_id=pk)
    held = (
        Activity.objects.filter(order, action="orders.moved", text__params__to=OrderState.HELD).order_by("-pk").first()
    )
    if held is None:
        return []
    of_orders = ContentType.objects.get_for_model(Order)
    cases = ExceptionCase.objects.filter(subjects__subject_type=of_orders, subjects__subject_id=pk)
    fixes = Q(
        subject_type=ContentType.objects.get_for_model(ExceptionCase),
        subject_id__in=list(cases.values_list("pk", flat=True)[:50]),
        action__startswith="orders.",
    )
    rows = Activity.objects.filter(order | fixes, pk__gt=held.pk).exclude(action="orders.moved")
    return list(rows.select_related("actor").order_by("-pk")[:STEPS])


FACE = Face(
    model="orders.order",
    url_name="order",
    permission="orders.view_order",
    standings=standings,
    changes=changes,
    facts=facts,
    template="exceptions/subjects/order.html",
)
