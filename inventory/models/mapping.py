"""Who said which article a system's number means, when and why.  Append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .product import Variant


class How(models.TextChoices):
    """What a mapping rests on."""

    PERSON = "PERSON", _("a person")
    SUGGESTION = "SUGGESTION", _("a confirmed suggestion")
    IMPORT = "IMPORT", _("an import")
    OWNER = "OWNER", _("the system that owns the articles")
    NAME = "NAME", _("what was said earlier")
    SKU = "SKU", _("the same SKU")
    GTIN = "GTIN", _("the same GTIN")
    NONE = "NONE", _("nothing any more")

    @property
    def by_itself(self) -> bool:
        """Whether the hub found it by the number alone and looks again when the number changes."""
        return self in (How.SKU, How.GTIN)


class MappingStep(models.Model):
    """One step: what a name meant ``before`` and means ``after`` (None: nothing), what it rests on, who and why."""

    at = models.DateTimeField(_("at"), db_default=Now())
    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120, blank=True)
    sku = models.CharField(_("SKU there"), max_length=80, blank=True)
    title = models.CharField(_("title there"), max_length=250, blank=True)
    before = models.ForeignKey(Variant, verbose_name=_("before"), null=True, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(Variant, verbose_name=_("after"), null=True, on_delete=models.PROTECT, related_name="+")
    ignored = models.BooleanField(_("is no article"), default=False)
    how = models.CharField(_("rests on"), max_length=10, choices=How)
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    why = models.TextField(_("why"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("mapping step")
        verbose_name_plural = _("mapping history")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["after", "-id"], name="mapping_after"),
            models.Index(fields=["before", "-id"], name="mapping_before"),
            models.Index(fields=["connection", "external_id", "-id"], name="mapping_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.sku or self.external_id}"
