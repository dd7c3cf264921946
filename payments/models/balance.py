"""What is open per order, what fees should be, and how far long work has come."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection
from orders.models import Order

from ..states import Money
from .columns import currency_field, money_field
from .transaction import Transaction


class OpenItem(models.Model):
    """How one order stands with its money: computed by ``balances.refresh`` from everything that moved, and cached here."""

    order = models.OneToOneField(Order, primary_key=True, on_delete=models.CASCADE, related_name="open_item")
    currency = currency_field(_("currency"))
    expected = money_field(_("expected"))
    authorised = money_field(_("authorised"))
    captured = money_field(_("paid"))
    refunded = money_field(_("refunded"))
    disputed = money_field(_("disputed"))
    written_off = money_field(_("written off"))
    moved = money_field(_("moved by exchange"), default=Decimal(0), db_default=Decimal(0))
    open = money_field(_("open"))
    overpaid = money_field(_("overpaid"))
    state = models.CharField(_("state"), max_length=16, choices=Money)
    due_on = models.DateField(_("due"))
    refreshed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("open item")
        verbose_name_plural = _("open items")
        indexes = [
            models.Index(fields=["due_on", "order"], condition=Q(open__gt=0), name="item_open"),
            models.Index(fields=["due_on", "order"], condition=Q(overpaid__gt=0), name="item_overpaid"),
        ]

    def __str__(self) -> str:
        return str(self.order_id)


class PaymentTerm(models.Model):
    """How many days a payment method has; ``method`` is found in what the shop calls it."""

    method = models.CharField(_("payment method"), max_length=60, unique=True)
    days = models.PositiveSmallIntegerField(_("days"))

    class Meta:
        verbose_name = _("term of payment")
        verbose_name_plural = _("terms of payment")

    def __str__(self) -> str:
        return self.method


class FeeContract(models.Model):
    """What a provider is to take: percent of gross plus a fixed amount; empty fields mean any."""

    connection = models.ForeignKey(Connection, verbose_name=_("provider"), on_delete=models.CASCADE)
    method = models.CharField(_("payment method"), max_length=40, blank=True, default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    card = models.CharField(_("card"), max_length=40, blank=True, default="")
    currency = currency_field(_("currency"), default="EUR")
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4)
    fixed = money_field(_("fixed"), default=Decimal(0))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        verbose_name = _("agreed fee")
        verbose_name_plural = _("agreed fees")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "method", "country", "card", "currency", "valid_from"], name="one_fee_at_a_time"
            ),
            models.CheckConstraint(condition=Q(percent__gte=0) & Q(fixed__gte=0), name="fee_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.method or '*'} {self.percent} % + {self.fixed}"


class FeeCheck(models.Model):
    """The fee of one movement beside what was agreed, both in the currency of settlement."""

    transaction = models.OneToOneField(
        Transaction, primary_key=True, on_delete=models.CASCADE, related_name="fee_check"
    )
    contract = models.ForeignKey(FeeContract, null=True, on_delete=models.SET_NULL)
    currency = currency_field(_("currency"))
    expected = money_field(_("agreed"))
    actual = money_field(_("taken"))
    difference = money_field(_("too much"))
    beyond = models.BooleanField(_("beyond the tolerance"))
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name = _("fee compared")
        verbose_name_plural = _("fees compared")
        constraints = [
            models.CheckConstraint(
                condition=Q(difference=models.F("actual") - models.F("expected")), name="fee_difference_is_right"
            )
        ]
        indexes = [
            models.Index(fields=["-occurred_at", "-transaction"], condition=Q(beyond=True), name="fee_beyond"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id} {self.difference}"


class Progress(models.Model):
    """How far work over many rows has come, for whoever looks and for whoever goes on."""

    name = models.CharField(max_length=40, primary_key=True)
    after = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("progress")
        verbose_name_plural = _("progress")

    def __str__(self) -> str:
        return self.name
