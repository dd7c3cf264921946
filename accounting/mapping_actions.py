"""Changing the account mapping by hand: a rule is brought, replaced or taken away; who, when and why stay on record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User

from .events import Event
from .ledger_actions import find_accounts
from .models import AccountRule
from .models.mapping import BEGINNING
from .services import changing, choices
from .states import TaxCase

_ANY = [("", _("any"))]


class RuleForm(RowForm):
    """A rule as it is to be; ``rule`` is the one that it replaces."""

    rule = forms.IntegerField(required=False, widget=forms.HiddenInput)
    event = forms.ChoiceField(label=_("For"), choices=Event.choices)
    tax_case = forms.ChoiceField(label=_("Tax case"), choices=[*_ANY, *TaxCase.choices], required=False)
    percent = forms.DecimalField(label=_("Rate in percent"), required=False, min_value=0, max_value=100)
    country = forms.RegexField(r"^([A-Z]{2})?$", label=_("Country"), required=False, max_length=2)
    channel = forms.ModelChoiceField(
        label=_("Channel or provider"),
        queryset=Connection.objects.order_by("name"),
        required=False,
        empty_label=_("any"),
    )
    product_group = forms.CharField(label=_("Product group"), required=False, max_length=120)
    location = forms.CharField(label=_("Location"), required=False, max_length=40)
    payment_method = forms.CharField(label=_("Payment method"), required=False, max_length=120)
    account = forms.RegexField(r"^(?!0+$)\d{1,9}$", label=_("Account"))
    tax_key = forms.RegexField(
        r"^\d{0,4}$", label=_("Tax key"), required=False, help_text=_("Empty for automatic accounts.")
    )
    cost_centre = forms.RegexField(r"^[\w ]{0,36}$", label=_("Cost centre"), required=False)
    text = forms.CharField(
        label=_("Posting text"),
        required=False,
        max_length=60,
        help_text=_("{text} and {number} stand for the usual ones."),
    )
    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    valid_until = forms.DateField(
        label=_("Valid until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    again = forms.BooleanField(
        label=_("Post again what stands in open months"),
        required=False,
        help_text=_("Entries that would be different are reversed and posted anew, also those that were exported."),
    )
    why = forms.CharField(label=_("Reason"), max_length=500)

    lookups = {"account": find_accounts}

    def made(self) -> AccountRule:
        """The rule that these fields describe, not yet kept."""
        given = {name: self.cleaned_data[name] for name in _COPIED}
        percent = self.cleaned_data["percent"]
        return AccountRule(
            chart=choices.current().chart,
            rate=None if percent is None else percent / Decimal(100),
            valid_from=self.cleaned_data["valid_from"] or BEGINNING,
            **given,
        )

    def retired(self) -> list[int]:
        return [self.cleaned_data["rule"]] if self.cleaned_data.get("rule") else []


_COPIED = ("event", "tax_case", "country", "channel", "product_group", "location", "payment_method", "account", "tax_key",
           "cost_centre", "text", "valid_until")  # fmt: skip


def filled(rule: AccountRule) -> dict[str, Any]:
    """The form over a rule that stands."""
    shown = {name: getattr(rule, name) for name in _COPIED if name != "channel"}
    percent = None if rule.rate is None else (rule.rate * 100).normalize()
    valid = None if rule.valid_from == BEGINNING else rule.valid_from
    return shown | {"rule": rule.pk, "channel": rule.channel_id, "percent": percent, "valid_from": valid}


def _change(_books: Any, *, by: User, **given: Any) -> Text:
    form = RuleForm(row=_books)
    form.cleaned_data = given
    rule, chart = form.made(), choices.current().chart
    version = changing.change(chart, bring=[rule], retire=form.retired(), by=by, why=given["why"])
    count = changing.post_again(chart, rule.valid_from, {rule.event}) if given["again"] else 0
    return say(
        "Version %(version)s of the mapping; %(count)s entries are looked at again", version=version.number, count=count
    )


def _retire(_books: Any, *, by: User, rule: int, why: str) -> Text:
    version = changing.change(choices.current().chart, retire=[rule], by=by, why=why)
    return say("Version %(version)s of the mapping; the rule is retired", version=version.number)


class RetireForm(forms.Form):
    """Which rule, and why."""

    rule = forms.IntegerField(widget=forms.HiddenInput)
    why = forms.CharField(label=_("Reason"), max_length=500)


CHANGE_RULE = Action(
    code="accounting.change_rule",
    label=_("Keep as a new version"),
    permission="accounting.map_accounts",
    run=_change,
    form=RuleForm,
    primary=True,
)
RETIRE_RULE = Action(
    code="accounting.retire_rule",
    label=_("Retire this rule"),
    permission="accounting.map_accounts",
    run=_retire,
    form=RetireForm,
    destructive=True,
)
MAPPING_ACTIONS: tuple[Action, ...] = (CHANGE_RULE, RETIRE_RULE)
