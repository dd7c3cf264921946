"""What each shop is to show, what it was told, and what was found there instead."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .listing import Listing
from .location import quantity_field
from .product import Variant


class ChannelAvailability(models.Model):
    """How many of a listed article a shop is to show at one of its places.

    ``wanted`` is what the channel's formula gives; ``dirty_since`` is set while the shop was not told that.  ``sent`` is what
    the push under way (``push``) carries, ``told`` what the shop last took, ``expected`` what must stand there for it to take
    the next one.  ``problem`` is why the shop did not take it; ``not_before`` when it is tried again.
    """

    listing = models.ForeignKey(
        Listing, verbose_name=_("listed article"), on_delete=models.CASCADE, related_name="availability"
    )
    channel = models.ForeignKey(Connection, verbose_name=_("channel"), on_delete=models.CASCADE)
    place = models.CharField(_("place in the shop"), max_length=120, blank=True, default="", db_default="")
    wanted = quantity_field(_("to be shown"))
    told = quantity_field(_("told"), null=True)
    told_at = models.DateTimeField(_("told at"), null=True)
    expected = quantity_field(_("expected there"), null=True)
    sent = quantity_field(_("being sent"), null=True)
    push = models.BigIntegerField(null=True)
    dirty_since = models.DateTimeField(_("changed"), null=True, db_default=Now())
    not_before = models.DateTimeField(_("next try"), null=True)
    problem = models.JSONField(_("problem"), default=dict, db_default=Value({}, models.JSONField()))
    problem_code = models.CharField(max_length=40, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("availability in a shop")
        verbose_name_plural = _("availability in shops")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["listing", "place"], name="one_availability_per_place"),
            models.CheckConstraint(condition=Q(wanted__gte=0), name="wanted_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["channel", "dirty_since", "id"],
                condition=Q(dirty_since__isnull=False),
                name="availability_dirty",
            ),
            models.Index(
                fields=["channel", "problem_code"], condition=~Q(problem_code=""), name="availability_problem"
            ),
            models.Index(fields=["push"], condition=Q(push__isnull=False), name="availability_push"),
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.channel}"


class DriftCause(models.TextChoices):
    """Why a shop most likely showed something else than it was told."""

    SOLD = "SOLD", _("sold in the shop meanwhile")
    RESTOCKED = "RESTOCKED", _("put back by a cancelled order in the shop")
    EDITED = "EDITED", _("changed by hand or by another app")


class Seen(models.TextChoices):
    """On which occasion a drift was found."""

    PUSH = "PUSH", _("when it was about to be overwritten")
    COMPARISON = "COMPARISON", _("at the full comparison")
    REPORT = "REPORT", _("stated by the shop")


class Drift(models.Model):
    """A shop showed ``found`` where it was told ``told``; kept before it is overwritten.  Append-only."""

    channel = models.ForeignKey(Connection, verbose_name=_("channel"), on_delete=models.PROTECT)
    variant = models.ForeignKey(Variant, verbose_name=_("product"), on_delete=models.PROTECT)
    place = models.CharField(_("place in the shop"), max_length=120, blank=True)
    told = quantity_field(_("told"))
    told_at = models.DateTimeField(_("told at"))
    found = quantity_field(_("found"))
    cause = models.CharField(_("likely cause"), max_length=10, choices=DriftCause)
    seen = models.CharField(_("seen"), max_length=10, choices=Seen)
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drifts")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["channel", "-id"], name="drift_of_channel"),
            models.Index(fields=["variant", "-id"], name="drift_of_variant"),
        ]

    def __str__(self) -> str:
        return f"{self.variant.sku}: {self.told.normalize():f} → {self.found.normalize():f}"


class Comparison(models.Model):
    """The full comparison with one system: due at night and on demand, page by page, from where it stopped."""

    connection = models.OneToOneField(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="stock_comparison"
    )
    due_at = models.DateTimeField(null=True, db_default=Now())
    lease_token = models.UUIDField(null=True)
    token = models.TextField(null=True)  # noqa: DJ001  None: begins anew; "" would be a token
    started_at = models.DateTimeField(_("started"), null=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    seen = models.PositiveIntegerField(_("levels seen"), default=0)
    drifted = models.PositiveIntegerField(_("differing"), default=0)
    asked_ms = models.PositiveBigIntegerField(_("time spent in the system (ms)"), default=0)
    worked_ms = models.PositiveBigIntegerField(_("time spent in the hub (ms)"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)
    last = models.JSONField(_("last result"), default=dict)
    failures = models.PositiveIntegerField(default=0)
    error = models.JSONField(_("error"), default=dict)

    class Meta:
        verbose_name = _("full comparison")
        verbose_name_plural = _("full comparisons")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="comparison_due")]

    def __str__(self) -> str:
        return str(self.connection)
