"""The lists of money as files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.exports import choice, column, sheet

OPEN_ITEMS = sheet(
    "open-items",
    _("Open items"),
    column(_("Order"), "order.number"),
    column(_("Channel"), "order.channel.name"),
    choice(_("State"), "state"),
    column(_("Due"), "due_on"),
    column(_("expected"), "expected"),
    column(_("captured"), "captured"),
    column(_("refunded"), "refunded"),
    column(_("written off"), "written_off"),
    column(_("open"), "open"),
    column(_("overpaid"), "overpaid"),
    column(_("Currency"), "currency"),
)

TRANSACTIONS = sheet(
    "movements",
    _("Movements"),
    column(_("Movement"), "external_id"),
    column(_("Provider"), "connection.name"),
    choice(_("Kind"), "kind"),
    choice(_("State"), "state"),
    column(_("When"), "occurred_at"),
    column(_("gross"), "gross"),
    column(_("Currency"), "currency"),
    column(_("fees"), "fees"),
    column(_("net"), "net"),
    column(_("settlement currency"), "settlement_currency"),
    column(_("Method"), "method"),
    column(_("Reference"), "reference"),
    column(_("order reference"), "order_reference"),
    column(_("Payout"), "payout_external_id"),
    column(_("Payer"), "payer", personal=True),
    column(_("E-mail"), "email", personal=True),
    column(_("IBAN"), "iban", personal=True),
    column(_("Text"), "text", personal=True),
)

PAYOUTS = sheet(
    "payouts",
    _("Payouts"),
    column(_("Payout"), "external_id"),
    column(_("Provider"), "connection.name"),
    choice(_("State"), "state"),
    column(_("created"), "created_at"),
    column(_("arrives"), "arrives_on"),
    column(_("Amount"), "amount"),
    column(_("explained"), "explained"),
    column(_("remainder"), "remainder"),
    column(_("Currency"), "currency"),
    column(_("Reference"), "reference"),
)

REFUNDS = sheet(
    "refunds",
    _("Refunds"),
    column(_("Order"), "order.number"),
    column(_("Provider"), "capture.connection.name"),
    choice(_("State"), "state"),
    column(_("Amount"), "amount"),
    column(_("Currency"), "currency"),
    column(_("why"), "why"),
    column(_("requested by"), "requested_by.username"),
    column(_("requested"), "requested_at"),
    column(_("approved by"), "approved_by.username"),
    column(_("settled"), "settled_at"),
)

DISPUTES = sheet(
    "disputes",
    _("Disputes"),
    column(_("Dispute"), "external_id"),
    column(_("Provider"), "connection.name"),
    choice(_("State"), "state"),
    column(_("Reason"), "reason"),
    column(_("Opened"), "opened_at"),
    column(_("Evidence due"), "evidence_due"),
    column(_("Amount"), "amount"),
    column(_("Fee"), "fee"),
    column(_("Currency"), "currency"),
)

BANK_LINES = sheet(
    "bank-lines",
    _("Bank lines"),
    column(_("Booked"), "booked_on"),
    column(_("Value date"), "valued_on"),
    column(_("Account"), "account").through(str),
    column(_("Amount"), "amount"),
    column(_("Currency"), "currency"),
    choice(_("Is"), "purpose"),
    column(_("Name"), "name", personal=True),
    column(_("IBAN"), "iban", personal=True),
    column(_("Text"), "text", personal=True),
    column(_("Reference"), "end_to_end_id"),
)

FEES = sheet(
    "fees",
    _("Fees"),
    column(_("Movement"), "transaction.external_id"),
    column(_("Provider"), "transaction.connection.name"),
    column(_("When"), "occurred_at"),
    column(_("Agreed"), "expected"),
    column(_("Taken"), "actual"),
    column(_("Too much"), "difference"),
    column(_("Currency"), "currency"),
)
