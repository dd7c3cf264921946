"""What a second person has to approve before it is done to a case."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .case import ExceptionCase


class ApprovalState(models.TextChoices):
    REQUESTED = "REQUESTED", _("requested")
    APPROVED = "APPROVED", _("approved")
    DECLINED = "DECLINED", _("declined")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


class Approval(models.Model):
    """Somebody wants to do this to a case; the form is kept as it was filled in.  Nobody approves what they requested."""

    case = models.ForeignKey(ExceptionCase, verbose_name=_("exception"), on_delete=models.CASCADE)
    action = models.CharField(_("action"), max_length=60)
    data = models.JSONField(default=dict)
    amount = models.DecimalField(_("amount at risk"), max_digits=19, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(_("state"), max_length=10, choices=ApprovalState, default=ApprovalState.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("requested by"), on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("requested"), db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "action"], condition=Q(state="REQUESTED"), name="one_request_per_action"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["APPROVED", "DECLINED"])
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("requested_by"))),
                name="nobody_approves_their_own_request",
            ),
            models.CheckConstraint(
                condition=Q(state="REQUESTED", decided_at=None) | (~Q(state="REQUESTED") & Q(decided_at__isnull=False)),
                name="a_decision_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["-id"], condition=Q(state="REQUESTED"), name="approval_requested")]

    def __str__(self) -> str:
        return f"{self.action} {self.case_id}"
