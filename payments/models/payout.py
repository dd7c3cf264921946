"""Payouts of providers to the bank, and what they are made of."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.funds import PayoutStage
from integration_hub.models import Connection

from ..states import PayoutState
from .bank import BankLine
from .columns import currency_field, money_field
from .transaction import Transaction


class Payout(models.Model):
    """Money on its way to the bank.  ``explained + remainder = amount``, kept by triggers and never written otherwise."""

    connection = models.ForeignKey(Connection, verbose_name=_("provider"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120)
    state = models.CharField(_("state"), max_length=10, choices=PayoutState, default=PayoutState.ANNOUNCED)
    stage = models.CharField(_("at the provider"), max_length=12, choices=[(s.value, s.value) for s in PayoutStage])
    vendor_status = models.CharField(_("the provider's word"), max_length=60, blank=True, default="")
    amount = money_field(_("amount"))
    currency = currency_field(_("currency"))
    explained = money_field(_("explained"), default=Decimal(0), db_default=Decimal(0))
    remainder = money_field(_("remainder"))
    created_at = models.DateTimeField(_("created"))
    source_updated_at = models.DateTimeField(_("changed there"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())
    arrives_on = models.DateField(_("arrives"), null=True)
    reference = models.CharField(_("reference"), max_length=140, blank=True, default="")
    has_items = models.BooleanField(_("the provider names the items"), default=True)
    items_listed = models.BooleanField(default=False)  # one report held all items
    awaited = ArrayField(models.CharField(max_length=120), default=list)  # items that were named and not seen yet
    balance_before = money_field(_("balance before"), null=True)
    balance_after = money_field(_("balance after"), null=True)
    bank_line = models.OneToOneField(
        BankLine, verbose_name=_("bank line"), null=True, on_delete=models.PROTECT, related_name="payout"
    )

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_payout_per_id"),
            models.CheckConstraint(
                condition=Q(amount=F("explained") + F("remainder")), name="explained_and_remainder_make_payout"
            ),
            models.CheckConstraint(condition=Q(state__in=PayoutState.values), name="payout_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="payout_newest"),
            models.Index(fields=["state", "-created_at"], name="payout_state"),
        ]

    def __str__(self) -> str:
        return self.external_id

    def get_absolute_url(self) -> str:
        return reverse("payout", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        label = f"{self.connection.name} {self.external_id}"
        return label, abs(self.remainder) or abs(self.amount), self.currency


class PayoutItem(models.Model):
    """A movement paid out with this payout; a movement is paid out once.  ``amount`` is what it moved the balance by."""

    payout = models.ForeignKey(
        Payout, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="items"
    )
    transaction = models.OneToOneField(
        Transaction, on_delete=models.DO_NOTHING, db_constraint=False, related_name="item"
    )
    amount = money_field(_("amount"))
    how = models.CharField(_("how"), max_length=10, choices=[("STATED", _("stated")), ("SOLVED", _("solved"))])

    class Meta:
        verbose_name = _("item of a payout")
        verbose_name_plural = _("items of a payout")
        indexes = [models.Index(fields=["payout", "id"], name="item_of_payout")]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.amount}"


class AcceptedRemainder(models.Model):
    """A person accepted what is left of a payout, for a reason; exactly this amount."""

    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="accepted")
    amount = money_field(_("amount"))
    why = models.TextField(_("reason"))
    by = models.ForeignKey("integration_hub.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("accepted remainder")
        verbose_name_plural = _("accepted remainders")

    def __str__(self) -> str:
        return f"{self.payout_id} {self.amount}"
