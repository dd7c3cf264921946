"""Bank accounts, their statements as an unbroken chain of balances, and each line once."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection, InboundEvent

from ..states import Purpose
from .columns import currency_field, money_field
from .transaction import Transaction


class BankAccount(models.Model):
    """An account at a bank, as its statements name it."""

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    number = models.CharField(_("IBAN or number"), max_length=60)
    currency = currency_field(_("currency"))

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [models.UniqueConstraint(fields=["number", "currency"], name="one_bank_account_per_number")]

    def __str__(self) -> str:
        return self.number


class BankStatement(models.Model):
    """A statement, whole: ``opening + moved = closing``; each begins where the one before it ended, or there is a case."""

    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="statements")
    number = models.CharField(_("number"), max_length=60)
    opening = money_field(_("opening balance"), null=True)
    closing = money_field(_("closing balance"), null=True)
    moved = money_field(_("sum of lines"))
    opened_on = models.DateField(_("from"), null=True)
    closed_on = models.DateField(_("to"))
    recorded_at = models.DateTimeField(db_default=Now())
    event = models.ForeignKey(InboundEvent, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("bank statement")
        verbose_name_plural = _("bank statements")
        constraints = [
            models.UniqueConstraint(fields=["account", "closed_on", "number"], name="one_statement_per_number"),
            models.CheckConstraint(
                condition=Q(opening=None) | Q(closing=None) | Q(closing=F("opening") + F("moved")),
                name="statement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.account.number} {self.number}", Decimal(0), self.account.currency


class BankLine(models.Model):
    """A booked line of an account, once, whichever files it comes in."""

    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="lines")
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    key = models.CharField(max_length=120)
    booked_on = models.DateField(_("booked"))
    valued_on = models.DateField(_("value date"), null=True)
    amount = money_field(_("amount"))
    currency = currency_field(_("currency"))
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    iban = models.CharField(_("IBAN"), max_length=40, blank=True, default="")
    text = models.TextField(_("text"), blank=True, default="")
    end_to_end_id = models.CharField(max_length=60, blank=True, default="")
    bank_reference = models.CharField(max_length=60, blank=True, default="")
    kind = models.CharField(_("the bank's word"), max_length=40, blank=True, default="")
    purpose = models.CharField(_("is"), max_length=8, choices=Purpose, default=Purpose.OPEN)
    transaction = models.OneToOneField(Transaction, null=True, on_delete=models.PROTECT, related_name="bank_line")

    class Meta:
        verbose_name = _("bank line")
        verbose_name_plural = _("bank lines")
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="one_line_per_key"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="line_purpose_is_known"),
        ]
        indexes = [
            models.Index(fields=["-booked_on", "-id"], name="line_newest"),
            models.Index(fields=["amount", "booked_on"], name="line_amount"),
            models.Index(fields=["booked_on"], condition=Q(purpose="OPEN"), name="line_open"),
        ]

    def __str__(self) -> str:
        return self.text[:60] or self.key

    def get_absolute_url(self) -> str:
        return reverse("chain", args=["bankline", self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.booked_on:%Y-%m-%d} {self.name or self.text[:40]}", abs(self.amount), self.currency
