"""The verbs of channels and rules: kept with who changed what; addresses and secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import transaction

from integration_hub.kernel.text import say
from integration_hub.models import AlertChannel, AlertRule, AlertSubscription, User
from integration_hub.models.activity import note
from integration_hub.models.alert import Form

from . import shapes


@transaction.atomic
def keep(form: forms.ModelForm[AlertChannel], *, by: User) -> str:
    """Save a channel; returns the secret where one was made, for it is shown only once."""
    channel = form.instance
    secrets = channel.secrets if channel.sealed else {}
    given = {name: form.cleaned_data[name] for name in ("url", "secret") if form.cleaned_data.get(name)}
    made = ""
    if channel.form == Form.WEBHOOK and not (secrets | given).get("secret"):
        made = shapes.new_secret()
        given["secret"] = made
    if given:
        channel.set_secrets(secrets | given)
    channel.broken_since, channel.last_error = None, {}
    channel.save()
    _note(channel, form.changed_data, by)
    return made


@transaction.atomic
def keep_rule(form: forms.ModelForm[AlertRule], *, by: User) -> None:
    """Save a rule."""
    rule = form.save()
    _note(rule, form.changed_data, by)


def _note(row: AlertChannel | AlertRule, changed: list[str], by: User) -> None:
    note(row, "alerts.kept", say("Saved: %(fields)s", fields=", ".join(changed) or "–"), by=by)


@transaction.atomic
def subscribe(channel: AlertChannel, wanted: Mapping[AlertRule, bool], *, by: User) -> None:
    """Keep what differs from what the rules say."""
    rows: list[Any] = []
    for rule, wants in wanted.items():
        if wants != (rule.role == channel.role):
            rows.append(AlertSubscription(channel=channel, rule=rule, wanted=wants))
    channel.subscriptions.filter(rule__in=list(wanted)).delete()
    AlertSubscription.objects.bulk_create(rows)
    note(channel, "alerts.subscribed", say("Told about %(count)s rules", count=sum(wanted.values())), by=by)
