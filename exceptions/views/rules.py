"""Rules: what is offered, what is switched on, what each has done."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integration_hub.backoffice.actions import Invalid, may, perform
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import money, words
from integration_hub.kernel.errors import HubError

from .. import habits, rule_actions, rules
from ..actions import known_action
from ..habits import Offer
from ..kinds import known
from ..models import Healing, How, Rule
from ..presentation import moment, person_name, plain

MOST = 100


@required("exceptions.view_exceptioncase")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Offers first, then the rules that are there."""
    user = person(request)
    found = list(Rule.objects.select_related("connection", "by").order_by("-enabled", "-pk")[:MOST])
    used = _used(found)
    offered = [shown_offer(one) for one in habits.offers()]
    page = context(
        request,
        _("Rules"),
        offers=offered,
        rows=[_row(rule, used.get(rule.pk, 0)) for rule in found],
        may_manage=may(rule_actions.ON, user),
    )
    return render(request, "exceptions/rules.html", page)


@required("exceptions.manage_rule")
@require_POST
def take_up(request: HttpRequest) -> HttpResponse:
    """Make the offered rule; what is not offered (any more) is not made."""
    wanted = request.POST.get("offer", "")
    offer = next((one for one in habits.offers() if shown_offer(one)["key"] == wanted), None)
    if offer is None:
        messages.error(request, _("This is not offered any more: somebody did otherwise meanwhile."))
        return redirect("exceptions-rules")
    try:
        rule = rules.make(offer, by=person(request))
    except PermissionDenied:
        messages.error(request, _("A rule may do only what you may do yourself."))
    else:
        messages.success(request, _("Rule %(number)s is switched on") % {"number": rule.pk})
    return redirect("exceptions-rules")


@required("exceptions.view_exceptioncase")
@require_POST
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Switch a rule on or off."""
    rule = get_object_or_404(Rule, pk=pk)
    action = next((one for one in rule_actions.ALL if one.code == code), None)
    if action is None:
        raise Http404
    try:
        messages.success(request, words(perform(action, rule, by=person(request), data=request.POST)))
    except Invalid as error:
        messages.error(request, " ".join(item["message"] for places in error.errors.values() for item in places))
    except HubError as error:
        messages.error(request, words(error.text))
    return redirect("exceptions-rules")


def _key(offer: Offer) -> tuple[str, str, int | None, str]:
    return offer.habit.code, offer.kind, offer.connection.pk if offer.connection else None, json.dumps(offer.match)


def shown_offer(offer: Offer) -> dict[str, Any]:
    """An offer for a template: its words, and a key that finds it again."""
    action = known_action(offer.habit.action)
    return {
        "key": json.dumps(_key(offer)),
        "kind": plain(str(known(offer.kind).title)),
        "connection": offer.connection,
        "action": action.label if action else "",
        "words": words(offer.words),
        "times": offer.times,
        "most": money(offer.most, offer.currency),
    }


def _used(some: list[Rule]) -> dict[int, int]:
    """How often each of these rules was applied."""
    rows = Healing.objects.filter(how=How.RULE, proof__rule__in=[rule.pk for rule in some])
    return dict(rows.values_list("proof__rule").annotate(number=Count("pk")).order_by("proof__rule"))


def _row(rule: Rule, used: int) -> dict[str, Any]:
    habit = habits.habit_of(rule.habit)
    action = known_action(habit.action) if habit else None
    return {
        "rule": rule,
        "kind": plain(str(known(rule.kind).title)),
        "action": action.label if action else rule.habit,
        "words": words(rule.words),
        "most": money(rule.most, rule.currency),
        "who": person_name(rule.by),
        "made": moment(rule.created_at),
        "used": used,
        "switch": rule_actions.OFF if rule.enabled else rule_actions.ON,
    }


@required("exceptions.view_exceptioncase")
@require_GET
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    """How a rule stood when, who changed it and why, and what it did last."""
    rule = get_object_or_404(Rule.objects.select_related("connection", "by"), pk=pk)
    done = Healing.objects.filter(how=How.RULE, proof__rule=rule.pk).select_related("case").order_by("-pk")[:MOST]
    page = context(
        request,
        _("Rule %(number)s") % {"number": rule.pk},
        rule=rule,
        words=words(rule.words),
        versions=rule.versions.select_related("by").order_by("-version")[:MOST],
        done=[{"row": one, "text": words(one.text), "at": moment(one.at)} for one in done],
    )
    return render(request, "exceptions/rule.html", page)
