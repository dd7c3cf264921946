"""Numbers of documents: ranges, how far each has come, and the register of numbers that no document has."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection


class NumberRange(models.Model):
    """A series of numbers.  ``pattern`` makes the number: ``{year}``, ``{month}`` of the day of issue and ``{number}``.

    ``yearly`` begins at 1 again each year and needs ``{year}`` in the pattern.  A range that was used is kept for ever.
    """

    name = models.CharField(_("name"), max_length=60, unique=True)
    pattern = models.CharField(
        _("pattern"),
        max_length=30,
        validators=[RegexValidator(r"^[\w$%\-/]*(\{year\}[\w$%\-/]*)?(\{month\}[\w$%\-/]*)?\{number\}[\w$%\-/]*$")],
    )
    digits = models.PositiveSmallIntegerField(_("digits of the number"), default=5)
    yearly = models.BooleanField(_("begins anew each year"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("number range")
        verbose_name_plural = _("number ranges")
        permissions = [("void_number", "Can void numbers of a range")]
        constraints = [
            models.CheckConstraint(condition=Q(pattern__contains="{number}"), name="pattern_has_a_number"),
            models.CheckConstraint(
                condition=Q(yearly=False) | Q(pattern__contains="{year}"), name="yearly_pattern_has_a_year"
            ),
            models.CheckConstraint(condition=Q(digits__gte=1, digits__lte=12), name="digits_make_sense"),
        ]

    def __str__(self) -> str:
        return self.name


class Series(models.Model):
    """How far a range has come in a year (0: not yearly), or what another system's documents are chained by here.

    ``next`` is the number the next document gets.  ``head`` is the digest of the last document of the series.  The row is
    locked by whoever takes a number until the document stands, so that none is lost or given twice.
    """

    range = models.ForeignKey(
        NumberRange, verbose_name=_("number range"), null=True, on_delete=models.PROTECT, related_name="series"
    )
    source = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(_("year"), default=0)
    next = models.PositiveBigIntegerField(_("next number"), default=1)
    head = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("series of numbers")
        verbose_name_plural = _("series of numbers")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["range", "source", "year"], nulls_distinct=False, name="one_series_per_range_and_year"
            ),
            models.CheckConstraint(
                condition=Q(range=None, source__isnull=False) | Q(range__isnull=False, source=None),
                name="series_of_a_range_or_a_system",
            ),
            models.CheckConstraint(condition=Q(next__gte=1), name="numbers_begin_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.range or self.source} {self.year or ''}".strip()


class VoidNumber(models.Model):
    """Numbers of a series that no document has or will have, and why.  Register, append-only."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="voids")
    first = models.PositiveBigIntegerField(_("from"))
    last = models.PositiveBigIntegerField(_("to"))
    why = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("voided number")
        verbose_name_plural = _("voided numbers")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(first__gte=1, last__gte=F("first")), name="voids_are_a_span"),
            models.CheckConstraint(condition=~Q(why=""), name="void_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"
