"""The words of the books: kinds of document, who issues them and when, and the cases that tax knows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DocumentKind(models.TextChoices):
    """What a document is; a correction and a cancellation carry negative amounts and name the document they are about."""

    INVOICE = "INVOICE", _("invoice")
    PARTIAL_INVOICE = "PARTIAL_INVOICE", _("partial invoice")
    COLLECTIVE_INVOICE = "COLLECTIVE_INVOICE", _("collective invoice")
    ADVANCE_INVOICE = "ADVANCE_INVOICE", _("advance invoice")
    FINAL_INVOICE = "FINAL_INVOICE", _("final invoice")
    SMALL_INVOICE = "SMALL_INVOICE", _("small-amount invoice")
    CORRECTION = "CORRECTION", _("invoice correction")
    CANCELLATION = "CANCELLATION", _("cancellation invoice")


# what bills a delivery: there is never more than one of these for one delivery
ORIGINATING = (
    DocumentKind.INVOICE,
    DocumentKind.PARTIAL_INVOICE,
    DocumentKind.COLLECTIVE_INVOICE,
    DocumentKind.FINAL_INVOICE,
    DocumentKind.SMALL_INVOICE,
)
REVERSING = (DocumentKind.CORRECTION, DocumentKind.CANCELLATION)


class DocumentState(models.TextChoices):
    """Whether it counts.  An issued document never changes; that it is cancelled is derived from its cancellation."""

    DOUBT = "DOUBT", _("in doubt")  # who issues it, or whether it may be issued, is a person's decision; see its case
    ISSUED = "ISSUED", _("issued")


class Issuer(models.TextChoices):
    """Who writes the invoices of a channel."""

    HUB = "HUB", _("the hub")
    ERP = "ERP", _("the ERP")
    SHOP = "SHOP", _("the shop")


class Trigger(models.TextChoices):
    """When the hub issues."""

    CONFIRMED = "CONFIRMED", _("order confirmed")
    PAID = "PAID", _("order paid")
    SHIPPED = "SHIPPED", _("order shipped in full")
    EACH_SHIPMENT = "EACH_SHIPMENT", _("each shipment")
    MONTH_END = "MONTH_END", _("month end, collective")


class TaxCase(models.TextChoices):
    """How the VAT law sees a supply (sections of the German UStG)."""

    DOMESTIC = "DOMESTIC", _("domestic supply")
    OSS = "OSS", _("distance sale, taxed in the country of destination (OSS)")  # 3c, 18j
    EU_BELOW_THRESHOLD = "EU_BELOW_THRESHOLD", _("distance sale below the threshold, taxed at home")  # 3c (4)
    EU_B2B = "EU_B2B", _("intra-community supply")  # 4 no. 1b, 6a
    EU_B2B_SERVICE = "EU_B2B_SERVICE", _("service to a business in the EU, recipient owes the tax")  # 3a (2), 13b
    DOMESTIC_REVERSE_CHARGE = "DOMESTIC_REVERSE_CHARGE", _("domestic reverse charge")  # 13b (2)
    EXPORT = "EXPORT", _("export to a third country")  # 4 no. 1a, 6
    SMALL_BUSINESS = "SMALL_BUSINESS", _("small business, exempt")  # 19
    ZERO_RATED = "ZERO_RATED", _("zero rate")  # 12 (3)
    EXEMPT = "EXEMPT", _("exempt")  # 4 no. 8 and following
    VOUCHER_SINGLE = "VOUCHER_SINGLE", _("single-purpose voucher")  # 3 (14): taxed when it is issued
    VOUCHER_MULTI = "VOUCHER_MULTI", _("multi-purpose voucher")  # 3 (15): taxed when it is redeemed
    NOT_TAXABLE = "NOT_TAXABLE", _("not taxable here")


# where tax is shown on the document; everywhere else its rate is zero
TAXED = (TaxCase.DOMESTIC, TaxCase.OSS, TaxCase.EU_BELOW_THRESHOLD, TaxCase.VOUCHER_SINGLE)


class LineKind(models.TextChoices):
    """What a line of a document is for."""

    GOODS = "GOODS", _("goods")
    SERVICE = "SERVICE", _("service")
    SHIPPING = "SHIPPING", _("shipping")
    FEE = "FEE", _("fee")
    DISCOUNT = "DISCOUNT", _("discount")
    VOUCHER = "VOUCHER", _("voucher")
    DEPOSIT = "DEPOSIT", _("deposit")
    ADVANCE = "ADVANCE", _("advance payment")


class Level(models.TextChoices):
    """The rates of a country by name, so that one article has its rate in every country."""

    STANDARD = "STANDARD", _("standard rate")
    REDUCED = "REDUCED", _("reduced rate")
    REDUCED_2 = "REDUCED_2", _("second reduced rate")
    SUPER_REDUCED = "SUPER_REDUCED", _("super-reduced rate")
    PARKING = "PARKING", _("parking rate")
    ZERO = "ZERO", _("zero rate")
    EXEMPT = "EXEMPT", _("exempt")
    REVERSE = "REVERSE", _("reverse charge between businesses")


class BuyerKind(models.TextChoices):
    """Whom a tax rule is for."""

    ANY = "", _("everybody")
    CONSUMER = "CONSUMER", _("consumers")
    BUSINESS = "BUSINESS", _("businesses")


class VoucherUse(models.TextChoices):
    """What a line with a negative amount and without tax means in a channel, where articles with tax are sold too."""

    PAYMENT = "PAYMENT", _("a multi-purpose voucher is redeemed: means of payment")
    DISCOUNT = "DISCOUNT", _("a discount, shared among the rates")
    SINGLE = "SINGLE", _("a single-purpose voucher is redeemed: taxed before")


class SharedTax(models.TextChoices):
    """Which tax shipping, fees and discounts of a whole order have."""

    PRO_RATA = "PRO_RATA", _("that of the goods, pro rata")
    STATED = "STATED", _("as the shop states it")


class Figures(models.TextChoices):
    """Whose tax figures count where shop and hub differ."""

    HUB = "HUB", _("the hub's")
    SHOP = "SHOP", _("the shop's")


class Vies(models.TextChoices):
    """What the Commission's register says about a VAT id."""

    UNASKED = "UNASKED", _("not asked")
    VALID = "VALID", _("valid")
    INVALID = "INVALID", _("not valid")
    SILENT = "SILENT", _("could not be reached")


class Language(models.TextChoices):
    """The language of a document."""

    BUYER = "", _("German in Germany, Austria, Switzerland, Liechtenstein, else English")
    DE = "de", _("German")
    EN = "en", _("English")


class FileKind(models.TextChoices):
    """What is stored of a document."""

    PDF = "PDF", _("PDF/A-3 with embedded XML")
    XML = "XML", pgettext_lazy("format", "Factur-X / ZUGFeRD XML (EN 16931)")
    XRECHNUNG = "XRECHNUNG", pgettext_lazy("format", "XRechnung 3.0")
