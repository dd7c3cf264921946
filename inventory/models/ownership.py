"""Which system says what about an article: one owner per field, and the others' word is only a difference."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection


class Field(models.TextChoices):
    """What can be owned: that an article exists (with its number), and each of its fields."""

    ARTICLE = "article", _("which articles there are, and their SKU")
    TITLE = "title", _("title")
    GTIN = "gtin", _("GTIN")
    ACTIVE = "active", _("active")
    KIND = "kind", _("kind")
    OPTIONS = "options", _("options")
    UNIT = "unit", _("unit")
    GROUP = "group", _("product group")
    TAX_CLASS = "tax_class", _("tax class")
    WEIGHT = "weight", _("weight (kg)")
    PRICE = "price", _("price")
    PARTS = "parts", _("parts of bundles")


class Owner(models.TextChoices):
    """Whose word counts."""

    ERP = "erp", _("the ERP")
    HUB = "hub", _("the hub")
    CONNECTION = "connection", _("one connection")


class FieldOwner(models.Model):
    """The owner of one field.  A field without a row belongs to the ERP, and to the hub where there is no ERP."""

    field = models.CharField(_("field"), max_length=20, choices=Field, unique=True)
    owner = models.CharField(_("owner"), max_length=10, choices=Owner, default=Owner.ERP, db_default=Owner.ERP.value)
    connection = models.ForeignKey(Connection, verbose_name=_("connection"), null=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("owner of a field")
        verbose_name_plural = _("owners of fields")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(field__in=Field.values), name="owned_field"),
            models.CheckConstraint(
                condition=Q(owner="connection", connection__isnull=False)
                | Q(owner__in=("erp", "hub"), connection=None),
                name="owner_is_one",
            ),
        ]

    def __str__(self) -> str:
        return self.field
