"""How soon a case is to be solved: severity by the amount at risk, hours by kind and severity, and when people work."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.money import is_currency, minor_digits

WEEK = "12345"  # ISO 8601 weekdays: 1 is Monday


class Severity(models.IntegerChoices):
    """How much is at stake; numbers, so that they can be compared."""

    NORMAL = 1, _("normal")
    HIGH = 2, _("high")
    CRITICAL = 3, _("critical")


class ServiceLevel(models.Model):
    """Hours until a case is due; the most exact row counts, without any the kind's own time holds."""

    kind = models.CharField(_("kind"), max_length=40, blank=True, default="")
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity, null=True, blank=True)
    hours = models.DecimalField(
        _("hours"),
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.25"))],
        help_text=_("In working time 24 hours are one working day: the same time of day, a working day later."),
    )
    around_the_clock = models.BooleanField(
        _("around the clock"), default=False, help_text=_("Counts nights, weekends and holidays too.")
    )

    class Meta:
        verbose_name = _("service level")
        verbose_name_plural = _("service levels")
        constraints = [
            models.UniqueConstraint(fields=["kind", "severity"], name="one_service_level", nulls_distinct=False),
            models.CheckConstraint(condition=Q(hours__gt=0), name="service_level_is_some_time"),
        ]

    def __str__(self) -> str:
        return " · ".join(part for part in (self.kind, str(self.get_severity_display() or "")) if part) or "–"


class WorkCalendar(models.Model):
    """When a team works; the row without a team counts for all that have none of their own.

    Public holidays are those of the library ``holidays`` for country and state (ISO 3166-1 and 3166-2).
    """

    role = models.CharField(_("team"), max_length=20, blank=True, default="", unique=True)
    days = models.CharField(
        _("working days"),
        max_length=7,
        default=WEEK,
        validators=[RegexValidator(r"^1?2?3?4?5?6?7?$")],
        help_text=_("1 is Monday, 7 is Sunday: 12345"),
    )
    opens = models.TimeField(_("from"), default="08:00")
    closes = models.TimeField(_("to"), default="17:00")
    country = models.CharField(_("country"), max_length=2, default="DE")
    state = models.CharField(_("state"), max_length=20, blank=True, default="", help_text=_("BY, NW, BE …"))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        constraints = [
            models.CheckConstraint(condition=Q(opens__lt=F("closes")), name="work_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(days=""), name="somebody_works_some_day"),
        ]

    def __str__(self) -> str:
        return f"{self.role or '–'} {self.country} {self.state}".strip()

    def clean(self) -> None:
        """Country and state are ones that the library knows."""
        import holidays  # noqa: PLC0415  as in ``exceptions.levels``

        known = holidays.list_supported_countries()
        self.country, self.state = self.country.upper(), self.state.upper()
        if self.country not in known:
            raise ValidationError({"country": _("No holidays are known for this country.")})
        if self.state and self.state not in known[self.country]:
            there = ", ".join(known[self.country])
            raise ValidationError({"state": _("The states of this country are: %(states)s") % {"states": there}})


class AmountLimit(models.Model):
    """From which amount at risk a case is severe, and up to which one person decides alone; per currency."""

    currency = models.CharField(_("currency"), max_length=3, unique=True, validators=[RegexValidator(r"^[A-Z]{3}$")])
    high_from = models.DecimalField(_("high from"), max_digits=19, decimal_places=4, default=Decimal(250))
    critical_from = models.DecimalField(_("critical from"), max_digits=19, decimal_places=4, default=Decimal(2500))
    alone_up_to = models.DecimalField(
        _("one person alone up to"),
        max_digits=19,
        decimal_places=4,
        default=Decimal(1000),
        help_text=_("Above it a second person approves closing without a fix and accepting as it is."),
    )

    class Meta:
        verbose_name = _("limits of exceptions by currency")
        verbose_name_plural = _("limits of exceptions by currency")
        constraints = [
            models.CheckConstraint(
                condition=Q(high_from__gt=0, high_from__lt=F("critical_from"), alone_up_to__gte=0),
                name="case_limits_make_sense",
            )
        ]

    def __str__(self) -> str:
        return str(self.currency)


@dataclass(frozen=True)
class Limits:
    """The limits of one currency, in its main unit."""

    high_from: Decimal
    critical_from: Decimal
    alone_up_to: Decimal

    def severity(self, amount: Decimal) -> Severity:
        """How severe this much at risk is."""
        if abs(amount) >= self.critical_from:
            return Severity.CRITICAL
        return Severity.HIGH if abs(amount) >= self.high_from else Severity.NORMAL


def limits_of(currency: str) -> Limits:
    """The limits of a currency; without a row those of the euro, a hundred times as large where there are no cents."""
    row: Any = AmountLimit.objects.filter(currency=currency).first()
    if row is None:
        scale = Decimal(100) if is_currency(currency) and minor_digits(currency) == 0 else Decimal(1)
        return Limits(250 * scale, 2500 * scale, 1000 * scale)
    return Limits(row.high_from, row.critical_from, row.alone_up_to)
