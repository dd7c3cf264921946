"""The forms of channels, rules and subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exceptions.kinds import all_kinds, team_label
from integration_hub.models import AlertChannel, AlertRule
from integration_hub.models.alert import Condition, Form

from . import rules

_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def roles() -> list[tuple[str, str]]:
    """The roles that may see anything that alerts are about."""
    seen = rules.roles_that_see(rules.CASES)
    return sorted(((role, str(team_label(role))) for role in seen), key=lambda one: one[1])


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Address and secret are never shown again; left empty, the stored ones stay."""

    url = forms.CharField(
        label=gettext_lazy("Address of the webhook"),
        required=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("For Slack, Teams and signed webhooks; kept encrypted. Empty keeps the stored one."),
    )
    secret = forms.CharField(
        label=gettext_lazy("Secret to sign with"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("For signed webhooks; if you leave it empty, one is made and shown once."),
    )

    class Meta:
        model = AlertChannel
        fields = (
            *("name", "form", "role", "language", "recipients", "quiet_from", "quiet_until", "quiet_weekend"),
            *("digest_at", "enabled"),
        )
        widgets = {
            "recipients": forms.Textarea(attrs={"rows": 2}),
            "quiet_from": _CLOCK,
            "quiet_until": _CLOCK,
            "digest_at": _CLOCK,
        }
        help_texts = {
            "recipients": gettext_lazy("Separated by commas. Empty: everybody of the role who has an e-mail address.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(label=gettext_lazy("For the role"), choices=roles())
        self.order_fields(["name", "form", "role", "language", "recipients", "url", "secret"])

    def clean_recipients(self) -> str:
        found = [part.strip() for part in self.cleaned_data["recipients"].replace(";", ",").split(",") if part.strip()]
        for one in found:
            validate_email(one)
        return ", ".join(found)

    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip()
        parts = urlsplit(url)
        if url and (parts.scheme not in ("https", "http") or not parts.hostname):
            raise ValidationError(_("An address begins with https://."))
        return str(url)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if bool(found.get("quiet_from")) != bool(found.get("quiet_until")):
            self.add_error("quiet_until", _("Quiet hours need a beginning and an end."))
        kept = bool(self.instance.sealed)
        if found.get("form") not in (None, Form.EMAIL) and not found.get("url") and not kept:
            self.add_error("url", _("This form needs an address."))
        return found


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """When, how loud, whom, and whom then."""

    class Meta:
        model = AlertRule
        fields = (
            *("subject", "condition", "limit", "window", "urgency", "role", "escalate_after", "escalate_to", "enabled"),
        )
        help_texts = {
            "limit": gettext_lazy("For figures: the number, or per cent for a rise or fall, or minutes for silence."),
            "window": gettext_lazy("For a rise or fall: compared with so long ago. For a deadline: so long before."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(label=gettext_lazy("Whom"), choices=roles())
        self.fields["escalate_to"] = forms.ChoiceField(
            label=gettext_lazy("Escalate to"), choices=[("", "–"), *roles()], required=False
        )
        self.fields["subject"] = forms.ChoiceField(label=gettext_lazy("About"), choices=_subjects())
        if self.instance.pk:
            self.fields["subject"].disabled = self.fields["condition"].disabled = True

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        about_figure = found.get("subject") in rules.figures()
        if found.get("condition") and (found["condition"] in rules.OVER_FIGURES) is not about_figure:
            self.add_error("condition", _("This condition does not go with what the rule is about."))
        if found.get("escalate_after") and not found.get("escalate_to"):
            self.add_error("escalate_to", _("Say to whom it is escalated."))
        role = found.get("role")
        seen = rules.roles_that_see(
            rules.permission(AlertRule(subject=found.get("subject", ""), condition=found.get("condition", "")))
        )
        if role and role not in seen:
            self.add_error("role", _("This role may not see what the rule is about."))
        return found


def _subjects() -> list[tuple[Any, Any]]:
    """Figures and kinds of exception, as groups of one list."""
    figures = [(figure.code, str(figure.label)) for figure in rules.figures().values()]
    kinds = sorted(((kind.code, plain(str(kind.title))) for kind in all_kinds()), key=_label)
    return [(_("Figures"), figures), (_("Exceptions"), kinds)]


def _label(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


def plain(title: str) -> str:
    """A title without what one case puts into it."""
    return title % _Ellipsis()


class _Ellipsis(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"


class SubscriptionForm(forms.Form):
    """The rules that the role of a channel may see, ticked where the channel is told."""

    def __init__(self, channel: AlertChannel, subject: Callable[[AlertRule], str], *args: Any) -> None:
        super().__init__(*args)
        said = dict(channel.subscriptions.values_list("rule", "wanted"))
        visible = _visible(channel.role)
        self.offered = {rule.pk: rule for rule in visible}
        words = dict(Condition.choices)
        choices: list[tuple[str, str]] = [
            (str(rule.pk), f"{subject(rule)} ({words[rule.condition]})") for rule in visible
        ]
        ordered: list[Any] = sorted(choices, key=_label)
        self.fields["rules"] = forms.MultipleChoiceField(
            label=gettext_lazy("Told about"),
            required=False,
            choices=ordered,
            initial=[str(rule.pk) for rule in visible if said.get(rule.pk, rule.role == channel.role)],
            widget=forms.CheckboxSelectMultiple,
        )

    def wanted(self) -> dict[AlertRule, bool]:
        """For each rule that is offered: whether the channel is to be told."""
        ticked = set(self.cleaned_data["rules"])
        return {rule: str(pk) in ticked for pk, rule in self.offered.items()}


def _visible(role: str) -> list[AlertRule]:
    """The rules in use that people of this role may be told by."""
    found = list(AlertRule.objects.filter(enabled=True))
    allowed = {needed: role in rules.roles_that_see(needed) for needed in {rules.permission(rule) for rule in found}}
    return [rule for rule in found if allowed[rules.permission(rule)]]
