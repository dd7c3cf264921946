"""Who calls: a person's session, or a token that is never stronger than its role."""

from __future__ import annotations

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.permissions import DjangoModelPermissions


class RoleTokenAuthentication(TokenAuthentication):  # type: ignore[misc]
    """Knox tokens; the user is limited to what the token's role may."""

    def validate_user(self, auth_token: Any) -> Any:
        user, token = super().validate_user(auth_token)
        user.limit_to(token.role)
        return user, token


class HasModelPermission(DjangoModelPermissions):
    """Every method needs its model permission, reading too."""

    perms_map = DjangoModelPermissions.perms_map | {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }
