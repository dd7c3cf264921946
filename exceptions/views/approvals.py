"""What waits for a second person: the list, and the buttons."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integration_hub.backoffice.actions import Invalid, may, perform
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import money, words
from integration_hub.kernel.errors import HubError
from integration_hub.models.access import User

from .. import approval_actions
from ..actions import known_action
from ..models import Approval, ApprovalState, CloseCode
from ..presentation import Shown, moment, person_name

PAGE = 100


class ShownApproval:
    """A request for a template, with what this person may do to it."""

    def __init__(self, approval: Approval, user: User) -> None:
        self.approval = approval
        self.shown = Shown(approval.case)
        self.own = approval.requested_by_id == user.pk
        self.may_decide = not self.own and may(approval_actions.APPROVE, user)

    @property
    def what(self) -> str:
        action = known_action(self.approval.action)
        label = str(action.label) if action else self.approval.action
        code = self.approval.data.get("reason", "")
        return f"{label}: {CloseCode(code).label}" if code in CloseCode else label

    @property
    def why(self) -> str:
        return str(self.approval.data.get("why", ""))

    @property
    def amount(self) -> str:
        return money(self.approval.amount, self.approval.currency)

    @property
    def who(self) -> str:
        return person_name(self.approval.requested_by)

    @property
    def asked(self) -> str:
        return moment(self.approval.requested_at)


@required("exceptions.view_exceptioncase")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Requests that nobody has decided on, oldest first."""
    user = person(request)
    rows = Approval.objects.filter(state=ApprovalState.REQUESTED).select_related("case", "requested_by")
    page = context(request, _("To approve"), rows=[ShownApproval(row, user) for row in rows.order_by("pk")[:PAGE]])
    return render(request, "exceptions/approvals.html", page)


@required("exceptions.view_exceptioncase")
@require_POST
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Approve, decline or withdraw, and go on to the exception."""
    approval = get_object_or_404(Approval.objects.select_related("case", "requested_by"), pk=pk)
    action: Any = next((one for one in approval_actions.ALL if one.code == code), None)
    if action is None:
        raise Http404
    try:
        text = perform(action, approval, by=person(request), data=request.POST)
    except Invalid as error:
        messages.error(request, " ".join(item["message"] for places in error.errors.values() for item in places))
    except HubError as error:
        messages.error(request, words(error.text))
    except PermissionDenied:
        messages.error(request, _("You may not do this: %(what)s") % {"what": action.label})
    else:
        messages.success(request, words(text))
    return redirect("exception", approval.case_id)
