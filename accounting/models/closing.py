"""Months as they were closed and opened again.  The database opens a locked month only for an approved request."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .ledger import Period


class Closing(models.Model):
    """A month was closed: by whom, with what the cockpit showed, and why in spite of open points.  Append-only."""

    period = models.ForeignKey(Period, verbose_name=_("period"), on_delete=models.PROTECT, related_name="closings")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("closed by"), on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed"), db_default=Now())
    points = models.JSONField(default=list)
    why = models.CharField(_("reason"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("closing of a month")
        verbose_name_plural = _("closings of months")
        default_permissions = ("view",)
        permissions = [
            ("close_period", "Can close a month of the books"),
            ("hand_over", "Can hand data over for an audit"),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.closed_at:%Y-%m-%d}"


class ReopeningState(models.TextChoices):
    REQUESTED = "REQUESTED", _("waits for a second person")
    APPROVED = "APPROVED", pgettext_lazy("reopening", "approved")
    DECLINED = "DECLINED", pgettext_lazy("reopening", "declined")


class Reopening(models.Model):
    """Somebody asks that a closed month take postings again; somebody else decides."""

    period = models.ForeignKey(Period, verbose_name=_("period"), on_delete=models.PROTECT, related_name="reopenings")
    state = models.CharField(_("state"), max_length=10, choices=ReopeningState, default=ReopeningState.REQUESTED)
    why = models.CharField(_("reason"), max_length=500)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("requested by"), on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("requested"), db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("reopening of a month")
        verbose_name_plural = _("reopenings of months")
        default_permissions = ("view",)
        permissions = [("reopen_period", "Can ask for and approve the reopening of a closed month")]
        constraints = [
            models.UniqueConstraint(fields=["period"], condition=Q(state="REQUESTED"), name="one_request_per_period"),
            models.CheckConstraint(condition=Q(state__in=ReopeningState.values), name="reopening_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="REQUESTED", decided_by=None, decided_at=None)
                | ~Q(state="REQUESTED") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="reopening_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="APPROVED") | ~Q(decided_by=F("requested_by")), name="reopening_has_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.get_state_display()}"
