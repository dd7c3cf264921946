"""API tokens: made once, shown once, never stronger than the person who makes them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Group
from django.db import transaction

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say
from integration_hub.models import ApiToken, User
from integration_hub.models.activity import note


def grantable(user: User) -> list[Group]:
    """The roles this person may give to a token: those whose every permission the person has, in order of name."""
    return [role for role in Group.objects.order_by("name") if _within(user, role)]


def _within(user: User, role: Group) -> bool:
    wanted = role.permissions.values_list("content_type__app_label", "codename")
    return all(user.has_perm(f"{app}.{code}") for app, code in wanted)


@transaction.atomic
def issue(user: User, name: str, role: Group, expiry: timedelta | None = None) -> tuple[ApiToken, str]:
    """Make a token of ``user`` that may what ``role`` may, for ``expiry`` (None: until revoked).

    Returns the token and its plain text, which is kept nowhere.  Rejected where the role may more than the person, the
    name is blank or the time is not ahead.
    """
    if not name.strip():
        raise Rejected(say("A token needs a name."), code="name_missing")
    if expiry is not None and expiry <= timedelta(0):
        raise Rejected(say("The expiry of a token lies ahead."), code="expired")
    if not _within(user, role):
        raise Rejected(say("A token cannot have a role that may more than you do."), code="role_exceeds")
    token, plain = ApiToken.objects.create(user=user, expiry=expiry, name=name.strip()[:80], role=role)
    note(user, "tokens.issued", say("API token “%(name)s” with the role %(role)s made", **_words(token)), by=user)
    return token, plain


@transaction.atomic
def revoke(token: ApiToken, *, by: User) -> None:
    """End a token at once; the next request with it gets 401."""
    note(
        token.user, "tokens.revoked", say("API token “%(name)s” with the role %(role)s revoked", **_words(token)), by=by
    )
    token.delete()


def _words(token: ApiToken) -> dict[str, str]:
    return {"name": token.name, "role": token.role.name}
