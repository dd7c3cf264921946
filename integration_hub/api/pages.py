"""The page of API tokens: everybody manages their own, administrators all; a token's text is shown once."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integration_hub.backoffice import exports
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import term, words
from integration_hub.kernel.errors import HubError
from integration_hub.models import ApiToken, User

from . import tokens

VIEW = "integration_hub.view_apitoken"
FOREVER = "0"
TOKENS = exports.sheet(
    "api-tokens",
    gettext_lazy("API tokens"),
    exports.column(gettext_lazy("Name"), "name"),
    exports.column(gettext_lazy("Begins with"), "token_key"),
    exports.column(gettext_lazy("Role"), "role.name").through(lambda name: term(f"role:{name}")),
    exports.column(gettext_lazy("Person"), "user.username"),
    exports.column(gettext_lazy("created"), "created"),
    exports.column(gettext_lazy("Expires"), "expiry"),
    exports.column(gettext_lazy("last used"), "last_used_at"),
)
LIFETIMES = (
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("one year")),
    (FOREVER, gettext_lazy("until it is revoked")),
)


class TokenForm(forms.Form):
    """What a new token is for and what it may."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("Which program will use it.")
    )
    role = forms.ModelChoiceField(
        label=gettext_lazy("Role"),
        queryset=Group.objects.none(),
        empty_label=gettext_lazy("choose …"),
        help_text=gettext_lazy("The token may do what this role may, and never more than you."),
    )
    days = forms.ChoiceField(label=gettext_lazy("Valid for"), choices=LIFETIMES, initial="365")

    def __init__(self, user: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        allowed = [role.pk for role in tokens.grantable(user)]
        self.fields["role"].queryset = Group.objects.filter(pk__in=allowed).order_by("name")  # type: ignore[attr-defined]
        self.fields["role"].label_from_instance = role_label  # type: ignore[attr-defined]

    def lifetime(self) -> timedelta | None:
        days = self.cleaned_data["days"]
        return None if days == FOREVER else timedelta(days=int(days))


def role_label(role: Group) -> str:
    """What a role is called."""
    return words({"msgid": "%(what)s", "params": {"what": f"role:{role.name}"}})


def _visible(user: User) -> QuerySet[ApiToken]:
    """One's own tokens; all of them for those who answer for everybody: administrators and auditors."""
    rows: QuerySet[ApiToken] = ApiToken.objects.select_related("user", "role")
    return rows if sees_all(user) else rows.filter(user=user)


def sees_all(user: User) -> bool:
    return user.has_perm("integration_hub.change_apitoken") or not user.has_perm("integration_hub.add_apitoken")


@required(VIEW)
def listing(request: HttpRequest) -> HttpResponseBase:
    """The tokens, and a form for another one."""
    user = person(request)
    if file := exports.asked(request, TOKENS, _visible(user).select_related("user", "role").order_by("-created")):
        return file
    form = TokenForm(user) if user.has_perm("integration_hub.add_apitoken") else None
    return _shown(request, form)


def _shown(request: HttpRequest, form: TokenForm | None, made: str = "", status: int = 200) -> HttpResponse:
    user = person(request)
    rows = _visible(user).order_by("-created")[:200]
    shown = {"tokens": rows, "form": form, "made": made, "may_revoke": user.has_perm("integration_hub.delete_apitoken")}
    return render(request, "connections/tokens.html", context(request, _("API tokens"), **shown), status=status)


@require_POST
@required("integration_hub.add_apitoken")
def issue(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    user = person(request)
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return _shown(request, form, status=422)
    try:
        _token, plain = tokens.issue(user, form.cleaned_data["name"], form.cleaned_data["role"], form.lifetime())
    except HubError as error:
        messages.error(request, words(error.text))
        return redirect("tokens")
    return _shown(request, TokenForm(user), made=plain)


@require_POST
@required("integration_hub.delete_apitoken")
def revoke(request: HttpRequest, digest: str) -> HttpResponse:
    """End a token at once."""
    user = person(request)
    tokens.revoke(get_object_or_404(_visible(user), pk=digest), by=user)
    messages.success(request, _("The token is revoked; the next request with it is refused."))
    return redirect("tokens")
