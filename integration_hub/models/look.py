"""When a person first looked at something: one row per object, written once."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .access import User


class FirstLook(models.Model):
    """The first person who opened an object's page, and when."""

    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField()
    at = models.DateTimeField(_("first looked at"), db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("first look")
        verbose_name_plural = _("first looks")
        constraints = [models.UniqueConstraint(fields=["subject_type", "subject_id"], name="one_first_look_per_object")]
        indexes = [models.Index(fields=["subject_type", "at"], name="first_look_at")]

    def __str__(self) -> str:
        return f"{self.subject_type_id}/{self.subject_id}"


def looked_at(subject: models.Model, by: User) -> None:
    """Note the first look; later ones change nothing."""
    kind = ContentType.objects.get_for_model(subject)
    if not FirstLook.objects.filter(subject_type=kind, subject_id=subject.pk).exists():
        row = FirstLook(subject_type=kind, subject_id=subject.pk, by=by)
        FirstLook.objects.bulk_create([row], ignore_conflicts=True)
