"""What bundles are made of."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .product import Variant


class BundlePart(models.Model):
    """``quantity`` of ``part`` are in one ``bundle``; ``share`` is its weight in the price where shares are fixed.

    A trigger refuses cycles: it takes one lock for all bundles, so two halves of a cycle cannot slip in side by side.
    """

    bundle = models.ForeignKey(Variant, verbose_name=_("bundle"), on_delete=models.CASCADE, related_name="parts")
    part = models.ForeignKey(Variant, verbose_name=_("part"), on_delete=models.PROTECT, related_name="part_of")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=4)
    share = models.DecimalField(_("share of the price"), max_digits=12, decimal_places=4, null=True, blank=True)

    class Meta:
        verbose_name = _("part of a bundle")
        verbose_name_plural = _("parts of bundles")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["bundle", "part"], name="part_once_per_bundle"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="part_quantity_positive"),
            models.CheckConstraint(condition=Q(share=None) | Q(share__gte=0), name="part_share_not_negative"),
            models.CheckConstraint(condition=~Q(bundle=F("part")), name="bundle_not_in_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.part_id}"
