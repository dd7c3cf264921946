"""What is promised to whom."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .location import ZERO, Location, quantity_field
from .product import Variant


class Reservation(models.Model):
    """``quantity`` of an article promised to one subject (an order) from one location; ``open`` of it is still held.

    ``location`` None: promised, but covered by nothing yet (a back-order, ``due`` on that day); it is covered as soon as stock
    comes in.  ``shipped`` of what is open has left the house and stays held until the source of truth has counted it out, so
    that it is never counted twice nor sold again in between.  ``taken`` has been consumed.  ``until``: held so long only.
    """

    variant = models.ForeignKey(
        Variant, verbose_name=_("product"), on_delete=models.PROTECT, related_name="reservations"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("stock location"), null=True, on_delete=models.PROTECT, related_name="reservations"
    )
    channel = models.ForeignKey(Connection, verbose_name=_("channel"), on_delete=models.PROTECT, related_name="+")
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    label = models.CharField(_("for"), max_length=120, blank=True)
    quantity = quantity_field(_("promised"))
    open = quantity_field(_("held"))
    shipped = quantity_field(_("shipped, not counted out yet"), default=ZERO, db_default=ZERO)
    shipped_at = models.DateTimeField(_("shipped"), null=True)
    taken = quantity_field(_("shipped and counted out"), default=ZERO, db_default=ZERO)
    due = models.DateField(_("deliverable by"), null=True)
    until = models.DateTimeField(_("held until"), null=True)
    promised_at = models.DateTimeField(_("promised"), db_default=Now())

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "variant", "location"],
                name="one_promise_per_subject",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(open__gte=0, taken__gte=0, quantity=F("open") + F("taken")), name="promise_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(shipped__gte=0, shipped__lte=F("open")), name="shipped_is_part_of_what_is_held"
            ),
        ]
        indexes = [
            models.Index(fields=["variant", "location"], condition=Q(open__gt=0), name="promise_open"),
            models.Index(
                fields=["variant", "promised_at"], condition=Q(open__gt=0, location=None), name="promise_bare"
            ),
            models.Index(fields=["until"], condition=Q(open__gt=0, until__isnull=False), name="promise_until"),
            models.Index(fields=["shipped_at"], condition=Q(shipped__gt=0), name="promise_shipped"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.open.normalize():f} × {self.variant.sku}"
