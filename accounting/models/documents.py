"""Documents as they were issued, line by line and rate by rate; once issued nothing of them can change."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from integration_hub.models import Connection
from inventory.models import Variant
from orders.aftersales.models import AfterSale
from orders.models import Order, OrderLine, Shipment

from ..states import DocumentKind, DocumentState, FileKind, Issuer, LineKind, TaxCase
from .columns import country_field, currency_field, money_field, rate_field
from .numbers import NumberRange, Series


class Document(models.Model):
    """An invoice, correction or cancellation.  Amounts are positive, of corrections and cancellations negative.

    ``seller`` and ``buyer`` are what was printed.  ``prepaid`` is what was paid of ``gross`` when it was issued, vouchers
    included.  ``supplied_from`` to ``supplied_on`` is when it was delivered; for an advance invoice the day of payment.
    ``scope`` says what of its order it is about: ``order``, ``shipment:12``, ``advance:1``, ``month:2026-11``, ``after:5``.
    ``digest`` is made of all that and of ``previous``, the digest of the document before it in its series.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=DocumentKind)
    state = models.CharField(_("state"), max_length=8, choices=DocumentState)
    issuer = models.CharField(_("issued by"), max_length=4, choices=Issuer)
    number = models.CharField(_("number"), max_length=60, blank=True, default="")
    range = models.ForeignKey(NumberRange, verbose_name=_("number range"), null=True, on_delete=models.PROTECT)
    series = models.ForeignKey(Series, null=True, on_delete=models.PROTECT, related_name="documents")
    sequence = models.PositiveBigIntegerField(_("running number"), null=True)
    channel = models.ForeignKey(
        Connection, verbose_name=_("channel"), on_delete=models.PROTECT, related_name="documents"
    )
    order = models.ForeignKey(
        Order, verbose_name=_("order"), null=True, on_delete=models.PROTECT, related_name="documents"
    )
    scope = models.CharField(max_length=40)
    after_sale = models.ForeignKey(
        AfterSale, verbose_name=_("special case"), null=True, on_delete=models.PROTECT, related_name="documents"
    )
    customer = models.ForeignKey(Customer, verbose_name=_("customer"), null=True, on_delete=models.PROTECT)
    corrects = models.ForeignKey(
        "self", verbose_name=_("is about"), null=True, on_delete=models.PROTECT, related_name="corrections"
    )
    currency = currency_field(_("currency"))
    prices_include_tax = models.BooleanField(_("prices include tax"), default=True)
    net = money_field(_("net"))
    tax = money_field(_("tax"))
    gross = money_field(_("gross"))
    prepaid = money_field(_("paid before"), default=Decimal(0))
    payment_method = models.CharField(_("payment method"), max_length=120, blank=True, default="")
    issued_on = models.DateField(_("date"), null=True)
    issued_at = models.DateTimeField(_("issued"), null=True)
    supplied_from = models.DateField(_("supplied from"), null=True)
    supplied_on = models.DateField(_("supplied"), null=True)
    due_on = models.DateField(_("due"), null=True)
    language = models.CharField(_("language"), max_length=2, default="de")
    country = country_field(_("country"), blank=True, default="")
    buyer_vat_id = models.CharField(_("buyer's VAT id"), max_length=20, blank=True, default="")
    routing_id = models.CharField(_("routing id"), max_length=60, blank=True, default="")
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    delivery = models.JSONField(default=dict)
    why = models.CharField(_("reason"), max_length=300, blank=True, default="")
    doubts = models.JSONField(default=list)
    source = models.ForeignKey(
        Connection, verbose_name=_("issued in"), null=True, on_delete=models.PROTECT, related_name="issued_documents"
    )
    external_id = models.CharField(_("id there"), max_length=120, blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")
    previous = models.CharField(max_length=64, blank=True, default="")
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        permissions = [
            ("issue_document", "Can issue documents and decide doubts about them"),
            ("cancel_document", "Can cancel and correct documents"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["series", "sequence"], name="number_once_per_series"),
            models.UniqueConstraint(
                fields=["number"], condition=Q(state="ISSUED", issuer="HUB"), name="number_of_the_hub_once"
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="foreign_document_once"
            ),
            models.UniqueConstraint(
                fields=["order", "scope"], condition=Q(state="DOUBT"), name="one_doubt_per_order_and_scope"
            ),
            models.UniqueConstraint(
                fields=["corrects"], condition=Q(kind="CANCELLATION", state="ISSUED"), name="cancelled_once"
            ),
            models.UniqueConstraint(
                fields=["after_sale", "corrects"],
                condition=Q(kind="CORRECTION", state="ISSUED", after_sale__isnull=False),
                name="corrected_once_per_after_sale",
            ),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="document_net_and_tax_make_gross"),
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="document_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=DocumentState.values), name="document_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="DOUBT")
                | Q(issued_on__isnull=False, issued_at__isnull=False, series__isnull=False, sequence__isnull=False)
                & ~Q(number="")
                & ~Q(digest=""),
                name="issued_document_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["CORRECTION", "CANCELLATION"], gross__lte=0)
                | ~Q(kind__in=["CORRECTION", "CANCELLATION"]) & Q(gross__gte=0),
                name="document_sign_is_that_of_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["CORRECTION", "CANCELLATION"]) | Q(corrects__isnull=False) | ~Q(issuer="HUB"),
                name="correction_names_what_it_is_about",
            ),
        ]
        indexes = [
            models.Index(fields=["-issued_on", "-id"], name="document_newest"),
            models.Index(fields=["order", "id"], name="document_of_order"),
            models.Index(fields=["customer", "-issued_on"], name="document_of_customer"),
            models.Index(fields=["channel", "-issued_on"], name="document_of_channel"),
            models.Index(fields=["gross", "-issued_on"], name="document_of_amount"),
            models.Index(Upper("number"), name="document_number"),
            models.Index(fields=["state", "id"], condition=Q(state="DOUBT"), name="document_in_doubt"),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.get_kind_display()} · {self.order or ''}"

    def get_absolute_url(self) -> str:
        return reverse("document", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.channel.name} {self}", abs(self.gross), self.currency

    @property
    def payable(self) -> Decimal:
        """What is still to be paid of it."""
        return Decimal(self.gross - self.prepaid)


class DocumentLine(models.Model):
    """A line; net + tax = gross.  ``unit_price`` and ``discount`` (positive, for the line) are in the document's pricing.

    ``stated_tax`` and ``stated_rate`` are the shop's own figures, kept beside ours.  ``group`` is the product group,
    ``location`` the warehouse's slug (both may be empty).
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    order_line = models.ForeignKey(OrderLine, null=True, on_delete=models.PROTECT, related_name="document_lines")
    variant = models.ForeignKey(Variant, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=10, choices=LineKind)
    title = models.CharField(_("title"), max_length=250)
    sku = models.CharField(_("SKU"), max_length=80, blank=True, default="")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)
    unit_price = money_field(_("unit price"))
    discount = money_field(_("discount"), default=Decimal(0))
    group = models.CharField(_("product group"), max_length=120, blank=True, default="")
    location = models.CharField(_("location"), max_length=40, blank=True, default="")
    tax_case = models.CharField(_("tax case"), max_length=24, choices=TaxCase)
    country = country_field(_("country"))
    rate = rate_field(_("rate"))
    net = money_field(_("net"))
    tax = money_field(_("tax"))
    gross = money_field(_("gross"))
    stated_tax = money_field(_("tax as the shop states it"), null=True)
    stated_rate = rate_field(_("rate as the shop states it"), null=True)

    class Meta:
        verbose_name = _("line of a document")
        verbose_name_plural = _("lines of documents")
        default_permissions = ("view",)
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="document_lines_are_numbered"),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="document_line_adds_up"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="document_line_kind_is_known"),
            models.CheckConstraint(condition=Q(tax_case__in=TaxCase.values), name="document_line_tax_case_is_known"),
        ]

    def __str__(self) -> str:
        return self.title


class DocumentTax(models.Model):
    """The sums of one tax case, country and rate; tax is computed here, once per row, and shared among the lines."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="taxes")
    tax_case = models.CharField(_("tax case"), max_length=24, choices=TaxCase)
    country = country_field(_("country"))
    rate = rate_field(_("rate"))
    net = money_field(_("net"))
    tax = money_field(_("tax"))
    gross = money_field(_("gross"))

    class Meta:
        verbose_name = _("tax of a document")
        verbose_name_plural = _("taxes of documents")
        default_permissions = ("view",)
        ordering = ["-rate", "tax_case"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "tax_case", "country", "rate"], name="one_tax_row_per_case_country_and_rate"
            ),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="document_tax_adds_up"),
        ]

    def __str__(self) -> str:
        return f"{self.tax_case} {self.country} {self.rate}"


class Origin(models.Model):
    """Which document bills which delivery, so that no delivery is billed twice.

    ``scope`` is ``order`` or ``shipment:12`` (see the trigger: never both kinds for one order), or ``advance:1``.
    A cancellation sets ``released_by``; then the delivery may be billed anew.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="origins")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="origins")
    shipment = models.ForeignKey(Shipment, null=True, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=40)
    released_by = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("billed delivery")
        verbose_name_plural = _("billed deliveries")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["order", "scope"], condition=Q(released_by=None), name="one_document_per_delivery"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.scope}"


class DocumentFile(models.Model):
    """What was handed out of a document, byte for byte.  Append-only; one of each kind."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(_("kind"), max_length=10, choices=FileKind)
    name = models.CharField(_("file"), max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(_("bytes"))
    made_at = models.DateTimeField(_("made"), db_default=Now())

    class Meta:
        verbose_name = _("file of a document")
        verbose_name_plural = _("files of documents")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["document", "kind"], name="one_file_of_each_kind")]

    def __str__(self) -> str:
        return self.name
