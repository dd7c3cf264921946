"""The axes an order stands on, and the moves of the one that is decided."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.states import Moves

ORDER_TO_ERP = "order_to_erp"  # the process that writes orders into an ERP


class OrderState(models.TextChoices):
    """Decided: what the hub does with the order."""

    RECORDED = "RECORDED", _("recorded")  # kept; no process is switched on for it
    WAITING = "WAITING", _("waits for the shop")  # not to be fulfilled yet: payment open, on hold
    HELD = "HELD", _("held")  # something is wrong; see its cases
    ACCEPTED = "ACCEPTED", _("accepted")  # valid; goes or went to the ERP
    CANCELLED = "CANCELLED", _("cancelled")


class Fulfilment(models.TextChoices):
    """Derived from shipments."""

    NONE = "NONE", _("not shipped")
    PARTIAL = "PARTIAL", _("partly shipped")
    FULL = "FULL", _("shipped")


class Payment(models.TextChoices):
    """As the shop states it."""

    OPEN = "OPEN", _("open")
    PAID = "PAID", _("paid")
    PARTLY_REFUNDED = "PARTLY_REFUNDED", _("partly refunded")
    REFUNDED = "REFUNDED", _("refunded")


_ALL = frozenset(OrderState.values)
MOVES: Moves = {
    "": _ALL,
    OrderState.RECORDED: _ALL - {OrderState.RECORDED},
    OrderState.WAITING: _ALL - {OrderState.WAITING},
    OrderState.HELD: _ALL - {OrderState.HELD},
    OrderState.ACCEPTED: _ALL - {OrderState.ACCEPTED},
    OrderState.CANCELLED: _ALL - {OrderState.CANCELLED},
}
