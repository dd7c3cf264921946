"""Tax as tables: rates with their days, which article has which level, VAT ids as checked, the OSS threshold."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from ..states import BuyerKind, Level, Vies
from .columns import country_field, money_field, rate_field


class TaxRate(models.Model):
    """The rate of a country's level from a day on, until the next row.  ``rate`` empty: the level ended that day.

    Validity cannot overlap, as a rate holds until another begins.
    """

    country = country_field(_("country"))
    level = models.CharField(_("level"), max_length=14, choices=Level)
    rate = rate_field(_("rate"), null=True, blank=True)
    valid_from = models.DateField(_("valid from"))
    source = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["country", "level", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["country", "level", "valid_from"], name="one_rate_per_level_and_day"),
            models.CheckConstraint(condition=Q(rate=None) | Q(rate__gte=0, rate__lt=1), name="rate_is_a_fraction"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="rate_level_is_known"),
        ]

    def __str__(self) -> str:
        percent = "-" if self.rate is None else f"{(self.rate * 100).normalize():f} %"
        return f"{self.country} {self.get_level_display()} {percent}"


class GoodsTax(models.Model):
    """Which level articles have: by product group or tax class (the owning system's words), country and kind of buyer.

    Empty means all.  The row that says most wins: group and class before country before buyer.  Holds from its day until a
    later row of the same scope.
    """

    group = models.CharField(_("product group"), max_length=120, blank=True, default="")
    tax_class = models.CharField(_("tax class"), max_length=80, blank=True, default="")
    country = country_field(_("country"), blank=True, default="")
    buyer = models.CharField(_("buyer"), max_length=10, choices=BuyerKind, blank=True, default="")
    level = models.CharField(_("level"), max_length=14, choices=Level)
    valid_from = models.DateField(_("valid from"))

    class Meta:
        verbose_name = _("tax of articles")
        verbose_name_plural = _("taxes of articles")
        constraints = [
            models.UniqueConstraint(
                fields=["group", "tax_class", "country", "buyer", "valid_from"], name="one_level_per_scope_and_day"
            ),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="goods_level_is_known"),
        ]

    def __str__(self) -> str:
        scope = " · ".join(part for part in (self.group, self.tax_class, self.country, self.buyer) if part)
        return f"{scope or '*'}: {self.get_level_display()}"


class VatCheck(models.Model):
    """A VAT id as it was checked: its form at once, the Commission's register when it could be asked.  Append-only.

    ``consultation`` is the register's own number of the question, the proof for an audit; it exists where the asking
    business named itself.
    """

    vat_id = models.CharField(_("VAT id"), max_length=20)
    form_ok = models.BooleanField(_("well formed"))
    vies = models.CharField(_("register"), max_length=8, choices=Vies, default=Vies.UNASKED)
    name = models.CharField(_("name there"), max_length=250, blank=True, default="")
    address = models.CharField(_("address there"), max_length=400, blank=True, default="")
    consultation = models.CharField(_("consultation number"), max_length=60, blank=True, default="")
    detail = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("check of a VAT id")
        verbose_name_plural = _("checks of VAT ids")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["vat_id", "-id"], name="vat_check_latest")]

    def __str__(self) -> str:
        return f"{self.vat_id} {self.get_vies_display()}"


class DistanceSales(models.Model):
    """Net turnover of a calendar year with consumers in other EU countries, in EUR: what the OSS threshold looks at."""

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    net = money_field(_("net"), default=Decimal(0))

    class Meta:
        verbose_name = _("distance sales of a year")
        verbose_name_plural = _("distance sales of a year")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.year}: {self.net}"
