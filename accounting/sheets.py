"""The lists of the books as files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.exports import column, sheet

REVENUE = sheet(
    "revenue",
    _("Revenue"),
    column(_("What"), "label"),
    column(_("Documents"), "count"),
    column(_("Net"), "net"),
    column(_("Tax"), "tax"),
    column(_("Gross"), "gross"),
    column(_("Currency"), "currency"),
)
REVENUE_LINES = sheet(
    "revenue-lines",
    _("Lines of documents"),
    column(_("Document"), "document.number"),
    column(_("Date"), "document.issued_on"),
    column(_("Channel"), "document.channel.name"),
    column(_("SKU"), "sku"),
    column(_("Title"), "title"),
    column(_("Quantity"), "quantity"),
    column(_("Tax case"), "tax_case"),
    column(_("Country"), "country"),
    column(_("Rate"), "rate"),
    column(_("Net"), "net"),
    column(_("Tax"), "tax"),
    column(_("Gross"), "gross"),
    column(_("Currency"), "document.currency"),
)
OSS = sheet(
    "oss",
    _("Distance sales (OSS)"),
    column(_("Country"), "country"),
    column(_("Rate"), "rate"),
    column(_("Documents"), "count"),
    column(_("Net"), "net"),
    column(_("Tax"), "tax"),
    column(_("of it corrections of earlier quarters"), "earlier"),
    column(_("Currency"), "currency"),
)
FEES = sheet(
    "fees-by-provider",
    _("Fees by provider"),
    column(_("Provider"), "provider"),
    column(_("Kind"), "kind"),
    column(_("Movements"), "count"),
    column(_("Amount"), "amount"),
    column(_("Currency"), "currency"),
)
