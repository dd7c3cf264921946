"""What mended itself, with the proof of it.  Append-only."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .case import ExceptionCase


class How(models.TextChoices):
    """What mended it."""

    CAUSE_GONE = "CAUSE_GONE", _("the cause went away")
    INTERMITTENT = "INTERMITTENT", _("an intermittent error passed")
    LATE = "LATE", _("a late reference arrived")
    DRIFT = "DRIFT", _("a small drift was levelled")
    TOKEN = "TOKEN", _("an expired token was renewed")
    RULE = "RULE", _("a rule did it")


class Healing(models.Model):
    """One thing that went on without a person.  ``key`` says which thing, once; ``proof`` names the rows that show it."""

    at = models.DateTimeField(_("at"), db_default=Now())
    how = models.CharField(_("how"), max_length=14, choices=How)
    key = models.CharField(max_length=120)
    number = models.PositiveIntegerField(_("how many"), default=1)
    case = models.ForeignKey(ExceptionCase, null=True, on_delete=models.PROTECT, related_name="healings")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT)
    subject_type = models.ForeignKey(ContentType, null=True, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField(null=True)
    subject = GenericForeignKey("subject_type", "subject_id")
    text = models.JSONField(_("what"), default=dict)
    proof = models.JSONField(_("proof"), default=dict)
    since = models.DateTimeField(_("wrong since"), null=True)

    class Meta:
        verbose_name = _("self-healing")
        verbose_name_plural = _("self-healings")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["how", "key"], name="healed_once"),
            models.CheckConstraint(condition=~Q(proof={}), name="healing_is_proved"),
        ]
        indexes = [
            models.Index(fields=["how", "-id"], name="healing_how"),
            models.Index(fields=["at"], name="healing_at"),
        ]

    def __str__(self) -> str:
        return f"{self.how} {self.key}"
