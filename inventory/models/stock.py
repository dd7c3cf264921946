"""The stock ledger and the levels that are its sums."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .location import ZERO, Location, quantity_field
from .product import Variant


class Movement(models.TextChoices):
    """Why a level changed."""

    RECEIPT = "RECEIPT", _("goods receipt")
    SALE = "SALE", _("sale")
    RETURN = "RETURN", _("return")
    TRANSFER = "TRANSFER", _("transfer")
    CORRECTION = "CORRECTION", _("correction")
    COUNT = "COUNT", _("count")
    RESERVED = "RESERVED", _("reserved")
    RELEASED = "RELEASED", _("reservation released")


class StockMovement(models.Model):
    """One step of one level: signed changes of what lies there and of what of it is promised.  Append-only.

    ``stated_by`` is the system by whose word the quantity changed (None: the hub), ``stated_at`` its own time for that; ``pair`` joins the two rows of a transfer.
    The cause is the row it happened for, and words.
    """

    variant = models.ForeignKey(Variant, verbose_name=_("product"), on_delete=models.PROTECT, related_name="movements")
    location = models.ForeignKey(Location, verbose_name=_("stock location"), on_delete=models.PROTECT)
    kind = models.CharField(_("kind"), max_length=10, choices=Movement)
    quantity = quantity_field(_("quantity"), default=ZERO)
    reserved = quantity_field(_("reserved"), default=ZERO)
    cause_type = models.ForeignKey(ContentType, null=True, on_delete=models.PROTECT, related_name="+")
    cause_id = models.BigIntegerField(null=True)
    cause = GenericForeignKey("cause_type", "cause_id")
    text = models.JSONField(_("cause"), default=dict)
    why = models.CharField(_("reason"), max_length=500, blank=True, default="", db_default="")
    stated_by = models.ForeignKey(
        Connection, verbose_name=_("stated by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    pair = models.UUIDField(null=True)
    stated_at = models.DateTimeField(_("stated at"), null=True)
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        default_permissions = ("view",)
        permissions = [("book_stock", "Can book receipts, corrections, counts and transfers")]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0) | ~Q(reserved=0), name="movement_moves"),
            models.CheckConstraint(condition=Q(kind__in=Movement.values), name="stock_movement_kind_is_known"),
            models.CheckConstraint(
                condition=~Q(kind__in=["RESERVED", "RELEASED"]) | Q(quantity=0), name="reserving_moves_nothing"
            ),
            models.CheckConstraint(
                condition=Q(kind="TRANSFER", pair__isnull=False) | ~Q(kind="TRANSFER") & Q(pair=None),
                name="transfer_has_a_pair",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["RECEIPT", "RETURN"]) | Q(quantity__gt=0), name="receipt_adds"
            ),
            models.CheckConstraint(condition=~Q(kind="SALE") | Q(quantity__lte=0, reserved__lte=0), name="sale_takes"),
        ]
        indexes = [
            models.Index(fields=["variant", "-id"], name="movement_of_variant"),
            models.Index(fields=["location", "-id"], name="movement_of_location"),
            models.Index(fields=["cause_type", "cause_id"], name="movement_of_cause"),
            models.Index(fields=["at", "id"], name="movement_at"),
            models.Index(
                fields=["at"],
                include=["variant", "kind", "quantity", "reserved"],
                condition=Q(kind__in=["RESERVED", "RELEASED", "SALE"]),
                name="movement_demand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity.normalize():f}"


class StockLevel(models.Model):
    """What lies of an article at a location and how much of it is promised: the sums of the ledger, kept by its trigger.

    ``stated_at`` is the source's own time of its last word, ``confirmed_at`` when that reached us.  ``moved``: it has changed
    since availability was last reckoned.
    """

    variant = models.ForeignKey(Variant, verbose_name=_("product"), on_delete=models.PROTECT, related_name="levels")
    location = models.ForeignKey(
        Location, verbose_name=_("stock location"), on_delete=models.PROTECT, related_name="levels"
    )
    on_hand = quantity_field(_("on hand"), default=ZERO, db_default=ZERO)
    reserved = quantity_field(_("reserved"), default=ZERO, db_default=ZERO)
    stated_at = models.DateTimeField(_("stated at"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())
    moved = models.BooleanField(default=True, db_default=True)

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["variant", "location"], name="one_level_per_location"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="reserved_not_negative"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(moved=True), name="level_moved"),
            models.Index(fields=["location", "-id"], name="level_of_location"),
        ]

    def __str__(self) -> str:
        return f"{self.variant.sku} · {self.location.code}"

    @property
    def free(self) -> object:
        """On hand and promised to nobody; negative where more is promised than held."""
        return self.on_hand - self.reserved


class Unplaced(models.TextChoices):
    """Why a stated level could not become one of ours."""

    ARTICLE = "ARTICLE", _("the article is unknown")
    LOCATION = "LOCATION", _("the location is not mapped")
    FRACTION = "FRACTION", _("a fraction of piece goods")
    TWICE = "TWICE", _("two articles there mean the same one here")


class UnplacedLevel(models.Model):
    """The newest level a system stated that the hub could not take over, kept until the reason is gone."""

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.CASCADE)
    product_id = models.CharField(_("id there"), max_length=120)
    sku = models.CharField(_("SKU there"), max_length=80, blank=True)
    place = models.CharField(_("location there"), max_length=120, blank=True)
    on_hand = models.DecimalField(_("on hand"), max_digits=19, decimal_places=6)
    stated_at = models.DateTimeField(_("stated at"))
    reason = models.CharField(_("reason"), max_length=10, choices=Unplaced)

    class Meta:
        verbose_name = _("level without a place")
        verbose_name_plural = _("levels without a place")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["connection", "product_id", "place"], name="one_unplaced_per_name"),
            models.CheckConstraint(condition=Q(reason__in=Unplaced.values), name="unplaced_reason_is_known"),
        ]
        indexes = [models.Index(fields=["connection", "reason"], name="unplaced_reason")]

    def __str__(self) -> str:
        return self.sku or self.product_id


class StockDifference(models.Model):
    """Another side than the source of truth states another level than we hold; open while ``gone_at`` is None."""

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.CASCADE)
    variant = models.ForeignKey(Variant, verbose_name=_("product"), on_delete=models.PROTECT)
    location = models.ForeignKey(Location, verbose_name=_("stock location"), on_delete=models.PROTECT)
    ours = quantity_field(_("in the hub"))
    stated = quantity_field(_("stated"))
    stated_at = models.DateTimeField(_("stated at"))
    first_seen_at = models.DateTimeField(_("first seen"), db_default=Now())
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())
    gone_at = models.DateTimeField(_("gone"), null=True)

    class Meta:
        verbose_name = _("stock difference")
        verbose_name_plural = _("stock differences")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "variant", "location"], condition=Q(gone_at=None), name="one_open_difference"
            )
        ]

    def __str__(self) -> str:
        return f"{self.variant.sku}: {self.stated.normalize():f} / {self.ours.normalize():f}"
