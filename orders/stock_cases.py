"""Orders that stock does not suffice for: short before they go to the ERP, oversold afterwards; and what can be done."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exceptions import jobs
from exceptions import services as cases
from exceptions.actions import is_open
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from inventory.models import StockLevel
from inventory.services import alarms, ledger, promises

from . import services, stock
from .models import Order


def one(pk: int, by: User | None) -> Order:
    """Judge one order that waits anew."""
    return services.reconsider(pk, by=by)


class DueForm(forms.Form):
    """Until when the rest is promised; empty: as soon as it is there."""

    due = forms.DateField(
        label=_("Deliverable by"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean_due(self) -> date | None:
        due: date | None = self.cleaned_data["due"]
        if due and due < timezone.localdate():
            raise forms.ValidationError(_("This day is over."))
        return due


def _deliver_in_part(case: ExceptionCase, *, by: User, due: date | None) -> Text:
    held = cases.held_up(case, Order)
    for order in Order.objects.select_related("channel").filter(pk__in=held).order_by("placed_at", "pk"):
        stock.back_order(order, due)
        services.reconsider(order.pk, by=by)
    return say("%(count)s orders run on; what is missing is promised for later", count=len(held))


def _effect(case: ExceptionCase) -> Text:
    return say("%(count)s orders run on with what is there, oldest first", count=case.size)


DELIVER_IN_PART = Action(
    code="stock.deliver_in_part",
    label=_("Deliver in part, the rest later"),
    permission="orders.fix_order",
    run=_deliver_in_part,
    form=DueForm,
    allowed=is_open,
    effect=_effect,
    help=_("The orders go to the ERP whole. What is there is held for them; the rest is held as soon as it comes in."),
    primary=True,
)


def level_of(case: ExceptionCase) -> StockLevel | None:
    """The level that the case of overselling is about."""
    rows = StockLevel.objects.select_related("variant", "location__source")
    return rows.filter(pk=case.data.get("level")).first()


class TransferForm(RowForm):
    """From where, how many, and why."""

    source = forms.ChoiceField(label=_("From"), widget=forms.RadioSelect)
    quantity = forms.DecimalField(label=_("Quantity"), min_value=Decimal("0.0001"), max_digits=14, decimal_places=4)
    why = forms.CharField(label=_("Reason"), max_length=500, min_length=5)

    def prepare(self) -> None:
        """Where the article is free, most first."""
        level = level_of(self.row)
        found = _spare(level) if level else []
        self.fields["source"].choices = [  # type: ignore[attr-defined]
            (row.location_id, f"{row.location.name}: {alarms.plain(row.on_hand - row.reserved)}") for row in found
        ]
        self.fields["quantity"].initial = self.row.data.get("pieces")


def _spare(level: StockLevel) -> list[StockLevel]:
    """Where it is free and the hub itself counts."""
    return [row for row in alarms.spare(level) if row.location.source_id is None]


def _transferable(case: ExceptionCase) -> Text | None:
    level = level_of(case)
    if level and level.location.source:
        return say("%(system)s counts there. Transfer it there; the hub takes it over.", system=level.location.source)
    if level is None or not _spare(level):
        return say("Nothing of it is free at another location that the hub counts.")
    return is_open(case)


def _transfer(case: ExceptionCase, *, by: User, source: str, quantity: Decimal, why: str) -> Text:
    level = level_of(case)
    other = next((row for row in _spare(level) if str(row.location_id) == source), None) if level else None
    if level is None or other is None:
        raise NotNow(say("Nothing of it is free at another location that the hub counts."))
    ledger.transfer(level.variant, other.location, level.location, quantity, by=by, why=why)
    alarms.look([level.variant_id])
    return say(
        "%(quantity)s transferred from %(location)s", quantity=alarms.plain(quantity), location=other.location.name
    )


TRANSFER = Action(
    code="stock.transfer_for",
    label=_("Transfer from another location"),
    permission="inventory.book_stock",
    run=_transfer,
    form=TransferForm,
    allowed=_transferable,
    help=_("Books the transfer in the hub. Where an ERP or a till counts, transfer there; the hub takes it over."),
)


def _back_order(case: ExceptionCase, *, by: User, due: date | None) -> Text:
    level = level_of(case)
    if level is None:
        raise NotNow(say("This level is not there any more."))
    key = (level.variant_id, level.location_id)
    locked = ledger.hold([level.variant_id], [level.location_id])[key]
    over = alarms.excess(locked)
    moved = promises.uncover(over.promises, over.pieces, due)
    alarms.look([level.variant_id])
    return say("%(count)s back-ordered, the newest orders first", count=alarms.plain(moved))


def _back_order_effect(case: ExceptionCase) -> Text:
    return say("%(count)s orders get their goods later, the newest first", count=case.size)


BACK_ORDER = Action(
    code="stock.back_order",
    label=_("Back-order what is missing"),
    permission="orders.fix_order",
    run=_back_order,
    form=DueForm,
    allowed=is_open,
    effect=_back_order_effect,
    help=_(
        "The newest orders give up what is not there and get it first when goods come in; the rest is delivered in part."
    ),
    primary=True,
)


def look(case: ExceptionCase) -> int:
    """Judge the level anew."""
    return alarms.rerun(case)


KINDS = (
    Kind(
        code=stock.SHORT,
        title=_("Not enough %(sku)s for orders of %(connection)s"),
        explanation=_(
            "The orders are complete and right, but what they want is not there or belongs to earlier orders. They hold nothing and wait."
        ),
        blocks=_("Writing these orders to the ERP"),
        role="operations",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
        fixes=(DELIVER_IN_PART,),
        help=_(
            "As soon as goods come in, the orders run on by themselves, oldest first. Or deliver in part, or promise a date. To cancel a line, cancel it in the shop and return the money there: the hub takes the change over and the order runs on."
        ),
    ),
    Kind(
        code=alarms.OVERSOLD,
        title=_("%(sku)s is oversold at %(location)s by %(count)s (%(channels)s)"),
        explanation=_(
            "More is promised to orders than lies there: stock has fallen after the orders were accepted. The newest orders cannot be served."
        ),
        blocks=_("Delivery of these orders"),
        role="operations",
        due=timedelta(hours=4),
        rerun=look,
        fixes=(BACK_ORDER, TRANSFER),
        help=_(
            "Transfer from another location, back-order what is missing, or cancel orders in the shop and return the money there: then their goods become free. The exception closes itself when no more is promised than held."
        ),
    ),
)
