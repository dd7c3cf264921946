"""Who calls: a person's session, or a token that is never stronger than its role."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, DjangoModelPermissions

from integration_hub.models import ApiToken, User, origin

USED_EVERY = timedelta(minutes=1)
_VIEW = "%(app_label)s.view_%(model_name)s"


class RoleTokenAuthentication(TokenAuthentication):  # type: ignore[misc]
    """``Authorization: Bearer …``; the person is limited to what the token's role may.

    Knox' own look-up walks all tokens of the person and deletes the expired ones; ours reads one row by its digest.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Raises AuthenticationFailed for what is no token, unknown, expired, or of somebody who may not come in."""
        try:
            digest = hash_token(token.decode())
        except UnicodeDecodeError:
            _refuse()
        found = ApiToken.objects.select_related("user", "role").filter(digest=digest).first()
        if found is None or not found.user.is_active or (found.expiry and found.expiry <= timezone.now()):
            _refuse()
        origin.by_token(found.user_id, found.token_key)
        _used(found)
        found.user.limit_to(found.role)
        if found.user.language:
            translation.activate(found.user.language)  # for this request; the middleware puts it back
        return found.user, found


def _refuse() -> NoReturn:
    raise AuthenticationFailed(_("The token is unknown, revoked or expired."))


def _used(token: ApiToken) -> None:
    """Remember when it was used last, at most once a minute."""
    before = timezone.now() - USED_EVERY
    if token.last_used_at is None or token.last_used_at < before:
        stale = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=before), pk=token.pk)
        stale.update(last_used_at=timezone.now())


class RoleTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes our tokens."""

    target_class = "integration_hub.api.auth.RoleTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class HasModelPermission(DjangoModelPermissions):
    """Every method needs its model permission, reading too."""

    perms_map = DjangoModelPermissions.perms_map | {method: [_VIEW] for method in ("GET", "HEAD", "OPTIONS")}


def needs(permission: str) -> type[BasePermission]:
    """Every method needs exactly this permission."""

    class Needs(BasePermission):
        def has_permission(self, request: Any, view: Any) -> bool:
            return bool(request.user.has_perm(permission))

    return Needs
