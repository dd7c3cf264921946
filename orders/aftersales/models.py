"""A special case as a row of its own, its positions, the steps it takes in other systems, and the merchant's rules."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.models import Connection, InboundEvent, OutboundCommand

from .states import KINDS, AfterSaleState, Mode, Outcome, Wins

_KIND_CHOICES = [(kind.value, label) for kind, label in KINDS.items()]


class AfterSale(models.Model):
    """One special case of one order, once: (connection, external_id) where a system reported it.

    ``external_id`` is "<kind as reported>:<id there>", as a refund before shipping becomes a cancellation here.
    ``connection`` is who said so, None for a person.  Amounts are gross in the order's currency; ``stated`` keeps the
    report's positions as they were said, so that what was not understood can be tied later.
    """

    order = models.ForeignKey(
        "orders.Order", verbose_name=_("order"), null=True, on_delete=models.PROTECT, related_name="after_sales"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=_KIND_CHOICES)
    state = models.CharField(_("state"), max_length=10, choices=AfterSaleState)
    connection = models.ForeignKey(Connection, verbose_name=_("reported by"), null=True, on_delete=models.PROTECT)
    external_id = models.CharField(_("id there"), max_length=120, blank=True, default="")
    order_external_id = models.CharField(max_length=120, blank=True, default="")
    vendor_status = models.CharField(_("the system's word"), max_length=60, blank=True, default="")
    occurred_at = models.DateTimeField(_("happened"))
    source_updated_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=4, default=Decimal(0))
    tax = models.DecimalField(_("tax in it"), max_digits=19, decimal_places=4, null=True)
    shipping_amount = models.DecimalField(_("shipping"), max_digits=19, decimal_places=4, default=Decimal(0))
    money_moved = models.BooleanField(_("money already returned"), default=False)
    # of an exchange: how much of the returned goods' worth pays for what is sent instead
    credit = models.DecimalField(
        _("pays for the replacement"), max_digits=19, decimal_places=4, default=Decimal(0), db_default=Decimal(0)
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    stated = models.JSONField(default=dict)
    event = models.ForeignKey(InboundEvent, null=True, on_delete=models.PROTECT)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("special case")
        verbose_name_plural = _("special cases")
        permissions = [
            ("start_aftersale", "Can start and confirm special cases of orders"),
            ("inspect_aftersale", "Can take in and inspect returned goods"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "external_id"], condition=~Q(external_id=""), name="one_after_sale_per_id"
            ),
            models.CheckConstraint(condition=Q(state__in=AfterSaleState.values), name="after_sale_state_is_known"),
            models.CheckConstraint(
                condition=Q(kind__in=[k.value for k in AfterSaleKind]), name="after_sale_kind_is_known"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="after_sale_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(credit=0) | Q(credit__gt=0, credit__lte=F("amount"), kind=AfterSaleKind.EXCHANGE.value),
                name="only_an_exchange_pays_with_goods",
            ),
            models.CheckConstraint(
                condition=Q(order__isnull=False) | Q(state__in=["UNTIED", "DECLINED"]), name="after_sale_has_an_order"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="after_sale_of_order"),
            models.Index(fields=["state", "kind", "-id"], name="after_sale_state"),
            models.Index(fields=["connection", "order_external_id"], name="after_sale_untied"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("after_sale", args=[self.pk])

    @property
    def number(self) -> str:
        """What people call it: the kind's letter and the row's number."""
        return f"{self.kind[0]}-{self.pk}"

    @property
    def reference(self) -> str:
        """What it is called in every target, unique for ever."""
        return f"{self.order.reference}/{self.number}" if self.order else self.number

    def stake(self) -> tuple[str, Decimal, str]:
        label = f"{self.order.channel.name} {self.order.number}" if self.order else self.order_external_id
        return f"{label} · {self.number}", self.amount, self.currency or (self.order.currency if self.order else "EUR")


class AfterSaleLine(models.Model):
    """A line of the order that takes part: how many pieces, how much of their money, what became of them."""

    after_sale = models.ForeignKey(AfterSale, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey("orders.OrderLine", on_delete=models.PROTECT, related_name="after_sale_lines")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=4, default=Decimal(0))
    tax = models.DecimalField(_("tax in it"), max_digits=19, decimal_places=4, default=Decimal(0))
    outcome = models.CharField(_("inspected"), max_length=10, choices=Outcome, blank=True, default="")

    class Meta:
        verbose_name = _("position of a special case")
        verbose_name_plural = _("positions of a special case")
        constraints = [
            models.UniqueConstraint(
                fields=["after_sale", "line", "outcome"], name="line_once_per_after_sale_and_outcome"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="after_sale_quantity_is_positive"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(amount__gt=0), name="after_sale_line_is_about_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.line}"


class AfterSaleInstead(models.Model):
    """What an exchange sends in place of what comes back; ``amount`` is gross for all pieces, ``tax_rate`` a fraction."""

    after_sale = models.ForeignKey(AfterSale, on_delete=models.CASCADE, related_name="instead")
    variant = models.ForeignKey("inventory.Variant", verbose_name=_("product"), null=True, on_delete=models.PROTECT)
    sku = models.CharField(_("SKU"), max_length=80, blank=True, default="")
    product_id = models.CharField(max_length=60, blank=True, default="")
    title = models.CharField(_("title"), max_length=250)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=4)
    tax_rate = models.DecimalField(_("tax rate"), max_digits=7, decimal_places=5)

    class Meta:
        verbose_name = _("replacement of an exchange")
        verbose_name_plural = _("replacements of an exchange")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0, amount__gte=0), name="replacement_is_something"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title}"


class AfterSaleStep(models.Model):
    """What has to be done in one target: a command's fate, or done here at once.

    ``code`` names the step; where ``command`` is set, its state is the step's state.
    """

    after_sale = models.ForeignKey(AfterSale, on_delete=models.CASCADE, related_name="steps")
    code = models.CharField(max_length=30)
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT)
    command = models.ForeignKey(OutboundCommand, null=True, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    skipped = models.JSONField(_("why not"), default=dict)

    class Meta:
        verbose_name = _("step of a special case")
        verbose_name_plural = _("steps of a special case")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["after_sale", "code", "connection"], nulls_distinct=False, name="step_once_per_target"
            )
        ]

    def __str__(self) -> str:
        return self.code


class AfterSaleRule(models.Model):
    """What the merchant wants of one kind in one channel; without a row the stated defaults hold."""

    channel = models.ForeignKey(Connection, verbose_name=_("channel"), on_delete=models.CASCADE)
    kind = models.CharField(_("kind"), max_length=20, choices=_KIND_CHOICES)
    mode = models.CharField(_("how"), max_length=10, choices=Mode, default=Mode.PROPOSE)
    wins = models.CharField(_("who is right in a conflict"), max_length=5, choices=Wins, default=Wins.ASK)

    class Meta:
        verbose_name = _("rule for special cases")
        verbose_name_plural = _("rules for special cases")
        constraints = [models.UniqueConstraint(fields=["channel", "kind"], name="one_rule_per_channel_and_kind")]

    def __str__(self) -> str:
        return f"{self.channel} {self.get_kind_display()}"
