"""Who may come in: people with a language, and API tokens with a role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class User(AbstractUser):
    """A person; the role is the group, the language their own choice."""

    language = models.CharField(_("language"), max_length=5, blank=True, default="")

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")
        verbose_name_plural = _("users")

    limited_to: frozenset[str] | None = None

    def limit_to(self, role: Group) -> None:
        """For this request the person is no stronger than one role."""
        rows = role.permissions.values_list("content_type__app_label", "codename")
        self.limited_to = frozenset(f"{app}.{code}" for app, code in rows)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's own answer, within the limit of the token's role."""
        return super().has_perm(perm, obj) and (self.limited_to is None or perm in self.limited_to)

    @property
    def role(self) -> str:
        """The code of the person's (first) role; ``administrator`` for superusers."""
        if self.is_superuser:
            return "administrator"
        return self.groups.order_by("pk").values_list("name", flat=True).first() or ""


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """A REST token: stored hashed (knox), revocable, and never stronger than its one role."""

    name = models.CharField(_("name"), max_length=80)
    role = models.ForeignKey(Group, verbose_name=_("role"), on_delete=models.PROTECT)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"
