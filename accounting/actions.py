"""What a person may do about documents: issue, decide whose tax counts, cancel, correct, void numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import Why
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from orders.models import Order

from .models import Document, IssuingRule, NumberRange, Origin, TaxDecision
from .services import due, issuing, numbers, reversing
from .services.planning import WHOLE, Delivery
from .states import DocumentKind, DocumentState, Figures, Issuer

ISSUE_RIGHT = "accounting.issue_document"


def order_of(row: ExceptionCase | Order) -> Order:
    """The order itself, or the one that a case is about."""
    if isinstance(row, Order):
        return row
    held = cases.held_up(row, Order)
    if not held:
        raise NotNow(say("This exception holds up no order any more."))
    return Order.objects.select_related("channel").get(pk=held[0])


def doubtful(order: Order) -> list[Delivery]:
    """The deliveries of an order that are in doubt."""
    rows = Document.objects.filter(order=order, state=DocumentState.DOUBT).order_by("pk")
    return [Delivery(order.pk, row.scope) for row in rows]


def _decide(figures: Figures) -> Any:
    def run(row: ExceptionCase, *, by: User, why: str) -> Text:
        order = order_of(row)
        TaxDecision.objects.create(order=order, figures=figures, why=why[:300], by=by)
        return _issued(issuing.issue_many(doubtful(order), by=by))

    return run


def _issued(found: issuing.Issued) -> Text:
    if found.documents:
        return say("%(numbers)s issued", numbers=[say("%(number)s", number=one.number) for one in found.documents])
    return say("Nothing was issued; the exception says why.")


def _again(row: ExceptionCase | Order, *, by: User) -> Text:
    return _issued(issuing.issue_many(doubtful(order_of(row)), by=by))


def _issue(order: Order, *, by: User) -> Text:
    document = issuing.issue(Delivery(order.pk, WHOLE), by=by)
    return say("%(number)s issued", number=document.number)


def _may_issue(order: Order) -> Text | None:
    rule = IssuingRule.objects.filter(channel_id=order.channel_id).first()
    if rule is None or rule.issuer != Issuer.HUB:
        return say("The hub issues no documents for this channel.")
    if Origin.objects.filter(order=order, released_by=None).exclude(scope__startswith="advance:").exists():
        return say("It is billed already.")
    return None


def _may_cancel(document: Document) -> Text | None:
    if document.state != DocumentState.ISSUED or document.issuer != Issuer.HUB:
        return say("Only invoices of the hub can be cancelled here.")
    if document.kind in (DocumentKind.CORRECTION, DocumentKind.CANCELLATION):
        return say("A correction is not cancelled but made good by another document.")
    return say("It is corrected or cancelled already.") if document.corrections.exists() else None


def _cancel(document: Document, *, by: User, why: str) -> Text:
    made = reversing.cancel(document, why=why, by=by)
    return say("%(number)s issued", number=made.number)


class CorrectForm(Why):
    """How much goes back, gross."""

    amount = forms.DecimalField(
        label=_("Amount that goes back (gross)"), max_digits=19, decimal_places=2, min_value=Decimal("0.01")
    )
    field_order = ("amount", "why")


def _may_correct(document: Document) -> Text | None:
    if document.state != DocumentState.ISSUED or document.issuer != Issuer.HUB:
        return say("Only invoices of the hub can be corrected here.")
    if document.kind in (DocumentKind.CORRECTION, DocumentKind.CANCELLATION):
        return say("A correction is not cancelled but made good by another document.")
    return say("It is cancelled.") if document.corrections.filter(kind=DocumentKind.CANCELLATION).exists() else None


def _correct(document: Document, *, by: User, amount: Decimal, why: str) -> Text:
    made = reversing.reduce(document, amount, why=why, by=by)
    return say("%(number)s issued", number=made.number)


class VoidForm(Why):
    """Up to which number, in which year."""

    upto = forms.IntegerField(label=_("Up to running number"), min_value=1, max_value=10**12)
    year = forms.IntegerField(
        label=_("Year (where the range begins anew each year)"), min_value=2000, max_value=2100, required=False
    )
    field_order = ("upto", "year", "why")


def _void(row: NumberRange, *, by: User, upto: int, year: int | None, why: str) -> Text:
    numbers.void(row, upto=upto, why=why[:300], by=by, year=year if row.yearly else None)
    return say("Numbers up to %(number)s voided", number=upto)


class ElsewhereForm(Why):
    """The document that another system issued."""

    number = forms.CharField(label=_("Number of the document"), max_length=60)
    issued_on = forms.DateField(label=_("Date of the document"), widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("number", "issued_on", "why")


def _elsewhere(row: ExceptionCase | Order, *, by: User, number: str, issued_on: date, why: str) -> Text:
    document = issuing.record_elsewhere(order_of(row), number=number, issued_on=issued_on, by=by, why=why)
    return say("%(number)s recorded", number=document.number)


def _later(row: ExceptionCase, *, by: User) -> Text:
    order = order_of(row)
    tried = due.again(order)
    return say("%(count)s documents tried again", count=tried)


ISSUE_AGAIN = Action(
    code="accounting.issue_again",
    label=_("Issue now"),
    permission=ISSUE_RIGHT,
    run=_again,
    help=_("After the data or the settings are put right."),
    primary=True,
)
HUB_FIGURES = Action(
    code="accounting.hub_figures",
    label=_("Issue with the hub's tax"),
    permission=ISSUE_RIGHT,
    run=_decide(Figures.HUB),
    form=Why,
    help=_("The sum stays what the customer paid; only the tax in it is the hub's."),
)
SHOP_FIGURES = Action(
    code="accounting.shop_figures",
    label=_("Issue with the shop's rates"),
    permission=ISSUE_RIGHT,
    run=_decide(Figures.SHOP),
    form=Why,
    help=_("The shop's rates hold for this order, as long as they were rates of the country on that day."),
)
RECORD_ELSEWHERE = Action(
    code="accounting.record_elsewhere",
    label=_("Record a document issued elsewhere"),
    permission=ISSUE_RIGHT,
    run=_elsewhere,
    form=ElsewhereForm,
    help=_("ERP or shop have billed it. The hub keeps their number and bills it no more."),
)
TRY_AGAIN = Action(
    code="accounting.try_again", label=_("Try the document again"), permission=ISSUE_RIGHT, run=_later, primary=True
)
ISSUE = Action(
    code="accounting.issue", label=_("Issue the invoice"), permission=ISSUE_RIGHT, run=_issue, allowed=_may_issue
)
CANCEL = Action(
    code="accounting.cancel",
    label=_("Cancel by a cancellation invoice"),
    permission="accounting.cancel_document",
    run=_cancel,
    form=Why,
    allowed=_may_cancel,
    destructive=True,
    help=_("A document over the whole amount with the opposite sign. What it billed may be billed anew."),
)
CORRECT = Action(
    code="accounting.correct",
    label=_("Correct a part"),
    permission="accounting.cancel_document",
    run=_correct,
    form=CorrectForm,
    allowed=_may_correct,
    help=_("An invoice correction at the rates of the original, shared over what is left of its lines."),
)
VOID = Action(
    code="accounting.void_numbers",
    label=_("Void numbers"),
    permission="accounting.void_number",
    run=_void,
    form=VoidForm,
    destructive=True,
    help=_("The next numbers are skipped and stand in the register with the reason, as when a series is taken over."),
)
DOCUMENT_ACTIONS = (CORRECT, CANCEL)
ORDER_ACTIONS = (ISSUE, RECORD_ELSEWHERE)
RANGE_ACTIONS = (VOID,)
