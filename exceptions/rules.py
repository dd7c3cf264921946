"""Rules made of habits: switched on by a person, tried on every case once, applied with proof, never above four eyes."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from integration_hub.backoffice.actions import Action, may, perform
from integration_hub.kernel.errors import HubError, NotNow
from integration_hub.kernel.text import say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import actions, approvals, habits, healing
from .habits import Offer
from .models import CaseState, ExceptionCase, How, Rule, RuleVersion

logger = logging.getLogger(__name__)
BATCH = 20


@transaction.atomic
def make(offer: Offer, *, by: User) -> Rule:
    """Take an offer up; the same rule a second time is switched on again.  PermissionDenied for who may not act so."""
    action = actions.known_action(offer.habit.action)
    if action is None or not may(action, by):
        raise PermissionDenied(offer.habit.action)
    rule, made = Rule.objects.get_or_create(
        habit=offer.habit.code,
        kind=offer.kind,
        connection=offer.connection,
        match=offer.match,
        defaults={"words": offer.words.as_json(), "most": offer.most, "currency": offer.currency, "by": by},
    )
    if made:
        _keep(rule, by=by, why="")
        _look_again(rule)
    elif not rule.enabled:
        switch(rule, on=True, by=by, why="")
    return rule


def switch(rule: Rule, *, on: bool, by: User | None, why: str) -> None:
    """Switch a rule on (from now on in this person's name) or off; a version of its own."""
    rule = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    if rule.enabled == on:
        raise NotNow(say("It is so already."))
    rule.enabled, rule.version = on, rule.version + 1
    if on and by:
        rule.by = by
    rule.save(update_fields=["enabled", "version", "by"])
    _keep(rule, by=by, why=why)
    if on:
        _look_again(rule)


def _keep(rule: Rule, *, by: User | None, why: str) -> None:
    RuleVersion.objects.create(
        rule=rule, version=rule.version, enabled=rule.enabled, match=rule.match, most=rule.most, by=by, why=why
    )


def _look_again(rule: Rule) -> None:
    """Cases of its kind that are open now are tried, too."""
    ExceptionCase.objects.open().filter(kind=rule.kind, connection=rule.connection_id).update(rules_tried=False)


def work() -> int:
    """Try the rules on a batch of cases that have not seen them yet; returns how many."""
    kinds = list(Rule.objects.filter(enabled=True).values_list("kind", flat=True).distinct())
    if not kinds:
        return 0
    fresh = ExceptionCase.objects.open().filter(rules_tried=False, kind__in=kinds)
    done = 0
    for pk in list(fresh.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        done += try_on(pk)
    return done


@transaction.atomic
def try_on(pk: int) -> int:
    """Try every rule that is for this case, until one has closed it; the case does not see them again."""
    rows = ExceptionCase.objects.select_for_update(of=("self",), skip_locked=True)
    case = rows.filter(pk=pk, state=CaseState.OPEN, rules_tried=False).first()
    if case is None:
        return 0
    ExceptionCase.objects.filter(pk=pk).update(rules_tried=True)
    for rule in _rules_for(case):
        if _apply(rule, case):
            break
    return 1


def _rules_for(case: ExceptionCase) -> Iterable[Rule]:
    rows = Rule.objects.filter(enabled=True, kind=case.kind, currency=case.currency, most__gte=abs(case.amount))
    return list(rows.filter(Q(connection=case.connection_id)).select_related("by").order_by("pk"))


def _apply(rule: Rule, case: ExceptionCase) -> bool:
    """Do it in the name of who switched the rule on; what hinders it stays with the case."""
    habit = habits.habit_of(rule.habit)
    action = actions.by_code(case, habit.action) if habit else None
    given = habit.given(rule.match, case) if habit else None
    if action is None or given is None or (action.second and approvals.above_limit(case)):
        return False
    try:
        with transaction.atomic():
            _do(rule, action, case, given)
    except PermissionDenied:
        switch(rule, on=False, by=None, why="no permission")
        return False
    except HubError as error:
        note(
            case,
            "exceptions.rule",
            say("Rule %(number)s does not fit: %(because)s", number=rule.pk, because=error.text),
            system="hub",
        )
        return False
    return True


def _do(rule: Rule, action: Action, case: ExceptionCase, given: dict[str, str]) -> None:
    if not rule.by.is_active:
        raise PermissionDenied(str(rule))
    said = perform(action, case, by=rule.by, data=given)
    text = say("Rule %(number)s, version %(version)s", number=rule.pk, version=rule.version)
    note(case, "exceptions.rule", text, system="hub", data={"rule": rule.pk, "version": rule.version})
    ExceptionCase.objects.filter(pk=case.pk).exclude(state=CaseState.OPEN).update(closed_by=None)
    healing.record(
        How.RULE,
        f"rule:{rule.pk}:{case.pk}:{case.reopened}",
        said,
        proof={"rule": rule.pk, "version": rule.version, "action": action.code},
        connection=case.connection,
        case=case,
        since=case.first_seen_at,
    )
