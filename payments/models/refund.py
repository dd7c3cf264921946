"""Refunds and write-offs as processes, disputes, and the limits that people work within."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.money import minor_digits
from integration_hub.models import Connection
from orders.aftersales.models import AfterSale
from orders.models import Order, OrderLine

from ..states import DisputeState, RefundState, WriteOffState
from .columns import currency_field, money_field
from .transaction import Transaction


class Refund(models.Model):
    """Money of one payment going back for one order; ``transaction`` is the movement that shows it at the provider.

    One whose ``requested_by`` is empty was made at the provider and recognised here.
    """

    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="refunds")
    capture = models.ForeignKey(
        Transaction, verbose_name=_("payment"), on_delete=models.PROTECT, related_name="refunds"
    )
    amount = money_field(_("amount"))
    currency = currency_field(_("currency"))
    state = models.CharField(_("state"), max_length=10, choices=RefundState, default=RefundState.REQUESTED)
    why = models.TextField(_("reason"), blank=True, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("requested by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("requested"), db_default=Now())
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    external_id = models.CharField(_("id at the provider"), max_length=120, blank=True, default="")
    transaction = models.OneToOneField(Transaction, null=True, on_delete=models.PROTECT, related_name="refund")
    settled_at = models.DateTimeField(_("refunded"), null=True)
    after_sale = models.ForeignKey(
        AfterSale, verbose_name=_("special case"), null=True, on_delete=models.PROTECT, related_name="refunds"
    )

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_is_positive"),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["state", "requested_at"], name="refund_state"),
            models.Index(fields=["-requested_at", "-id"], name="refund_newest"),
        ]

    def __str__(self) -> str:
        return f"R-{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("refund", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self} {self.order or ''}".strip(), self.amount, self.currency


class RefundLine(models.Model):
    """What of a refund is for which line; the tax is that of the line's own rate."""

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(_("title"), max_length=250)
    tax_rate = models.DecimalField(_("tax rate"), max_digits=7, decimal_places=5)
    net = money_field(_("net"))
    tax = money_field(_("tax"))
    gross = money_field(_("gross"))

    class Meta:
        verbose_name = _("refunded line")
        verbose_name_plural = _("refunded lines")
        constraints = [
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="refund_net_and_tax_make_gross")
        ]

    def __str__(self) -> str:
        return self.title


class Dispute(models.Model):
    """A customer's bank wants money back.  It cancels nothing and moves no stock."""

    connection = models.ForeignKey(Connection, verbose_name=_("provider"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120)
    transaction_external_id = models.CharField(max_length=120)
    transaction = models.ForeignKey(
        Transaction, verbose_name=_("payment"), null=True, on_delete=models.PROTECT, related_name="disputes"
    )
    state = models.CharField(_("state"), max_length=16, choices=DisputeState)
    vendor_status = models.CharField(_("the provider's word"), max_length=60, blank=True, default="")
    amount = money_field(_("amount"))
    currency = currency_field(_("currency"))
    fee = money_field(_("fee"), default=Decimal(0))
    reason = models.CharField(_("reason"), max_length=120, blank=True, default="")
    opened_at = models.DateTimeField(_("opened"))
    source_updated_at = models.DateTimeField(_("changed there"))
    evidence_due = models.DateTimeField(_("evidence due"), null=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_dispute_per_id"),
            models.CheckConstraint(condition=Q(state__in=DisputeState.values), name="dispute_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["state", "evidence_due"], name="dispute_due"),
            models.Index(fields=["connection", "transaction_external_id"], name="dispute_of_movement"),
        ]

    def __str__(self) -> str:
        return self.external_id

    def get_absolute_url(self) -> str:
        return reverse("dispute", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.connection.name} {self.external_id}", self.amount, self.currency


class WriteOff(models.Model):
    """A small difference of an order that is given up; positive: money that will not come."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="write_offs")
    amount = money_field(_("amount"))
    currency = currency_field(_("currency"))
    state = models.CharField(_("state"), max_length=10, choices=WriteOffState)
    why = models.TextField(_("reason"))
    by_rule = models.BooleanField(_("by rule"), default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("requested by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("write-off")
        verbose_name_plural = _("write-offs")
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="write_off_is_not_nothing"),
            models.CheckConstraint(condition=Q(state__in=WriteOffState.values), name="write_off_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"W-{self.pk}"

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self} {self.order}", abs(self.amount), self.currency


@dataclass(frozen=True)
class Bounds:
    """What one person may do alone in a currency, and what counts as small."""

    refund_alone: Decimal
    write_off_by_rule: Decimal
    write_off_alone: Decimal
    write_off_most: Decimal
    fee_tolerance: Decimal
    payout_days: int = 5


class Policy(models.Model):
    """The limits of one currency; what no row says has the defaults of ``bounds_of``."""

    currency = currency_field(_("currency"), unique=True)
    refund_alone = money_field(_("refund without a second person up to"), default=Decimal(100))
    write_off_by_rule = money_field(_("write off by itself up to"), default=Decimal(0))
    write_off_alone = money_field(_("write off without a second person up to"), default=Decimal(5))
    write_off_most = money_field(_("never write off more than"), default=Decimal(50))
    fee_tolerance = money_field(_("fees may differ by"), default=Decimal("0.01"))
    payout_days = models.PositiveSmallIntegerField(_("days until a payout is in the bank"), default=5)

    class Meta:
        verbose_name = _("limits of a currency")
        verbose_name_plural = _("limits by currency")
        constraints = [
            models.CheckConstraint(
                condition=Q(refund_alone__gte=0)
                & Q(write_off_by_rule__gte=0)
                & Q(write_off_by_rule__lte=F("write_off_alone"))
                & Q(write_off_alone__lte=F("write_off_most"))
                & Q(fee_tolerance__gte=0),
                name="limits_make_sense",
            )
        ]

    def __str__(self) -> str:
        return str(self.currency)


def bounds_of(currency: str) -> Bounds:
    """The limits of a currency; without a row those of the euro, in coins a hundred times as small where there are none."""
    row = Policy.objects.filter(currency=currency).first()
    if row is None:
        scale = Decimal(100) if minor_digits(currency) == 0 else Decimal(1)
        tolerance = Decimal(1).scaleb(-minor_digits(currency))
        return Bounds(100 * scale, Decimal(0), 5 * scale, 50 * scale, tolerance)
    return Bounds(
        row.refund_alone,
        row.write_off_by_rule,
        row.write_off_alone,
        row.write_off_most,
        row.fee_tolerance,
        row.payout_days,
    )
