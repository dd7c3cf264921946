"""The shell of our own pages inside the admin: context, access, tabs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from integration_hub.models.access import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def context(request: HttpRequest, title: Any, **extra: Any) -> dict[str, Any]:
    """What every page's template needs; templates extend ``admin/base_site.html``."""
    return admin.site.each_context(request) | {"title": title} | extra


def person(request: HttpRequest) -> User:
    """The signed-in person; PermissionDenied for anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def required(permission: str) -> Callable[[View[P]], View[P]]:
    """Only for people with this permission: others get the login page (nobody) or 403 (somebody else)."""

    def wrap(view: View[P]) -> View[P]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not person(request).has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View[P]", guarded)

    return wrap
