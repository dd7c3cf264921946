"""Figures kept by the hour and by the day, so that no page counts a whole table."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .connection import Connection


class Span(models.TextChoices):
    HOUR = "HOUR", _("hour")
    DAY = "DAY", _("day")


class Figure(models.Model):
    """How many of something there were in an hour or a day, how many of them stand out, and how long they took.

    ``marked`` are those that stand out: errors among tries, cases that closed by themselves among closed ones.
    ``buckets`` holds lengths of time: number of the bucket -> how many; bucket *n* reaches from 1.25^n to 1.25^(n+1) ms.
    """

    span = models.CharField(_("span"), max_length=4, choices=Span)
    at = models.DateTimeField(_("begins"))
    what = models.CharField(_("what"), max_length=20)
    key = models.CharField(_("of which kind"), max_length=40, blank=True, default="")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE)
    number = models.BigIntegerField(_("number"), default=0)
    marked = models.BigIntegerField(_("of which stand out"), default=0)
    worst_ms = models.BigIntegerField(_("longest (ms)"), null=True)
    buckets = models.JSONField(_("spread"), default=dict)
    counted_at = models.DateTimeField(_("counted"), db_default=Now())

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        constraints = [
            models.UniqueConstraint(
                fields=["span", "what", "at", "key", "connection"], name="one_figure_each", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(number__gte=0, marked__gte=0), name="figures_are_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.key} {self.at:%Y-%m-%d %H}"
