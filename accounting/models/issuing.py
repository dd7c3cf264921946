"""Who issues in which channel and when, and who the seller is."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection
from orders.aftersales.models import AfterSale
from orders.models import Order

from ..states import Figures, Issuer, Language, SharedTax, Trigger, VoucherUse
from .columns import country_field, money_field
from .numbers import NumberRange


class IssuingRule(models.Model):
    """What holds for a channel's documents.  Without a row nobody issues, and an order that is due is in doubt.

    ``since``: only orders placed from then on.  ``tolerance`` is how far the shop's tax of one rate may differ from the
    hub's, per line, before a person is asked.
    """

    channel = models.OneToOneField(
        Connection, verbose_name=_("channel"), on_delete=models.PROTECT, related_name="issuing_rule"
    )
    issuer = models.CharField(_("who issues"), max_length=4, choices=Issuer, default=Issuer.HUB)
    trigger = models.CharField(_("when"), max_length=14, choices=Trigger, default=Trigger.SHIPPED)
    since = models.DateTimeField(_("for orders placed since"), default=None, null=True, blank=True)
    invoices = models.ForeignKey(
        NumberRange,
        verbose_name=_("numbers of invoices"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    corrections = models.ForeignKey(
        NumberRange,
        verbose_name=_("numbers of corrections and cancellations"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: the numbers of the invoices."),
    )
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True, default="")
    small_amounts = models.BooleanField(
        _("small-amount invoices"),
        default=False,
        help_text=_(
            "Up to 250 EUR, without the buyer's address (section 33 UStDV). Never for distance sales or businesses abroad."
        ),
    )
    advances = models.BooleanField(
        _("advance invoices"),
        default=False,
        help_text=_("What is paid before it is shipped gets an advance invoice; the final invoice deducts it."),
    )
    voucher_use = models.CharField(
        _("negative lines without tax"), max_length=8, choices=VoucherUse, default=VoucherUse.PAYMENT
    )
    shared_tax = models.CharField(
        _("tax of shipping and fees"), max_length=8, choices=SharedTax, default=SharedTax.PRO_RATA
    )
    tolerance = money_field(_("tolerance per line"), default=Decimal("0.01"))
    mail = models.BooleanField(_("send by mail"), default=False)

    class Meta:
        verbose_name = _("issuing rule")
        verbose_name_plural = _("issuing rules")
        constraints = [
            models.CheckConstraint(
                condition=~Q(issuer=Issuer.HUB) | Q(invoices__isnull=False), name="hub_needs_a_number_range"
            ),
            models.CheckConstraint(condition=Q(issuer__in=Issuer.values), name="issuer_is_known"),
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="trigger_is_known"),
            models.CheckConstraint(condition=Q(tolerance__gte=0), name="tolerance_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.get_issuer_display()}, {self.get_trigger_display()}"


class Seller(models.Model):
    """Who the merchant is from a day on, until the next row: what section 14 UStG wants on each document, and the bank."""

    valid_from = models.DateField(_("valid from"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    street = models.CharField(_("street"), max_length=250)
    postal_code = models.CharField(_("postal code"), max_length=20)
    city = models.CharField(_("city"), max_length=120)
    country = country_field(_("country"), default="DE")
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True, default="")
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True, default="")
    register = models.CharField(_("commercial register"), max_length=120, blank=True, default="")
    managers = models.CharField(_("managing directors"), max_length=200, blank=True, default="")
    contact = models.CharField(_("contact person"), max_length=120, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=60, blank=True, default="")
    email = models.EmailField(_("e-mail"), blank=True, default="")
    bank = models.CharField(_("bank"), max_length=120, blank=True, default="")
    iban = models.CharField(_("IBAN"), max_length=34, blank=True, default="")
    bic = models.CharField(_("BIC"), max_length=11, blank=True, default="")
    payment_days = models.PositiveSmallIntegerField(_("days to pay"), default=14)
    small_business = models.BooleanField(_("small business (section 19 UStG)"), default=False)
    oss = models.BooleanField(
        _("takes part in OSS"),
        default=False,
        help_text=_("Taxed in the country of destination from the first euro; else from 10,000 EUR a year."),
    )
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("seller data")
        verbose_name_plural = _("seller data")
        ordering = ["-valid_from"]

    def __str__(self) -> str:
        return f"{self.name} {self.valid_from}"


class Due(models.Model):
    """A delivery, payment or special case that is to get its document; worked off by the lane "books", then gone.

    ``scope`` as in ``Document``: ``order``, ``shipment:12``, ``advance:1``, ``after:5``.  The row is written in the transaction
    of what makes it due; nothing is issued there, so that a fault of the books never holds up an order.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=40)
    after_sale = models.ForeignKey(AfterSale, null=True, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField(_("due"), db_default=Now())
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("document to be issued")
        verbose_name_plural = _("documents to be issued")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["order", "scope"], name="due_once_per_order_and_scope")]
        indexes = [models.Index(fields=["due_at", "id"], name="due_document")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.scope}"


class TaxDecision(models.Model):
    """A person decided whose tax figures count for an order, and why.  The last one holds; append-only."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="tax_decisions")
    figures = models.CharField(_("figures"), max_length=4, choices=Figures)
    why = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("decision about tax")
        verbose_name_plural = _("decisions about tax")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.order_id} {self.figures}"
