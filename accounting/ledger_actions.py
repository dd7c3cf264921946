"""What a person may do about the ledger: name an account, move a posting out of a locked month, correct an entry's texts, choose."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from .events import PeriodState
from .models import Account, AccountRule, Booking, Entry, Period
from .services import changing, choices, correcting, finding
from .services.gathering import MODELS
from .services.mapping import WEIGHTS


def find_accounts(text: str) -> list[tuple[str, str]]:
    """Accounts of the chart in use whose number or name begins so."""
    typed = text.strip()
    rows = Account.objects.filter(chart=choices.current().chart)
    found = rows.filter(number__startswith=typed) if typed.isdigit() else rows.filter(name__icontains=typed)
    return [(row.number, str(row)) for row in found.order_by("number")[:20]] if typed else []


class AccountForm(RowForm):
    """Which account, with which tax key, and how widely that holds."""

    account = forms.RegexField(r"^(?!0+$)\d{1,9}$", label=_("Account"))
    tax_key = forms.RegexField(
        r"^\d{0,4}$", label=_("Tax key"), required=False, help_text=_("Empty for automatic accounts.")
    )
    scope = forms.ChoiceField(
        label=_("Holds for"),
        choices=[("CASE", _("every posting of this kind, tax case and rate")), ("EXACT", _("exactly this"))],
    )
    why = forms.CharField(label=_("Reason"), max_length=500)

    lookups = {"account": find_accounts}


_WIDE = ("rate", "tax_case")


def _map(case: ExceptionCase, *, by: User, account: str, tax_key: str, scope: str, why: str) -> Text:
    chart, about = choices.current().chart, case.data
    names = [name for name in WEIGHTS if scope == "EXACT" or name in _WIDE]
    given: dict[str, Any] = {name: about.get(name) or _EMPTY[name] for name in names}
    given["rate"] = Decimal(about["rate"]) if about.get("rate") else None
    rule = AccountRule(chart=chart, event=about["event"], account=account, tax_key=tax_key, **given)
    version = changing.change(chart, bring=[rule], by=by, why=why)
    cases.rerun(case)
    return say("Account %(account)s, version %(version)s of the mapping", account=account, version=version.number)


_EMPTY: dict[str, Any] = dict.fromkeys(WEIGHTS, "") | {"channel_id": None, "rate": None}

MAP = Action(
    code="accounting.map",
    label=_("Name the account"),
    permission="accounting.map_accounts",
    run=_map,
    form=AccountForm,
    allowed=is_open,
    primary=True,
    help=_("A new version of the account mapping; what waits for it is posted at once."),
)


class DayForm(RowForm):
    """The day that it is posted on instead."""

    day = forms.DateField(label=_("Post on"), widget=forms.DateInput(attrs={"type": "date"}))
    why = forms.CharField(label=_("Reason"), max_length=500)

    def prepare(self) -> None:
        self.fields["day"].initial = timezone.localdate()

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        locked = Period.objects.filter(year=day.year, month=day.month, state=PeriodState.LOCKED)
        if locked.exists():
            raise forms.ValidationError(_("This month is locked, too."))
        return day


def held_bookings(case: ExceptionCase) -> list[Booking]:
    """What a case about postings holds up."""
    found: list[Booking] = []
    for source, model in MODELS.items():
        ids = cases.held_up(case, model)
        found += Booking.objects.filter(source=source, subject_id__in=ids) if ids else []
    return found


def _move(case: ExceptionCase, *, by: User, day: Any, why: str) -> Text:
    held = [booking.pk for booking in held_bookings(case)]
    Booking.objects.filter(pk__in=held).update(moved_to=day)
    finding.again(held)
    return say("%(count)s postings moved to %(day)s", count=len(held), day=day)


MOVE = Action(
    code="accounting.move",
    label=_("Post into an open month"),
    permission="accounting.post_entries",
    run=_move,
    form=DayForm,
    allowed=is_open,
    primary=True,
    help=_("The document keeps its date; the posting gets the day you choose."),
)


def again(case: ExceptionCase) -> int:
    """Let what a case holds up be posted again."""
    return finding.again([booking.pk for booking in held_bookings(case)])


class TextForm(RowForm):
    """Document field 1 and posting text as they should be."""

    belegfeld1 = forms.RegexField(
        r"^[A-Za-z0-9_$%\-/]{0,36}$",
        label=_("Document field 1"),
        required=False,
        help_text=_("Letters, digits and _ $ % - /"),
    )
    text = forms.CharField(label=_("Posting text"), max_length=60)
    why = forms.CharField(label=_("Reason"), max_length=300)


def _texts(entry: Entry, *, by: User, belegfeld1: str, text: str, why: str) -> Text:
    made = correcting.reword(entry, belegfeld1=belegfeld1, text=text, by=by, why=why)
    return say("Reversed and posted again as %(entry)s", entry=str(made))


def _stands(entry: Entry) -> Text | None:
    standing = Booking.objects.filter(entry=entry).exists()
    return None if standing else say("This entry was reversed, or reverses another one.")


REWORD = Action(
    code="accounting.reword",
    label=_("Correct texts"),
    permission="accounting.post_entries",
    run=_texts,
    form=TextForm,
    initial=lambda entry: {"belegfeld1": entry.belegfeld1[:36], "text": entry.text[:60]},
    allowed=_stands,
    help=_("The entry is reversed and posted again with these texts; both stay visible."),
)
ENTRY_ACTIONS: tuple[Action, ...] = (REWORD,)


class ChoiceForm(RowForm):
    """One option, its value, on whose advice and why."""

    name = forms.ChoiceField(label=_("Option"))
    value = forms.CharField(label=_("Value"), required=False, max_length=60)
    adviser = forms.CharField(label=_("On the advice of"), required=False, max_length=120)
    why = forms.CharField(label=_("Reason"), max_length=500)

    def prepare(self) -> None:
        self.fields["name"].choices = [(one.name, one.label) for one in choices.OPTIONS]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "name" in cleaned:
            field = choices.option(cleaned["name"]).field()
            cleaned["value"] = field.clean(cleaned.get("value", ""))
        return cleaned


def _choose(_books: Any, *, by: User, name: str, value: Any, adviser: str, why: str) -> Text:
    choices.choose(name, value, by=by, why=why, adviser=adviser)
    return say("%(name)s: %(value)s", name=name, value=str(value))


CHOOSE = Action(
    code="accounting.choose",
    label=_("Choose"),
    permission="accounting.set_up_books",
    run=_choose,
    form=ChoiceForm,
)
BOOKS_ACTIONS: tuple[Action, ...] = (CHOOSE,)
