"""Canonical orders: what was ordered, where it stands, what became of it in the ERP."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from integration_hub.kernel.messages import Address
from integration_hub.kernel.states import LineKind, OrderStage, SaleStage
from integration_hub.models import Connection
from inventory.models import Variant

from .states import Fulfilment, OrderState, Payment


def money_field(label: object, **extra: object) -> models.DecimalField:  # type: ignore[type-arg]
    """An amount in the document's currency: numeric(19,4)."""
    return models.DecimalField(label, max_digits=19, decimal_places=4, **extra)  # type: ignore[arg-type]


class Order(models.Model):
    """An order of one channel, once.  Amounts are as the shop states them."""

    channel = models.ForeignKey(Connection, verbose_name=_("channel"), on_delete=models.PROTECT)
    external_id = models.CharField(_("id in the shop"), max_length=120)
    number = models.CharField(_("number"), max_length=60)
    customer = models.ForeignKey(Customer, verbose_name=_("customer"), null=True, on_delete=models.PROTECT)
    customer_chosen = models.BooleanField(default=False)
    buyer = models.JSONField(default=dict)
    placed_at = models.DateTimeField(_("placed"))
    source_updated_at = models.DateTimeField(_("changed in the shop"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())
    digest = models.CharField(max_length=64)
    stage = models.CharField(_("in the shop"), max_length=12, choices=[(s.value, s.value) for s in OrderStage])
    vendor_status = models.CharField(_("the shop's word"), max_length=60, blank=True, default="")
    state = models.CharField(_("order"), max_length=10, choices=OrderState)
    fulfilment = models.CharField(_("shipping"), max_length=10, choices=Fulfilment, default=Fulfilment.NONE)
    payment = models.CharField(_("payment"), max_length=16, choices=Payment, default=Payment.OPEN)
    payment_method = models.CharField(_("payment method"), max_length=120, blank=True, default="")
    paid_at = models.DateTimeField(_("paid"), null=True)
    transaction_id = models.CharField(_("transaction"), max_length=120, blank=True, default="")
    currency = models.CharField(_("currency"), max_length=3)
    prices_include_tax = models.BooleanField(_("prices include tax"))
    total = money_field(_("total"))
    total_tax = money_field(_("tax"))
    refunded = money_field(_("refunded"), default=Decimal(0))
    note = models.TextField(_("customer's note"), blank=True, default="")
    # the exchange that this order replaces goods of; such an order is the hub's own, its shop does not know it
    exchange = models.OneToOneField(
        "orders.AfterSale",
        verbose_name=_("replacement of"),
        null=True,
        on_delete=models.PROTECT,
        related_name="replacement",
    )

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("fix_order", "Can correct an order so that it can run"),
            ("waive_order", "Can accept a difference"),
            ("retry_order", "Can let an order run again"),
            ("see_personal_data", "Can see personal data"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="one_order_per_channel_and_id"),
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_is_known"),
            models.CheckConstraint(condition=Q(refunded__gte=0), name="refunded_is_not_negative"),
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),
            models.Index(fields=["source_updated_at", "id"], name="order_updated"),
            models.Index(fields=["state", "-placed_at"], name="order_state"),
            models.Index(fields=["channel", "-placed_at"], name="order_channel"),
            models.Index(fields=["fulfilment", "-placed_at"], name="order_fulfilment"),
            models.Index(fields=["payment", "-placed_at"], name="order_payment"),
            models.Index(fields=["number"], name="order_number"),
            models.Index(fields=["number"], name="order_number_prefix", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["customer", "-placed_at"], name="order_customer"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        return f"{self.channel.name} {self.number}", self.total, self.currency

    @property
    def reference(self) -> str:
        """What the order is called in every target: unique over all channels and for ever."""
        return f"{self.channel.slug}:{self.external_id}"  # a slug holds no colon, so no two orders share it


class OrderLine(models.Model):
    """A line as stated; net + tax = gross, proven by the database."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    external_id = models.CharField(max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=[(k.value, k.value) for k in LineKind])
    title = models.CharField(_("title"), max_length=250)
    sku = models.CharField(_("SKU"), max_length=80, blank=True, default="")
    gtin = models.CharField(_("GTIN"), max_length=40, blank=True, default="")
    product_id = models.CharField(max_length=60, blank=True, default="")
    variant = models.ForeignKey(Variant, verbose_name=_("product"), null=True, on_delete=models.PROTECT)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)
    unit_price = money_field(_("unit price"))
    discount = money_field(_("discount"), default=Decimal(0))
    net = money_field(_("net"))
    tax = money_field(_("tax"))
    gross = money_field(_("gross"))
    tax_rate = models.DecimalField(_("tax rate"), max_digits=7, decimal_places=5)
    taxes = models.JSONField(default=list)
    # pieces that special cases have taken: see aftersales/flow.py
    cancelled = models.DecimalField(
        _("cancelled"), max_digits=14, decimal_places=4, default=Decimal(0), db_default=Decimal(0)
    )
    returned = models.DecimalField(
        _("returned"), max_digits=14, decimal_places=4, default=Decimal(0), db_default=Decimal(0)
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="lines_are_numbered"),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="net_and_tax_make_gross"),
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in LineKind]), name="line_kind_is_known"),
            models.CheckConstraint(
                condition=Q(cancelled=0, returned=0)
                | Q(cancelled__gte=0, returned__gte=0, quantity__gte=F("cancelled") + F("returned")),
                name="no_more_taken_back_than_ordered",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AddressRole(models.TextChoices):
    BILLING = "BILLING", _("billing address")
    SHIPPING = "SHIPPING", _("shipping address")


class OrderAddress(models.Model):
    """An address of one order, normalised; ``corrected`` once a person has put it right."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="addresses")
    role = models.CharField(max_length=8, choices=AddressRole)
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    company = models.CharField(_("company"), max_length=200, blank=True, default="")
    street = models.CharField(_("street"), max_length=250, blank=True, default="")
    street2 = models.CharField(_("address line 2"), max_length=250, blank=True, default="")
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True, default="")
    city = models.CharField(_("city"), max_length=120, blank=True, default="")
    region = models.CharField(_("region"), max_length=80, blank=True, default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    email = models.CharField(_("e-mail"), max_length=254, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=60, blank=True, default="")
    stated_digest = models.CharField(max_length=64)
    corrected = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [models.UniqueConstraint(fields=["order", "role"], name="one_address_per_role")]

    def __str__(self) -> str:
        return ", ".join(
            part for part in (self.company or self.name, self.street, f"{self.postal_code} {self.city}".strip()) if part
        )

    def as_message(self) -> Address:
        return Address(**{name: getattr(self, name) for name in ADDRESS_FIELDS})


ADDRESS_FIELDS = ("name", "company", "street", "street2", "postal_code", "city", "region", "country", "email", "phone")


class Waiver(models.Model):
    """A person accepted this trouble of this order, for a reason; another figure is another trouble."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="waivers")
    kind = models.CharField(max_length=40)
    basis = models.CharField(max_length=64)
    why = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("waiver")
        verbose_name_plural = _("waivers")
        constraints = [models.UniqueConstraint(fields=["order", "kind", "basis"], name="one_waiver_per_basis")]

    def __str__(self) -> str:
        return f"{self.order} {self.kind}"


class Sale(models.Model):
    """The order as the ERP holds it: its number and state there."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="sales")
    connection = models.ForeignKey(Connection, verbose_name=_("ERP"), on_delete=models.PROTECT)
    external_id = models.CharField(max_length=120)
    number = models.CharField(_("number in the ERP"), max_length=60, blank=True, default="")
    stage = models.CharField(_("state in the ERP"), max_length=16, choices=[(s.value, s.value) for s in SaleStage])
    vendor_status = models.CharField(_("the ERP's word"), max_length=60, blank=True, default="")
    total = money_field(_("total in the ERP"), null=True)
    url = models.CharField(max_length=500, blank=True, default="")
    written_at = models.DateTimeField(db_default=Now())
    source_updated_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sale in the ERP")
        verbose_name_plural = _("sales in the ERP")
        constraints = [
            models.UniqueConstraint(fields=["order", "connection"], name="one_sale_per_order_and_erp"),
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_order_per_sale"),
        ]
        indexes = [models.Index(fields=["number"], name="sale_number")]

    def __str__(self) -> str:
        return self.number or self.external_id


class Shipment(models.Model):
    """A parcel that left the house, as the ERP reported it."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="shipments")
    external_id = models.CharField(max_length=120)
    number = models.CharField(_("number"), max_length=60, blank=True, default="")
    carrier = models.CharField(_("carrier"), max_length=60, blank=True, default="")
    tracking_number = models.CharField(_("tracking number"), max_length=120, blank=True, default="")
    tracking_url = models.CharField(max_length=500, blank=True, default="")
    shipped_at = models.DateTimeField(_("shipped"), null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        constraints = [models.UniqueConstraint(fields=["sale", "external_id"], name="one_shipment_per_id")]

    def __str__(self) -> str:
        return self.number or self.external_id


class ShipmentLine(models.Model):
    """What a parcel holds of which line."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "line"], name="line_once_per_shipment"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipped_quantity_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.line}"


from .aftersales.models import (  # noqa: E402, F401
    AfterSale,
    AfterSaleInstead,
    AfterSaleLine,
    AfterSaleRule,
    AfterSaleStep,
)
from .tally import DayTally, Difference, What  # noqa: E402, F401  a room of its own; Django looks for models here
