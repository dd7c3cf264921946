"""Customers as the hub knows them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Customer(models.Model):
    """A person or company that orders; ``email`` is normalised and belongs to one customer."""

    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    company = models.CharField(_("company"), max_length=200, blank=True, default="")
    email = models.CharField(_("e-mail"), max_length=254, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=60, blank=True, default="")
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True, default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="one_customer_per_email")]

    def __str__(self) -> str:
        return self.company or self.name or self.email or self.code

    @property
    def code(self) -> str:
        """Stable and unique: what the customer is called in target systems."""
        return f"HUB-{self.pk}"
