"""What one system says about one article: the hub's memory of every shop and ERP, whoever owns the fields."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .mapping import How
from .product import Variant


class Listing(models.Model):
    """One article as one system shows it; ``external_id`` is the variant's own id there, ``parent_id`` its product's.

    ``stock_id`` is what stock is written under where that is another id.  ``variant`` is None as long as nobody can say
    which article it is.  ``differs`` names the fields in which this system says otherwise than the hub holds.
    What the system does not state is empty or None.
    """

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120)
    parent_id = models.CharField(_("id of the product there"), max_length=120, blank=True, default="", db_default="")
    stock_id = models.CharField(_("id of the stock there"), max_length=120, blank=True, default="", db_default="")
    sku = models.CharField(_("SKU"), max_length=80, blank=True, default="", db_default="")
    gtin = models.CharField(_("GTIN"), max_length=14, blank=True, default="", db_default="")
    title = models.CharField(_("title"), max_length=250, blank=True, default="", db_default="")
    product_title = models.CharField(_("title of the product"), max_length=250, blank=True, default="", db_default="")
    options = models.JSONField(_("options"), default=list, db_default=Value([], models.JSONField()))
    kind = models.CharField(_("kind"), max_length=16, blank=True, default="", db_default="")
    unit = models.CharField(_("unit"), max_length=20, blank=True, default="", db_default="")
    group = models.CharField(_("product group"), max_length=120, blank=True, default="", db_default="")
    tax_class = models.CharField(_("tax class"), max_length=80, blank=True, default="", db_default="")
    weight = models.DecimalField(_("weight (kg)"), max_digits=12, decimal_places=4, null=True)
    price = models.DecimalField(_("price"), max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="", db_default="")
    price_includes_tax = models.BooleanField(_("price includes tax"), null=True)
    parts = models.JSONField(_("parts"), default=list, db_default=Value([], models.JSONField()))
    active = models.BooleanField(_("active"), default=True, db_default=True)
    tracked = models.BooleanField(_("keeps stock"), null=True)
    gone = models.BooleanField(_("gone there"), default=False, db_default=False)
    variant = models.ForeignKey(
        Variant, verbose_name=_("product"), null=True, on_delete=models.PROTECT, related_name="listings"
    )
    how = models.CharField(_("mapped by"), max_length=10, choices=How, blank=True, default="", db_default="")
    ignored = models.BooleanField(_("is no article"), default=False, db_default=False)
    differs = ArrayField(
        models.CharField(max_length=20), default=list, db_default=Value([], ArrayField(models.CharField(max_length=20)))
    )
    source_updated_at = models.DateTimeField(_("changed there"), null=True)
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())

    class Meta:
        verbose_name = _("listed article")
        verbose_name_plural = _("listed articles")
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_listing_per_id"),
            models.CheckConstraint(condition=Q(variant=None) | Q(ignored=False), name="mapped_or_ignored"),
        ]
        indexes = [
            models.Index(fields=["connection", "sku"], condition=~Q(sku=""), name="listing_sku"),
            models.Index(fields=["connection", "stock_id"], condition=~Q(stock_id=""), name="listing_stock"),
            models.Index(fields=["-id"], condition=Q(variant=None, ignored=False, gone=False), name="listing_unmapped"),
            models.Index(fields=["-id"], condition=~Q(differs=[]), name="listing_differs"),
            models.Index(fields=["gtin"], condition=Q(variant=None) & ~Q(gtin=""), name="listing_waiting_gtin"),
            models.Index(fields=["sku"], condition=Q(variant=None) & ~Q(sku=""), name="listing_waiting_sku"),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.sku or self.external_id, self.title) if part)
