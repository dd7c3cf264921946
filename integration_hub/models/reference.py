"""What our objects are called in other systems."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .connection import Connection


class ExternalReference(models.Model):
    """One name of one object in one system; a name there means one object here."""

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    kind = models.CharField(_("kind"), max_length=20)
    external_id = models.CharField(_("id there"), max_length=120)
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    gone = models.BooleanField(_("gone there"), default=False)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("external reference")
        verbose_name_plural = _("external references")
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "external_id"], name="one_object_per_name")
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="reference_of_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"
