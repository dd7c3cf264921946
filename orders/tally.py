"""Days compared: what a shop, the hub and the ERP say about the orders of one day, and where they differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection


class DayTally(models.Model):
    """One day of one shop, in the merchant's time zone.  Also the queue: ``due_at`` says when it is compared (again).

    ``token`` and ``listed`` keep what the shop has listed so far, so a day of many pages survives its worker.
    ``figures``: by side (``there``, ``here``, ``erp``) a count and sums by currency.  ``note`` says what was left out.
    """

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.CASCADE)
    day = models.DateField(_("day"))
    due_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    token = models.TextField(null=True)  # noqa: DJ001  None: nothing is listed yet; "" would be a token
    until = models.DateTimeField(null=True)
    listed = models.JSONField(default=list)
    failures = models.PositiveIntegerField(default=0)
    error = models.JSONField(_("last error"), default=dict)
    checked_at = models.DateTimeField(_("compared"), null=True)
    figures = models.JSONField(default=dict)
    note = models.JSONField(default=dict)
    differing = models.PositiveIntegerField(_("differences"), default=0)

    class Meta:
        verbose_name = _("day of orders")
        verbose_name_plural = _("days of orders")
        constraints = [models.UniqueConstraint(fields=["connection", "day"], name="one_tally_per_day")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="tally_due"),
            models.Index(fields=["-day", "connection"], name="tally_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.day}"

    def side(self, name: str) -> dict[str, Any]:
        """Count and sums of one side; empty where it was not asked."""
        found = self.figures.get(name)
        return found if isinstance(found, dict) else {}


class What(models.TextChoices):
    """How a day can differ."""

    MISSING_HERE = "MISSING_HERE", _("missing in the hub")
    NOT_THERE = "NOT_THERE", _("not in the shop any more")
    MISSING_IN_ERP = "MISSING_IN_ERP", _("missing in the ERP")
    TWICE_IN_ERP = "TWICE_IN_ERP", _("more than once in the ERP")
    SUM = "SUM", _("sums differ")


class Difference(models.Model):
    """One order about which the sides differ; it is gone when they agree."""

    tally = models.ForeignKey(DayTally, on_delete=models.CASCADE, related_name="differences")
    what = models.CharField(_("what"), max_length=16, choices=What)
    external_id = models.CharField(_("id in the shop"), max_length=120)
    number = models.CharField(_("number"), max_length=60, blank=True, default="")
    order = models.ForeignKey("orders.Order", verbose_name=_("order"), null=True, on_delete=models.CASCADE)
    currency = models.CharField(_("currency"), max_length=3)
    there = models.DecimalField(_("in the shop"), max_digits=19, decimal_places=4, null=True)
    here = models.DecimalField(_("in the hub"), max_digits=19, decimal_places=4, null=True)
    erp = models.DecimalField(_("in the ERP"), max_digits=19, decimal_places=4, null=True)
    case_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        constraints = [
            models.UniqueConstraint(fields=["tally", "what", "external_id"], name="one_difference_per_order")
        ]

    def __str__(self) -> str:
        return self.number or self.external_id

    def stake(self) -> tuple[str, Decimal, str]:
        amount = next((value for value in (self.there, self.here, self.erp) if value is not None), Decimal(0))
        return f"{self.tally.connection.name} {self}", amount, self.currency
