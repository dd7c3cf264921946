"""The lists of stock, mappings and differences as files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.exports import Column, choice, column, sheet
from integration_hub.backoffice.words import words

STOCK = sheet(
    "stock",
    _("Stock"),
    column(_("SKU"), "variant.sku"),
    column(_("Title"), "variant.title"),
    column(_("Location"), "location.code"),
    column(_("on hand"), "on_hand"),
    column(_("reserved"), "reserved"),
    column(_("confirmed"), "confirmed_at"),
)

LEDGER = sheet(
    "stock-ledger",
    _("Stock ledger"),
    column(_("at"), "at"),
    column(_("SKU"), "variant.sku"),
    column(_("Location"), "location.code"),
    choice(_("Kind"), "kind"),
    column(_("quantity"), "quantity"),
    column(_("reserved"), "reserved"),
    column(_("What"), "text").through(words),
    column(_("why"), "why"),
    column(_("who"), "by.username"),
    column(_("system"), "stated_by.name"),
)

RISKS = sheet(
    "oversell-risk",
    _("Oversell risk"),
    column(_("SKU"), "variant.sku"),
    column(_("Title"), "variant.title"),
    column(_("Sold a day"), "per_day").through(lambda found: round(found, 2)),
    column(_("on hand"), "on_hand"),
    column(_("reserved"), "reserved"),
    column(_("free"), "free"),
    column(_("Lasts for days"), "days").through(lambda found: round(found, 1)),
)

LOCATIONS = sheet(
    "stock-locations",
    _("Stock locations"),
    column(_("code"), "code"),
    column(_("Name"), "name"),
    column(_("Whose word counts"), "source.name"),
    column(_("active"), "active"),
)

LISTINGS = sheet(
    "listings",
    _("Map articles"),
    column(_("Connection"), "connection.name"),
    column(_("Id there"), "external_id"),
    column(_("SKU there"), "sku"),
    column(_("GTIN"), "gtin"),
    column(_("Title"), "title"),
    column(_("Our SKU"), "variant.sku"),
    choice(_("How"), "how"),
    column(_("ignored"), "ignored"),
    column(_("gone"), "gone"),
)

STEPS = sheet(
    "mapping-history",
    _("Mapping history"),
    column(_("at"), "at"),
    column(_("Connection"), "connection.name"),
    column(_("Id there"), "external_id"),
    column(_("SKU there"), "sku"),
    column(_("before"), "before.sku"),
    column(_("after"), "after.sku"),
    choice(_("How"), "how"),
    column(_("why"), "why"),
    column(_("who"), "by.username"),
)

DIFFERENCES = sheet(
    "article-differences",
    _("What others say differently"),
    column(_("Connection"), "connection.name"),
    column(_("Id there"), "external_id"),
    column(_("Our SKU"), "variant.sku"),
    Column(_("Fields"), lambda row: ", ".join(row.differs)),
)
