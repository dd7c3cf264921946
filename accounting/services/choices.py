"""How the books are kept where the law leaves a choice: every option with its default, and what was chosen instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integration_hub.models.access import User

from ..events import Chart, Format
from ..models import Choice


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What holds now.  The defaults are those of the table below."""

    chart: str = Chart.SKR03
    adviser_number: int = 0
    client_number: int = 0
    fiscal_month: int = 1
    account_length: int = 4
    format: int = Format.V13
    finalised: bool = False
    general_reversal: bool = True
    initials: str = ""
    belegfeld: str = "INVOICE"
    bank_lines: bool = True
    beleglink: bool = True
    purpose: int = 0


@dataclass(frozen=True, kw_only=True)
class Option:
    """A choice: what it is called, what it means, the field that takes it."""

    name: str
    label: Any
    help: Any
    field: Callable[[], forms.Field]

    @property
    def default(self) -> Any:
        return getattr(Answers(), self.name)


def _yes_no() -> forms.Field:
    return forms.TypedChoiceField(choices=[("1", _("yes")), ("0", _("no"))], coerce=lambda value: value == "1")


def _number(least: int, most: int) -> Callable[[], forms.Field]:
    return lambda: forms.IntegerField(min_value=least, max_value=most)


def _one_of(*pairs: tuple[Any, Any], whole: bool = False) -> Callable[[], forms.Field]:
    return lambda: forms.TypedChoiceField(choices=list(pairs), coerce=int if whole else str)


OPTIONS = (
    Option(
        name="chart",
        label=_("Chart of accounts"),
        help=_(
            "SKR03 or SKR04, as your adviser keeps it. Entries that are posted stay as they are until what they are about changes."
        ),
        field=_one_of(*Chart.choices),
    ),
    Option(
        name="adviser_number",
        label=_("Adviser number"),
        help=_("DATEV's number of your tax adviser, 1001 to 9999999. Without it nothing can be exported."),
        field=_number(1001, 9_999_999),
    ),
    Option(
        name="client_number",
        label=_("Client number"),
        help=_("Your number with the adviser, 1 to 99999. Without it nothing can be exported."),
        field=_number(1, 99_999),
    ),
    Option(
        name="fiscal_month",
        label=_("First month of the fiscal year"),
        help=_("January, unless your fiscal year differs from the calendar year."),
        field=_number(1, 12),
    ),
    Option(
        name="account_length",
        label=_("Digits of ledger accounts"),
        help=_("As set in DATEV, 4 to 8. Accounts of customers have one digit more."),
        field=_number(4, 8),
    ),
    Option(
        name="format",
        label=_("Version of the format"),
        help=_("13 is today's; 12 for a DATEV from before February 2024."),
        field=_one_of(*Format.choices, whole=True),
    ),
    Option(
        name="finalised",
        label=_("Hand over finalised (Festschreibung)"),
        help=_(
            "No: the adviser may still change what was imported before finalising it there. Yes: DATEV locks the whole batch at once."
        ),
        field=_yes_no,
    ),
    Option(
        name="general_reversal",
        label=_("Reverse by general reversal (Generalumkehr)"),
        help=_("Yes keeps the yearly turnover of accounts clean. No: the mirrored row, debit and credit exchanged."),
        field=_yes_no,
    ),
    Option(
        name="initials",
        label=_("Initials (Diktatkürzel)"),
        help=_("Two or four capitals shown at the batch, or nothing."),
        field=lambda: forms.RegexField(r"^([A-Z]{2}|[A-Z]{4})?$", required=False),
    ),
    Option(
        name="belegfeld",
        label=_("Document field 1 of payments"),
        help=_(
            "The number that settles open items. The invoice's where there is one by then, else the order's; or always the order's."
        ),
        field=_one_of(("INVOICE", _("invoice, else order")), ("ORDER", _("order"))),
    ),
    Option(
        name="bank_lines",
        label=_("Post bank lines"),
        help=_(
            "Payouts that arrive in the bank and transfers of customers. No, if the adviser books the bank statements: they would stand there twice."
        ),
        field=_yes_no,
    ),
    Option(
        name="beleglink",
        label=_("Link to the document's image"),
        help=_("Each row of a document bears the id under which its image is handed over."),
        field=_yes_no,
    ),
    Option(
        name="purpose",
        label=_("Accounting purpose"),
        help=_("0: independent of the purpose. 30 tax, 40 calculation, 50 commercial law, 64 IFRS."),
        field=_one_of((0, "0"), (30, "30"), (40, "40"), (50, "50"), (64, "64"), whole=True),
    ),
)


def option(name: str) -> Option:
    """KeyError for an option that does not exist."""
    return {one.name: one for one in OPTIONS}[name]


def current() -> Answers:
    """What holds now, in one query."""
    return Answers(**chosen())


def chosen() -> dict[str, Any]:
    """The last word on each option that somebody chose."""
    rows = Choice.objects.order_by("name", "-id").distinct("name").values_list("name", "value")
    known = {field.name for field in fields(Answers)}
    return {name: value for name, value in rows if name in known}


def last() -> Mapping[str, Choice]:
    """Who chose what last, by option."""
    rows = Choice.objects.select_related("by").order_by("name", "-id").distinct("name")
    return {row.name: row for row in rows}


def choose(name: str, value: Any, *, by: User | None, why: str, adviser: str = "") -> Choice:
    """Choose anew; what was chosen before stays on record."""
    return Choice.objects.create(name=option(name).name, value=value, by=by, why=why, adviser=adviser)
