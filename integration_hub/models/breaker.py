"""What keeps the hub from calling a system that does not answer, or more often than it may be called."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .connection import Connection


class BreakerState(models.TextChoices):
    CLOSED = "CLOSED", _("in use")
    OPEN = "OPEN", _("interrupted")
    HALF_OPEN = "HALF_OPEN", _("on trial")


class Breaker(models.Model):
    """The circuit breaker of one connection and its pace; no row means closed.  All times are the database's."""

    connection = models.OneToOneField(Connection, primary_key=True, on_delete=models.CASCADE, related_name="breaker")
    state = models.CharField(_("state"), max_length=10, choices=BreakerState, default=BreakerState.CLOSED)
    opened_at = models.DateTimeField(_("interrupted since"), null=True)  # kept until it closes
    probe_at = models.DateTimeField(_("next try"), null=True)
    cooldown = models.PositiveIntegerField(default=0)  # seconds of the pause now running
    successes = models.PositiveSmallIntegerField(default=0)  # probes that went well in a row
    reason = models.JSONField(_("reason"), default=dict)
    window = models.JSONField(default=dict)  # number of the slice of time -> [well, badly]
    rest_until = models.DateTimeField(_("rests until"), null=True)  # the system asked us to slow down
    next_slot_at = models.DateTimeField(null=True)  # when the next command may go, where a rate is set

    class Meta:
        verbose_name = _("circuit breaker")
        verbose_name_plural = _("circuit breakers")

    def __str__(self) -> str:
        return f"{self.connection}: {self.state}"
