"""What a person may do to any case: take it, give it, retry it, talk about it, close it with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import services
from .kinds import known
from .models import CaseState, ExceptionCase


@dataclass(frozen=True)
class Choice:
    """What a radio button of a fix says: the thing, what it is called, and why it is offered."""

    text: str
    more: str = ""
    why: str = ""

    def __str__(self) -> str:
        return " · ".join(part for part in (self.text, self.more, self.why) if part)


class Why(forms.Form):
    """A reason in words, required where something is closed or accepted."""

    why = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), min_length=5, max_length=2000)


class Comment(forms.Form):
    comment = forms.CharField(label=_("Comment"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)


def assignable() -> QuerySet[User]:
    """Who can take care of a case: active people whose role sees cases, by name."""
    sees = Q(is_superuser=True) | Q(
        groups__permissions__codename="view_exceptioncase", groups__permissions__content_type__app_label="exceptions"
    )
    return User.objects.filter(sees, is_active=True).order_by("last_name", "username").distinct()


class _PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A person by name."""

    def label_from_instance(self, obj: User) -> str:
        return obj.get_full_name() or obj.get_username()


class Assignee(forms.Form):
    """Who is to take care of it; empty gives it back to the team."""

    to = _PersonField(label=_("Assign to"), queryset=assignable(), required=False, empty_label=_("the team"))


def is_open(case: ExceptionCase) -> Text | None:
    return None if case.state == CaseState.OPEN else say("This exception is closed.")


def _take(case: ExceptionCase, *, by: User) -> Text:
    services.assign(case, to=by)
    return say("Assigned to %(who)s", who=by.get_username())


def _assign(case: ExceptionCase, *, by: User, to: User | None) -> Text:
    services.assign(case, to=to)
    return say("Assigned to %(who)s", who=to.get_username()) if to else say("Given back to the team")


def _retry(case: ExceptionCase, *, by: User) -> Text:
    return say("%(count)s run again", count=services.rerun(case))


def _dismiss(case: ExceptionCase, *, by: User, why: str) -> Text:
    services.dismiss(case, by=by, why=why)
    return say("Closed without a fix")


def _comment(case: ExceptionCase, *, by: User, comment: str) -> Text:
    note(case, "exceptions.commented", say("Comment"), by=by, why=comment)
    return say("Comment kept")


def _retry_effect(case: ExceptionCase) -> Text:
    return say("%(count)s run again; what is already written is not repeated", count=case.size)


TAKE = Action(
    code="exceptions.take",
    label=_("Assign to me"),
    permission="exceptions.assign_exceptioncase",
    run=_take,
    allowed=is_open,
    bulk=True,
)
ASSIGN = Action(
    code="exceptions.assign",
    label=_("Assign"),
    permission="exceptions.assign_exceptioncase",
    run=_assign,
    form=Assignee,
    allowed=is_open,
    bulk=True,
)
RETRY = Action(
    code="exceptions.retry",
    label=_("Process again"),
    permission="exceptions.retry_exceptioncase",
    run=_retry,
    allowed=is_open,
    effect=_retry_effect,
    help=_("Runs again what this exception holds up. It closes itself when the cause is gone."),
    bulk=True,
)
DISMISS = Action(
    code="exceptions.dismiss",
    label=_("Close without a fix"),
    permission="exceptions.dismiss_exceptioncase",
    run=_dismiss,
    form=Why,
    allowed=is_open,
    help=_("Nothing is processed. What this exception holds up stays as it is."),
    bulk=True,
    destructive=True,
)
COMMENT = Action(
    code="exceptions.comment",
    label=_("Comment"),
    permission="exceptions.comment_exceptioncase",
    run=_comment,
    form=Comment,
)

ALWAYS: tuple[Action, ...] = (TAKE, ASSIGN, RETRY, COMMENT, DISMISS)


def by_code(case: ExceptionCase, code: str) -> Action | None:
    """The action of this code that belongs to this case: its kind's fixes and what every case offers."""
    return {action.code: action for action in actions_of(case)}.get(code)


def actions_of(case: ExceptionCase) -> tuple[Action, ...]:
    return (*fixes_of(case), *ALWAYS)


def fixes_of(case: ExceptionCase) -> tuple[Action, ...]:
    """What removes the cause, best first."""
    return known(case.kind).fixes
