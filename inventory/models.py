"""Sellable variants, the vocabulary that shops and ERP share."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Variant(models.Model):
    """One sellable article; ``sku`` is the merchant's own number, ``gtin`` digits only."""

    sku = models.CharField(_("SKU"), max_length=80, unique=True)
    gtin = models.CharField(_("GTIN"), max_length=14, blank=True, default="")
    title = models.CharField(_("title"), max_length=250)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["sku"]
        permissions = [("map_variant", "Can say which product a shop's number means")]
        indexes = [models.Index(fields=["gtin"], condition=~Q(gtin=""), name="variant_gtin")]

    def __str__(self) -> str:
        return f"{self.sku}  {self.title}"
