"""What a person may do to movements: say for which orders they are, take that back, or that they are for none."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import Choice, Why, is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.backoffice.words import money, words
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from orders.models import Order

from . import assigning, bank, likely
from .assigning import Share
from .models import Allocation, Candidate, Transaction
from .names import plain
from .states import OF_ORDERS, How

MOST = 20


def movement_of(row: ExceptionCase | Transaction) -> Transaction:
    """The movement itself, or the one that a case is about."""
    if isinstance(row, Transaction):
        return row
    held = cases.held_up(row, Transaction)
    if not held:
        raise NotNow(say("This exception holds up no movement any more."))
    return Transaction.objects.select_related("connection").get(pk=held[0])


def find_orders(text: str) -> list[tuple[str, str]]:
    """Orders whose number begins so, for whoever types it."""
    if not text.strip():
        return []
    rows = Order.objects.filter(number__startswith=text.strip()).select_related("channel")[:MOST]
    return [
        (order.number, f"{order.number} · {order.channel.name} · {money(order.total, order.currency)}")
        for order in rows
    ]


def orders_called(number: str, movement: Transaction) -> list[Order]:
    """The orders of this number in shops of the movement's mode."""
    rows = Order.objects.filter(channel__role=Role.SHOP, channel__mode=movement.connection.mode)
    wanted = [number, f"#{number}"] if number else []
    found = list(rows.filter(number__in=wanted).select_related("channel")[:3])
    return found or [
        order for order in rows.filter(number__startswith=number[:4])[:200] if plain(order.number) == plain(number)
    ]


class OrderForm(RowForm):
    """Which order it is for: the likeliest first, any other by its number."""

    order = forms.ChoiceField(label=_("Order"), required=False, widget=forms.RadioSelect)
    number = forms.CharField(label=_("or the number of another order"), required=False, max_length=60)
    order_amount = forms.DecimalField(
        label=_("Amount in the order's currency, if that is another one"),
        required=False,
        max_digits=19,
        decimal_places=4,
    )

    lookups = {"number": find_orders}

    def prepare(self) -> None:
        movement = movement_of(self.row)
        found = Candidate.objects.filter(transaction=movement).select_related("order__channel").order_by("-score", "pk")
        self.fields["order"].choices = [(one.order_id, _choice(one)) for one in found]  # type: ignore[attr-defined]
        if found and likely.stands_out([one.score for one in found]):
            self.fields["order"].initial = found[0].order_id

    def clean(self) -> dict[str, Any]:
        """The number typed goes before the candidate ticked."""
        cleaned = super().clean() or {}
        typed = cleaned.get("number", "").strip()
        found = (
            orders_called(typed, movement_of(self.row))
            if typed
            else list(Order.objects.filter(pk=cleaned.get("order") or 0))
        )
        if len(found) != 1:
            raise forms.ValidationError(
                _("Several orders have this number.")
                if found
                else _("No order has this number.")
                if typed
                else _("Please choose an order.")
            )
        return {"order": found[0], "order_amount": cleaned.get("order_amount")}


def _choice(one: Candidate) -> Choice:
    order = one.order
    return Choice(order.number, f"{order.channel.name} · {money(order.total, order.currency)}", words(one.reason))


def _assign(row: Any, *, by: User, order: Order, order_amount: Decimal | None) -> Text:
    movement = movement_of(row)
    proposed = Candidate.objects.filter(transaction=movement).order_by("-score", "pk").first()
    how = How.PROPOSED if proposed and proposed.order_id == order.pk else How.PERSON
    held = sum(Allocation.objects.filter(transaction_id=movement.pk).values_list("amount", flat=True), Decimal(0))
    signed = abs(order_amount) * (1 if movement.gross > 0 else -1) if order_amount else None
    assigning.assign(movement, [Share(order, movement.gross - held, signed)], by=by, how=how)
    return say("The money is for order %(number)s", number=order.number)


class SplitForm(RowForm):
    """Several orders of one payment, a line for each."""

    shares = forms.CharField(
        label=_("Order number and amount, a line for each order"),
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "1001 49.99"}),
        max_length=4000,
    )

    def clean_shares(self) -> list[Share]:
        lines = [line.split() for line in self.cleaned_data["shares"].splitlines() if line.strip()]
        return [self._share(line) for line in lines]

    def _share(self, words: list[str]) -> Share:
        movement = movement_of(self.row)
        try:
            number, amount = words
            found = orders_called(number, movement)
            sum_ = Decimal(amount.replace(",", "."))
        except (ValueError, InvalidOperation) as error:
            raise forms.ValidationError(_("Write an order number and an amount: 1001 49.99")) from error
        if len(found) != 1 or not sum_.is_finite() or sum_ <= 0 or sum_ >= Decimal(10) ** 13:
            raise forms.ValidationError(_("%(number)s is not one order with an amount.") % {"number": number})
        return Share(found[0], sum_ if movement.gross > 0 else -sum_)


def _split(row: Any, *, by: User, shares: list[Share]) -> Text:
    assigning.assign(movement_of(row), shares, by=by)
    return say("Split over %(count)s orders", count=len(shares))


def _no_business(row: Any, *, by: User, why: str) -> Text:
    bank.no_business(movement_of(row), by=by, why=why)
    return say("Has nothing to do with orders")


def _release(movement: Transaction, *, by: User, why: str) -> Text:
    assigning.release(movement, by=by, why=why)
    return say("No longer tied to an order")


def _can_assign(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase):
        return is_open(row)
    if row.kind not in OF_ORDERS:
        return say("This movement is about no order.")
    held = sum(Allocation.objects.filter(transaction_id=row.pk).values_list("amount", flat=True), Decimal(0))
    return None if abs(held) < abs(row.gross) else say("All of it is tied to orders.")


def _can_release(movement: Transaction) -> Text | None:
    tied = Allocation.objects.filter(transaction_id=movement.pk).exists()
    return None if tied else say("It is tied to no order.")


def _can_ignore(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase):
        return is_open(row)
    return _can_assign(row) or (None if _can_release(row) else say("It is tied to an order."))


ASSIGN = Action(
    code="payments.assign",
    label=_("It is for this order"),
    permission="payments.assign_transaction",
    run=_assign,
    form=OrderForm,
    allowed=_can_assign,
    primary=True,
)
SPLIT = Action(
    code="payments.split",
    label=_("Split over several orders"),
    permission="payments.assign_transaction",
    run=_split,
    form=SplitForm,
    allowed=_can_assign,
)
NO_BUSINESS = Action(
    code="payments.no_business",
    label=_("Has nothing to do with orders"),
    permission="payments.assign_transaction",
    run=_no_business,
    form=Why,
    allowed=_can_ignore,
)
RELEASE = Action(
    code="payments.release",
    label=_("Not for this order"),
    permission="payments.assign_transaction",
    run=_release,
    form=Why,
    allowed=_can_release,
    destructive=True,
    help=_("The movement is taken off its orders, and you say anew what it is for."),
)
MOVEMENT_ACTIONS: tuple[Action, ...] = (ASSIGN, SPLIT, NO_BUSINESS, RELEASE)
