"""What came in: bytes, what they are about and when, before anyone parses them."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .connection import Connection


class Door(models.TextChoices):
    WEBHOOK = "WEBHOOK", _("webhook")
    POLL = "POLL", _("poll")
    API = "API", _("API")
    SWEEP = "SWEEP", _("sweep")
    FILE = "FILE", _("file")


class EventState(models.TextChoices):
    DUE = "DUE", _("waiting")
    LEASED = "LEASED", _("being processed")
    DONE = "DONE", _("done")
    IGNORED = "IGNORED", _("ignored")
    PARKED = "PARKED", _("parked")


UNFINISHED = (EventState.DUE, EventState.LEASED)
STRANDED = (EventState.IGNORED, EventState.PARKED)


class InboundEvent(models.Model):
    """One delivery, once: the unique key is what it is about and what it says, never the sender's delivery id."""

    # event_of_connection serves the foreign key, too
    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT, db_index=False)
    door = models.CharField(_("door"), max_length=8, choices=Door)
    topic = models.CharField(_("topic"), max_length=80)
    object_id = models.CharField(_("object"), max_length=120)
    digest = models.BinaryField()
    sender_key = models.CharField(_("idempotency key"), max_length=255, blank=True, default="")
    body = models.BinaryField()
    context = models.JSONField(default=dict)
    received_at = models.DateTimeField(_("received"), db_default=Now())
    state = models.CharField(_("state"), max_length=8, choices=EventState, default=EventState.DUE, db_default="DUE")
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    crashes = models.PositiveSmallIntegerField(default=0, db_default=0)
    first_failed_at = models.DateTimeField(null=True)
    solo = models.BooleanField(default=False, db_default=False)
    bulk = models.BooleanField(
        _("backfill"), default=False, db_default=False
    )  # worked beside, never before, what is new
    reason_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    reason = models.JSONField(_("reason"), default=dict, db_default={})
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        permissions = [
            ("report_orders", "Can report orders over the API"),
            ("upload_files", "Can upload bank statements"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["connection", "topic", "object_id", "digest"], name="one_event_per_saying"),
            models.UniqueConstraint(
                fields=["connection", "sender_key"], condition=~Q(sender_key=""), name="one_event_per_sender_key"
            ),
            models.CheckConstraint(
                condition=Q(state="LEASED", lease_token__isnull=False) | ~Q(state="LEASED"),
                name="leased_event_has_token",
            ),
        ]
        indexes = [
            models.Index(fields=["bulk", "due_at", "id"], condition=Q(state="DUE"), name="event_turn"),
            models.Index(fields=["due_at"], condition=Q(state="LEASED"), name="event_leased"),
            models.Index(
                fields=["connection", "object_id", "id"],
                condition=Q(state__in=UNFINISHED),
                name="event_unfinished_object",
            ),
            models.Index(fields=["connection", "object_id", "-id"], name="event_of_object"),
            models.Index(fields=["connection", "-id"], name="event_of_connection"),
            # what waits stands in event_turn, and nearly all the rest is done
            models.Index(fields=["state", "-id"], condition=Q(state__in=STRANDED), name="event_stranded"),
            # the figures ask by the hour; rows lie in the order in which they came in, so these cost next to nothing
            BrinIndex(fields=["received_at"], name="event_received", pages_per_range=16),
            BrinIndex(fields=["finished_at"], name="event_finished", pages_per_range=16),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.object_id}"

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.pk])
