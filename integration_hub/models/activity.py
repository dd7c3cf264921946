"""Who did what, when and why: the audit trail and every timeline.  Append-only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.text import Text

from .inbound import InboundEvent
from .outbound import Attempt


class Activity(models.Model):
    """A step in the life of an object; ``text`` is a stored Text, ``data`` what changed."""

    at = models.DateTimeField(_("at"), db_default=Now())
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    action = models.CharField(_("action"), max_length=60)
    text = models.JSONField(_("what"), default=dict)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT)
    system = models.CharField(_("system"), max_length=80, blank=True, default="")
    why = models.TextField(_("why"), blank=True, default="")
    data = models.JSONField(_("details"), default=dict)
    event = models.ForeignKey(InboundEvent, null=True, on_delete=models.PROTECT)
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.PROTECT)
    ms = models.PositiveIntegerField(_("duration (ms)"), null=True)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity")
        indexes = [models.Index(fields=["subject_type", "subject_id", "id"], name="activity_of_subject")]

    def __str__(self) -> str:
        return self.action


def note(
    subject: models.Model,
    action: str,
    text: Text,
    *,
    by: Any = None,
    system: str = "",
    why: str = "",
    data: dict[str, Any] | None = None,
    event: InboundEvent | None = None,
    attempt: Attempt | None = None,
    ms: int | None = None,
) -> Activity:
    """Write one step; ``by`` is a User, ``system`` the name of a connection or part of the hub when nobody did it."""
    return Activity.objects.create(
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        action=action,
        text=text.as_json(),
        actor=by,
        system=system,
        why=why,
        data=data or {},
        event=event,
        attempt=attempt,
        ms=ms,
    )


class Heartbeat(models.Model):
    """When a lane of the workers was last worked; a watchdog that sees progress, not self-reported status."""

    lane = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.lane
