"""The procedural documentation (Verfahrensdokumentation) as it was drawn up, version by version.  Append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..states import Language


class ProcedureDocument(models.Model):
    """One version: ``chapters`` as data, ``content`` as the file that is handed out, both from the same moment.

    ``sha256`` is over ``content``; ``previous`` is that of the version before, so that none can be taken out unnoticed.
    """

    version = models.PositiveIntegerField(_("version"), unique=True)
    language = models.CharField(
        _("language"), max_length=2, choices=[(Language.DE, "Deutsch"), (Language.EN, "English")]
    )
    chapters = models.JSONField(default=list)
    content = models.TextField()
    sha256 = models.CharField(_("checksum"), max_length=64)
    previous = models.CharField(max_length=64, blank=True, default="")
    why = models.CharField(_("reason"), max_length=300)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("drawn up by"), on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(_("drawn up"), db_default=Now())

    class Meta:
        verbose_name = _("procedural documentation")
        verbose_name_plural = _("procedural documentation")
        default_permissions = ("view",)
        permissions = [("draw_up_procedure", "Can draw up the procedural documentation")]

    def __str__(self) -> str:
        return f"V{self.version}"

    def get_absolute_url(self) -> str:
        return reverse("procedure", args=[self.version])
