"""Where stock lies, what each system calls that place, and whose word counts there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

ZERO = Decimal(0)


def quantity_field(label: object, **options: object) -> models.DecimalField[Any, Any]:
    """A quantity in the article's unit, to four places."""
    return models.DecimalField(label, max_digits=14, decimal_places=4, **options)  # type: ignore[arg-type]


class Location(models.Model):
    """A place of the merchant's where stock lies.

    ``source`` is whose word counts there: an ERP or a till, or the hub itself (None).  On-hand quantities change by that
    side's word only; a trigger refuses movements of any other side.  ``confirm_hours``: after so long without a word of the
    source a level counts as not confirmed (0: never).
    """

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[RegexValidator(r"^[A-Za-z0-9._-]+$")])
    name = models.CharField(_("name"), max_length=120)
    active = models.BooleanField(_("active"), default=True, db_default=True)
    source = models.ForeignKey(
        Connection,
        verbose_name=_("source of truth"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="owned_locations",
    )
    confirm_hours = models.PositiveIntegerField(_("to be confirmed within (hours)"), default=48, db_default=48)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("stock location")
        verbose_name_plural = _("stock locations")
        ordering = ["code"]
        default_permissions = ("view",)
        permissions = [("set_up_stock", "Can say where stock lies, whose word counts and how availability is reckoned")]

    def __str__(self) -> str:
        return f"{self.code}  {self.name}" if self.name and self.name != self.code else self.code


class LocationMapping(models.Model):
    """What a system calls one of our locations; ``location`` is None as long as nobody has said which it is.

    ``external_id`` is empty for a system that knows only one place.  Neither side can be mapped twice.
    """

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.CASCADE)
    external_id = models.CharField(_("id there"), max_length=120, blank=True)
    name = models.CharField(_("name there"), max_length=120, blank=True)
    active = models.BooleanField(_("active there"), default=True, db_default=True)
    location = models.ForeignKey(
        Location,
        verbose_name=_("stock location"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mappings",
    )
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())

    class Meta:
        verbose_name = _("location of a system")
        verbose_name_plural = _("locations of systems")
        default_permissions = ("view",)
        ordering = ["connection_id", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="place_mapped_once"),
            models.UniqueConstraint(fields=["connection", "location"], name="location_mapped_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id or str(self.connection)


class Shortage(models.TextChoices):
    """What happens to an order when not all of it is there."""

    WAIT = "WAIT", _("the order waits")
    PARTIAL = "PARTIAL", _("what is there is delivered, the rest later")
    BACKORDER = "BACKORDER", _("back-order with a date")
    CANCEL = "CANCEL", _("the line is to be cancelled")


class Formula(models.TextChoices):
    """What a channel's availability starts from."""

    FREE = "FREE", _("on hand minus reserved")
    ON_HAND = "ON_HAND", _("on hand")


class StockRule(models.Model):
    """How one channel reckons what it may sell, and what it does when that is not enough.

    ``buffer`` is kept back of each article at each place of the shop.  What is left is shown from ``minimum`` on (less shows as
    0) and never as more than ``maximum``.  ``unpaid_hours``: so long an unpaid order holds its goods (0: not at all).
    """

    channel = models.OneToOneField(
        Connection, verbose_name=_("channel"), on_delete=models.CASCADE, related_name="stock_rule"
    )
    formula = models.CharField(_("formula"), max_length=10, choices=Formula, default=Formula.FREE)
    buffer = quantity_field(_("safety buffer"), default=ZERO)
    minimum = quantity_field(_("shown from"), default=ZERO)
    maximum = quantity_field(_("shown at most"), null=True, blank=True)
    shortage = models.CharField(_("not available"), max_length=10, choices=Shortage, default=Shortage.WAIT)
    backorder_days = models.PositiveSmallIntegerField(_("back-order: deliverable in (days)"), default=14)
    unpaid_hours = models.PositiveIntegerField(_("unpaid orders hold goods for (hours)"), default=0)
    drift_threshold = quantity_field(_("exception from a drift of"), default=Decimal(5))

    class Meta:
        verbose_name = _("stock rule")
        verbose_name_plural = _("stock rules")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(buffer__gte=0), name="buffer_not_negative"),
            models.CheckConstraint(condition=Q(minimum__gte=0), name="minimum_not_negative"),
            models.CheckConstraint(condition=Q(maximum=None) | Q(maximum__gte=F("minimum")), name="maximum_not_below"),
            models.CheckConstraint(condition=Q(formula__in=Formula.values), name="formula_is_known"),
            models.CheckConstraint(condition=Q(shortage__in=Shortage.values), name="shortage_rule_is_known"),
        ]

    def __str__(self) -> str:
        return str(self.channel)


class Supply(models.Model):
    """Stock of this location sells through this channel, shown there at ``place`` (empty: the shop knows one place only).

    ``rank`` orders the locations that an order takes from.
    """

    channel = models.ForeignKey(
        Connection, verbose_name=_("channel"), on_delete=models.CASCADE, related_name="supplies"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("stock location"), on_delete=models.PROTECT, related_name="supplies"
    )
    place = models.CharField(_("place in the shop"), max_length=120, blank=True, default="", db_default="")
    rank = models.PositiveSmallIntegerField(_("order"), default=0, db_default=0)

    class Meta:
        verbose_name = _("location of a channel")
        verbose_name_plural = _("locations of channels")
        default_permissions = ("view",)
        ordering = ["rank", "pk"]
        constraints = [models.UniqueConstraint(fields=["channel", "location"], name="location_once_per_channel")]

    def __str__(self) -> str:
        return f"{self.channel} · {self.location}"
