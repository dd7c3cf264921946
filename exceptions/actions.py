"""What a person may do to any case: take it, give it, retry it, talk about it, close it with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import approvals, services
from .kinds import all_kinds, known
from .models import CaseState, CloseCode, ExceptionCase, Waits


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


class Closing(Why):
    """Why it is closed although nothing was fixed: a code to count by, and words."""

    reason = forms.ChoiceField(label=_("Reason for closing"), choices=[("", "–"), *CloseCode.choices])

    field_order = ("reason", "why")


class Waiting(forms.Form):
    """Who has to move first, and until when we wait at most; empty: until somebody says so."""

    on = forms.ChoiceField(label=_("Waits for"), choices=[("", "–"), *Waits.choices])
    until = forms.DateTimeField(
        label=_("Back on the list at"),
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    why = forms.CharField(
        label=_("What was asked"), widget=forms.Textarea(attrs={"rows": 2}), min_length=5, max_length=2000
    )

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise forms.ValidationError(_("This time is over."))
        return until


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
    return say("%(count)s run again", count=services.rerun(case, by=by))


def _dismiss(case: ExceptionCase, *, by: User, reason: str, why: str) -> Text:
    services.dismiss(case, by=by, code=reason, why=why)
    return say("Closed without a fix: %(what)s", what=f"close:{reason}")


def is_closed(case: ExceptionCase) -> Text | None:
    return say("This exception is open.") if case.state == CaseState.OPEN else None


def _reopen(case: ExceptionCase, *, by: User, why: str) -> Text:
    services.reopen(case)
    return say("Re-opened")


def _wait(case: ExceptionCase, *, by: User, on: str, until: datetime | None, why: str) -> Text:
    services.wait(case, on=on, until=until)
    if until:
        return say("Waits for %(what)s, until %(until)s at most", what=f"waits:{on}", until=until)
    return say("Waits for %(what)s", what=f"waits:{on}")


def _waits(case: ExceptionCase) -> Text | None:
    return is_open(case) or (None if case.waits_for else say("This exception waits for nobody else."))


def _go_on(case: ExceptionCase, *, by: User) -> Text:
    services.go_on(case)
    return say("It is our turn again")


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
    form=Closing,
    allowed=is_open,
    second=approvals.second,
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

REOPEN = Action(
    code="exceptions.reopen",
    label=_("Re-open"),
    permission="exceptions.reopen_exceptioncase",
    run=_reopen,
    form=Why,
    allowed=is_closed,
    help=_("It holds up again what it held up when it was closed."),
)
WAIT = Action(
    code="exceptions.wait",
    label=_("Wait for others"),
    permission="exceptions.assign_exceptioncase",
    run=_wait,
    form=Waiting,
    allowed=is_open,
    help=_("It leaves the lists of what is to be done, and comes back at the time you say. The due time stays."),
    bulk=True,
)
GO_ON = Action(
    code="exceptions.go_on",
    label=_("Our turn again"),
    permission="exceptions.assign_exceptioncase",
    run=_go_on,
    allowed=_waits,
    bulk=True,
)

ALWAYS: tuple[Action, ...] = (TAKE, ASSIGN, RETRY, WAIT, GO_ON, COMMENT, DISMISS, REOPEN)


def by_code(case: ExceptionCase, code: str) -> Action | None:
    """The action of this code that belongs to this case: its kind's fixes and what every case offers."""
    return {action.code: action for action in actions_of(case)}.get(code)


def known_action(code: str) -> Action | None:
    """The action of this code, of whatever kind."""
    every = (*ALWAYS, *(fix for kind in all_kinds() for fix in kind.fixes))
    return next((action for action in every if action.code == code), None)


def for_many(code: str, cases: Sequence[ExceptionCase]) -> Action | None:
    """An action that can be done to all of these cases at once: what every case offers, or a fix of their one kind."""
    kinds = {case.kind for case in cases}
    offered = (*ALWAYS, *(known(kinds.pop()).fixes if len(kinds) == 1 else ()))
    return next((action for action in offered if action.code == code and action.bulk), None)


def actions_of(case: ExceptionCase) -> tuple[Action, ...]:
    return (*fixes_of(case), *ALWAYS)


def fixes_of(case: ExceptionCase) -> tuple[Action, ...]:
    """What removes the cause, best first."""
    return known(case.kind).fixes
