"""Switching rules on and off."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from . import rules
from .actions import Why
from .models import Rule


def _off(rule: Rule, *, by: User, why: str) -> Text:
    rules.switch(rule, on=False, by=by, why=why)
    return say("The rule is switched off")


def _on(rule: Rule, *, by: User, why: str) -> Text:
    rules.switch(rule, on=True, by=by, why=why)
    return say("The rule is switched on")


OFF = Action(
    code="exceptions.rule_off",
    label=_("Switch off"),
    permission="exceptions.manage_rule",
    run=_off,
    form=Why,
    allowed=lambda rule: None if rule.enabled else say("It is so already."),
)
ON = Action(
    code="exceptions.rule_on",
    label=_("Switch on"),
    permission="exceptions.manage_rule",
    run=_on,
    form=Why,
    allowed=lambda rule: say("It is so already.") if rule.enabled else None,
    help=_("From now on it acts in your name, and only as far as you may."),
)

ALL = (OFF, ON)
