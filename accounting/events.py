"""The words of the ledger: what is posted, what an account is asked for, where a posting and an export stand."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Chart(models.TextChoices):
    """The charts of accounts that are shipped ready (DATEV)."""

    SKR03 = "03", "SKR03"
    SKR04 = "04", "SKR04"


class Flag(models.TextChoices):
    """What DATEV does by itself when this account is posted."""

    NONE = "", _("nothing")
    FIXED = "F", _("nothing, a general function")
    OUTPUT = "AM", _("takes the VAT out of the gross amount (AM)")
    INPUT = "AV", _("adds input tax (AV)")


class AccountKind(models.TextChoices):
    """What an account is for."""

    MONEY = "MONEY", _("money")
    PERSONAL = "PERSONAL", _("customers")
    CLAIM = "CLAIM", _("claims")
    DEBT = "DEBT", _("debts")
    TAX = "TAX", _("taxes")
    REVENUE = "REVENUE", _("revenue")
    INCOME = "INCOME", _("other income")
    EXPENSE = "EXPENSE", _("expenses")


class KeyKind(models.TextChoices):
    """What a tax key makes DATEV do."""

    NONE = "NONE", _("no tax")
    OUTPUT = "OUTPUT", _("VAT out of the gross amount")
    INPUT = "INPUT", _("input tax out of the gross amount")
    REVERSE = "REVERSE", _("VAT and input tax on the net amount")
    CANCEL = "CANCEL", _("no automatic tax")


class Event(models.TextChoices):
    """What an account is wanted for."""

    DEBTOR = "DEBTOR", _("customers")
    REVENUE = "REVENUE", pgettext_lazy("books", "revenue")
    ADVANCE = "ADVANCE", _("advance payments")
    CLEARING = "CLEARING", _("clearing with a provider")
    RESERVE = "RESERVE", _("held back by a provider")
    TRANSIT = "TRANSIT", _("money in transit")
    BANK = "BANK", pgettext_lazy("account", "bank")
    FEE = "FEE", _("fees of payments")
    EXCHANGE_FEE = "EXCHANGE_FEE", _("fees of currency exchange")
    DISPUTE_FEE = "DISPUTE_FEE", _("fees of disputes")
    SUBSCRIPTION_FEE = "SUBSCRIPTION_FEE", _("subscriptions of providers")
    OTHER_FEE = "OTHER_FEE", _("other fees")
    FEE_TAX = "FEE_TAX", _("tax on fees")
    WRITE_OFF = "WRITE_OFF", _("given up")
    WRITE_UP = "WRITE_UP", _("paid too much and kept")
    EXCHANGE_LOSS = "EXCHANGE_LOSS", _("exchange loss")
    EXCHANGE_GAIN = "EXCHANGE_GAIN", _("exchange gain")
    PAYOUT_DIFFERENCE = "PAYOUT_DIFFERENCE", _("accepted remainder of a payout")
    UNCLEAR = "UNCLEAR", _("unclear money")


class Source(models.TextChoices):
    """What an entry is about: the row that it books."""

    DOCUMENT = "DOCUMENT", _("document")
    MOVEMENT = "MOVEMENT", _("movement")
    PAYOUT = "PAYOUT", _("payout")
    REMAINDER = "REMAINDER", _("accepted remainder")
    BANK_LINE = "BANK_LINE", _("bank line")
    WRITE_OFF = "WRITE_OFF", _("write-off")


class Side(models.TextChoices):
    """Which part of a booking row a line is."""

    HEAD = "HEAD", _("account")
    CONTRA = "CONTRA", _("contra account")
    TAX = "TAX", _("automatic tax")


class Standing(models.TextChoices):
    """Where something stands with the ledger."""

    DUE = "DUE", _("to be posted")
    WAITING = "WAITING", pgettext_lazy("posting", "waits")
    POSTED = "POSTED", pgettext_lazy("posting", "posted")
    NOTHING = "NOTHING", _("nothing to post")
    REFUSED = "REFUSED", _("cannot be posted")


class PeriodState(models.TextChoices):
    """Whether a month takes postings."""

    OPEN = "OPEN", pgettext_lazy("period", "open")
    LOCKED = "LOCKED", pgettext_lazy("period", "locked")


class Format(models.IntegerChoices):
    """Versions of DATEV's format Buchungsstapel that the hub writes."""

    V13 = 13, _("13 (125 columns, since February 2024)")
    V12 = 12, _("12 (124 columns, since June 2021)")


class ExportState(models.TextChoices):
    """Where an export stands."""

    DUE = "DUE", pgettext_lazy("export", "waits")
    WRITING = "WRITING", _("is being written")
    PROVING = "PROVING", _("is read back")
    READY = "READY", _("ready and locked")
    FAILED = "FAILED", pgettext_lazy("export", "failed")
