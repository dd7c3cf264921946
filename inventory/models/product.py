"""Sellable variants, the vocabulary that shops and ERP share, and the products they belong to."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Collate, Concat, Lower, Now
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.goods import ProductKind


class Kind(models.TextChoices):
    """``kernel.goods.ProductKind`` with its words."""

    GOODS = ProductKind.GOODS.value, _("goods")
    SERVICE = ProductKind.SERVICE.value, _("service")
    BUNDLE = ProductKind.BUNDLE.value, _("bundle")
    VOUCHER_SINGLE = ProductKind.VOUCHER_SINGLE.value, _("single-purpose voucher")
    VOUCHER_MULTI = ProductKind.VOUCHER_MULTI.value, _("multi-purpose voucher")

    @property
    def moves_stock(self) -> bool:
        """Whether selling it takes something out of a warehouse: the article itself, or the parts of a bundle."""
        return self in (Kind.GOODS, Kind.BUNDLE)


class ShareRule(models.TextChoices):
    """How the price of a bundle is shared among its parts, and so among their tax rates."""

    BY_PRICE = "BY_PRICE", _("by the prices of the parts")
    FIXED = "FIXED", _("by fixed shares")


def _ascii_lower(expression: Any) -> Func:
    """Lower case that does not depend on the database's locale: A to Z and the German umlauts."""
    return Func(
        Lower(Collate(expression, "C"), output_field=models.TextField()),
        Value("ÄÖÜ"),
        Value("äöü"),
        function="translate",
        output_field=models.TextField(),
    )


class Product(models.Model):
    """What a customer sees as one product: its variants differ by their options."""

    title = models.CharField(_("title"), max_length=250)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("product family")
        verbose_name_plural = _("product families")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """One sellable article; ``sku`` is the merchant's own number, ``gtin`` digits only, ``weight`` in kg.

    ``options`` are [axis, value] pairs.  ``price`` is gross where ``price_includes_tax``; ``deposit`` (Pfand) is gross and
    in the same currency.  ``group`` (Warengruppe) and ``tax_class`` are the owning system's words; tax and accounts map them.
    ``plain`` and ``words`` are made by the database for finding similar articles.
    """

    sku = models.CharField(_("SKU"), max_length=80, unique=True)
    gtin = models.CharField(_("GTIN"), max_length=14, blank=True, default="")
    title = models.CharField(_("title"), max_length=250)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    product = models.ForeignKey(
        Product,
        verbose_name=_("product family"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="variants",
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, default=Kind.GOODS, db_default=Kind.GOODS.value)
    options = models.JSONField(_("options"), default=list, db_default=Value([], models.JSONField()), blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True, default="", db_default="")
    pieces_only = models.BooleanField(_("whole pieces only"), default=True, db_default=True)
    group = models.CharField(_("product group"), max_length=120, blank=True, default="", db_default="")
    tax_class = models.CharField(_("tax class"), max_length=80, blank=True, default="", db_default="")
    weight = models.DecimalField(_("weight (kg)"), max_digits=12, decimal_places=4, null=True, blank=True)
    deposit = models.DecimalField(_("deposit"), max_digits=19, decimal_places=4, null=True, blank=True)
    price = models.DecimalField(_("price"), max_digits=19, decimal_places=4, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="", db_default="")
    price_includes_tax = models.BooleanField(_("price includes tax"), null=True, blank=True)
    share_rule = models.CharField(
        _("the price is shared"),
        max_length=10,
        choices=ShareRule,
        default=ShareRule.BY_PRICE,
        db_default=ShareRule.BY_PRICE.value,
    )
    plain = models.GeneratedField(
        expression=Func(
            Lower(Collate("sku", "C"), output_field=models.TextField()),
            Value("[^a-z0-9]+"),
            Value(""),
            Value("g"),
            function="regexp_replace",
            output_field=models.TextField(),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    words = models.GeneratedField(
        expression=Func(
            _ascii_lower(Concat(F("title"), Value(" "), F("sku"), output_field=models.TextField())),
            Value("[ -/:-@[-`{-~]+"),
            function="regexp_split_to_array",
            output_field=ArrayField(models.TextField()),
        ),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["sku"]
        permissions = [
            ("map_variant", "Can say which product a shop's number means"),
            ("edit_variant", "Can change what the hub itself says about an article"),
            ("own_fields", "Can say which system owns which field of the articles"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(weight=None) | Q(weight__gte=0), name="weight_not_negative"),
            models.CheckConstraint(condition=Q(deposit=None) | Q(deposit__gte=0), name="deposit_not_negative"),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0, currency__regex="^[A-Z]{3}$"), name="price_with_a_currency"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="variant_of_a_kind"),
        ]
        indexes = [
            models.Index(fields=["gtin"], condition=~Q(gtin=""), name="variant_gtin"),
            models.Index(fields=["plain"], name="variant_plain", opclasses=["text_pattern_ops"]),
            GinIndex(fields=["words"], name="variant_words"),
        ]

    def __str__(self) -> str:
        return f"{self.sku}  {self.title}"

    @property
    def moves_stock(self) -> bool:
        return Kind(self.kind).moves_stock
