"""What goes out: commands, and every attempt at one."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .connection import Connection


class CommandState(models.TextChoices):
    DUE = "DUE", _("waiting")
    LEASED = "LEASED", _("being sent")
    DONE = "DONE", _("done")
    PARKED = "PARKED", _("parked")
    CANCELLED = "CANCELLED", pgettext_lazy("command", "cancelled")


OPEN_COMMANDS = (CommandState.DUE, CommandState.LEASED, CommandState.PARKED)
MOVING = (CommandState.DUE, CommandState.LEASED)


class OutboundCommand(models.Model):
    """A thing to be true in a target, once: ``key`` is unique per target and says which thing."""

    connection = models.ForeignKey(Connection, verbose_name=_("target"), on_delete=models.PROTECT)
    verb = models.CharField(_("command"), max_length=40)
    key = models.CharField(_("key"), max_length=120)
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    state = models.CharField(_("state"), max_length=10, choices=CommandState, default=CommandState.DUE)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    solo = models.BooleanField(default=False, db_default=False)
    bulk = models.BooleanField(_("backfill"), default=False, db_default=False)
    maybe_sent = models.BooleanField(_("may have arrived"), default=False)
    begun = models.BooleanField(_("begun before it was refused"), default=False, db_default=False)
    first_failed_at = models.DateTimeField(null=True)
    reason_code = models.CharField(max_length=60, blank=True, default="")
    reason = models.JSONField(_("reason"), default=dict)
    result = models.JSONField(_("result"), default=dict)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="one_command_per_key"),
            models.CheckConstraint(
                condition=Q(state="LEASED", lease_token__isnull=False) | ~Q(state="LEASED"),
                name="leased_command_has_token",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "bulk", "due_at", "id"], condition=Q(state="DUE"), name="command_turn"),
            models.Index(fields=["connection", "due_at"], condition=Q(state="LEASED"), name="command_leased"),
            models.Index(
                fields=["connection", "subject_type", "subject_id", "id"],
                condition=Q(state__in=OPEN_COMMANDS),
                name="command_open_subject",
            ),
            models.Index(fields=["subject_type", "subject_id"], name="command_of_subject"),
            models.Index(fields=["connection", "-id"], name="command_of_connection"),
            models.Index(fields=["state", "-id"], name="command_of_state"),
            BrinIndex(fields=["finished_at"], name="command_finished", pages_per_range=16),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("command", args=[self.pk])


class Outcome(models.TextChoices):
    DONE = "DONE", _("done")
    FOUND = "FOUND", _("was already there")
    RETRY = "RETRY", _("try again")
    AMBIGUOUS = "AMBIGUOUS", _("unclear")
    REFUSED = "REFUSED", _("refused")
    MISCONFIGURED = "MISCONFIGURED", _("misconfigured")
    DEFECT = "DEFECT", _("defect")
    UNFINISHED = "UNFINISHED", _("left unfinished")


class Attempt(models.Model):
    """One try at a command: what was sent, what came back, redacted.  Append-only."""

    command = models.ForeignKey(OutboundCommand, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveIntegerField(_("number"))
    started_at = models.DateTimeField(_("started"))
    ms = models.PositiveIntegerField(_("duration (ms)"))
    outcome = models.CharField(_("outcome"), max_length=14, choices=Outcome)
    reason_code = models.CharField(max_length=60, blank=True, default="")
    reason = models.JSONField(_("reason"), default=dict)
    payload = models.JSONField(_("what was to be written"), default=dict)
    exchanges = models.JSONField(_("requests and answers"), default=list)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint(fields=["command", "number"], name="attempts_are_numbered")]
        indexes = [
            BrinIndex(fields=["started_at"], name="attempt_started", pages_per_range=16),
            models.Index(fields=["-id"], condition=~Q(outcome__in=("DONE", "FOUND")), name="attempt_not_through"),
        ]

    def __str__(self) -> str:
        return f"{self.command} #{self.number}"
