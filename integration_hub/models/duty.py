"""Work that comes due by the clock: one row per duty, however many workers and hosts there are."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Duty(models.Model):
    """When something is next to be done, who does it now, and what came of it last time."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_token = models.UUIDField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_run_at = models.DateTimeField(_("last run"), null=True)
    last_result = models.JSONField(_("last result"), default=dict)

    class Meta:
        verbose_name = _("duty")
        verbose_name_plural = _("duties")
        indexes = [models.Index(fields=["due_at"], name="duty_due")]

    def __str__(self) -> str:
        return self.name
