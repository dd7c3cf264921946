"""Movements of money as their providers state them, what they cost, and which orders they are for."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from integration_hub.kernel.funds import FeeKind
from integration_hub.models import Connection, InboundEvent
from orders.models import Order

from ..states import Ground, How, Kind, Search, Standing
from .columns import currency_field, money_field

FEES = {
    FeeKind.PROCESSING: _("processing"),
    FeeKind.EXCHANGE: _("currency exchange"),
    FeeKind.DISPUTE: _("dispute"),
    FeeKind.SUBSCRIPTION: _("subscription"),
    FeeKind.TAX: _("tax on fees"),
    FeeKind.OTHER: pgettext_lazy("movement", "other"),
}


class Transaction(models.Model):
    """One movement at one provider, once.

    ``gross``/``currency`` are what the customer saw, ``settled_gross - fees = net`` are in ``settlement_currency``;
    ``booked`` is ``settled_gross`` in the currency of the books, by ``booked_rate`` from ``rate_source``.  ``reserve`` is
    the part of net that the provider holds back.  Money that comes in is positive.
    """

    connection = models.ForeignKey(Connection, verbose_name=_("provider"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=Standing)
    vendor_status = models.CharField(_("the provider's word"), max_length=60, blank=True, default="")
    occurred_at = models.DateTimeField(_("when"))
    source_updated_at = models.DateTimeField(_("changed there"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())
    event = models.ForeignKey(InboundEvent, null=True, on_delete=models.PROTECT, related_name="+")
    gross = money_field(_("gross"))
    currency = currency_field(_("currency"))
    settlement_currency = currency_field(_("currency of settlement"), blank=True, default="")
    settled_gross = money_field(_("gross, settled"), null=True)
    fees = money_field(_("fees"), default=Decimal(0))
    fee_tax = money_field(_("tax in fees"), default=Decimal(0))
    net = money_field(_("net"), null=True)
    reserve = money_field(_("held back"), default=Decimal(0))
    rate = models.DecimalField(_("exchange rate"), max_digits=20, decimal_places=10, null=True)
    booked_currency = currency_field(_("currency of the books"), blank=True, default="")
    booked = money_field(_("in the books"), null=True)
    booked_rate = models.DecimalField(_("rate of the books"), max_digits=20, decimal_places=10, null=True)
    rate_source = models.CharField(_("source of the rate"), max_length=20, blank=True, default="")
    parent_external_id = models.CharField(max_length=120, blank=True, default="")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    payout_external_id = models.CharField(max_length=120, blank=True, default="")
    available_at = models.DateTimeField(_("available"), null=True)
    method = models.CharField(_("payment method"), max_length=40, blank=True, default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    card = models.CharField(_("card"), max_length=40, blank=True, default="")
    order_reference = models.CharField(_("names the order"), max_length=200, blank=True, default="")
    reference = models.CharField(max_length=200, blank=True, default="")  # order_reference without case and separators
    payment_ids = ArrayField(models.CharField(max_length=120), default=list)
    text = models.TextField(_("text"), blank=True, default="")
    payer = models.CharField(_("payer"), max_length=200, blank=True, default="")
    email = models.CharField(_("e-mail"), max_length=254, blank=True, default="")
    iban = models.CharField(_("IBAN"), max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        permissions = [
            ("assign_transaction", "Can say whose payment it is"),
            ("explain_payout", "Can explain a payout"),
            ("request_refund", "Can request a refund"),
            ("approve_refund", "Can approve a refund"),
            ("write_off", "Can give up a small difference"),
            ("approve_write_off", "Can approve giving up a difference"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_movement_per_id"),
            models.CheckConstraint(
                condition=Q(settled_gross=None, net=None) | Q(net=F("settled_gross") - F("fees")),
                name="gross_less_fees_is_net",
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="movement_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=Standing.values), name="movement_state_is_known"),
            models.CheckConstraint(
                condition=Q(settled_gross=None) | ~Q(settlement_currency=""), name="settled_in_a_currency"
            ),
            models.CheckConstraint(
                condition=Q(booked=None) | (~Q(booked_currency="") & Q(booked_rate__gt=0)), name="booked_by_a_rate"
            ),
        ]
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="movement_newest"),
            models.Index(fields=["connection", "-occurred_at"], name="movement_connection"),
            models.Index(fields=["kind", "-occurred_at"], name="movement_kind"),
            models.Index(fields=["connection", "payout_external_id"], name="movement_payout"),
            GinIndex(fields=["payment_ids"], name="movement_payment_ids"),
            models.Index(
                fields=["connection", "parent_external_id"],
                condition=~Q(parent_external_id=""),
                name="movement_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    def get_absolute_url(self) -> str:
        return reverse("transaction", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.connection.name} {self.external_id}", abs(self.gross), self.currency

    @property
    def moved(self) -> Decimal | None:
        """What reached the provider's balance, in the currency of settlement."""
        return None if self.net is None else self.net - self.reserve


class TransactionFee(models.Model):
    """One fee of a movement: a positive cost in its currency of settlement; their sum is ``Transaction.fees``."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="fee_rows")
    kind = models.CharField(_("kind"), max_length=12, choices=[(kind.value, label) for kind, label in FEES.items()])
    amount = money_field(_("amount"))
    title = models.CharField(_("title"), max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("fee")
        verbose_name_plural = _("fees")

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class Allocation(models.Model):
    """So much of this movement is for this order; signed like the movement.

    ``amount`` is in the movement's currency, ``order_amount`` in the order's.  No foreign keys: their check per row takes ten
    times as long as a million rows themselves; a trigger checks set by set (``migrations/0002``).
    """

    transaction = models.ForeignKey(
        Transaction, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="allocations"
    )
    position = models.PositiveSmallIntegerField(default=1)
    order = models.ForeignKey(
        Order, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="allocations"
    )
    amount = money_field(_("amount"))
    order_amount = money_field(_("amount for the order"))
    how = models.CharField(_("how"), max_length=10, choices=How)
    ground = models.CharField(_("why"), max_length=10, choices=Ground)
    score = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(fields=["transaction", "position"], name="allocations_are_numbered"),
            models.UniqueConstraint(fields=["order", "transaction"], name="one_allocation_per_order"),
            models.CheckConstraint(condition=~Q(amount=0), name="allocation_is_not_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id} → {self.order_id}"


class Unassigned(models.Model):
    """A movement that still looks for its order; gone when it has one."""

    transaction = models.OneToOneField(
        Transaction, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="unassigned"
    )
    search = models.CharField(_("search"), max_length=8, choices=Search, default=Search.NEW)
    since = models.DateTimeField(db_default=Now())
    ask_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment without order")
        verbose_name_plural = _("payments without order")
        indexes = [models.Index(fields=["search", "ask_at"], name="unassigned_turn")]

    def __str__(self) -> str:
        return str(self.transaction_id)


class Candidate(models.Model):
    """An order that a movement may be for: how well it fits, and why in words."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="candidates")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField(_("fits by"))
    reason = models.JSONField(_("reason"), default=dict)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        constraints = [models.UniqueConstraint(fields=["transaction", "order"], name="one_candidate_per_order")]

    def __str__(self) -> str:
        return f"{self.transaction_id} ? {self.order_id}"


class NumberRule(models.Model):
    """How a channel's order numbers are written in texts: what stands before them (``WEB-``), apart from the number."""

    channel = models.ForeignKey(
        Connection, verbose_name=_("channel"), on_delete=models.CASCADE, related_name="number_rules"
    )
    prefix = models.CharField(_("before the number"), max_length=20)

    class Meta:
        verbose_name = _("form of order numbers")
        verbose_name_plural = _("forms of order numbers")
        constraints = [models.UniqueConstraint(fields=["channel", "prefix"], name="one_rule_per_prefix")]

    def __str__(self) -> str:
        return f"{self.channel} {self.prefix}"
