"""Finding orders on the page: by where they stand, by channel, by number or by the customer's e-mail."""

from __future__ import annotations

from datetime import date, datetime, time

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services import normalised_email
from integration_hub.kernel.states import Role
from integration_hub.models import Connection, User

from .models import Order
from .states import Fulfilment, OrderState, Payment

CHANNELS = (Role.SHOP,)


def channels(_request: object) -> QuerySet[Connection]:
    """The connections that orders come from."""
    return Connection.objects.filter(role__in=CHANNELS)


class OrderFilter(django_filters.FilterSet):  # type: ignore[misc]
    """The filters above the list of orders; all of them are plain links that can be sent to a colleague."""

    q = django_filters.CharFilter(
        label=_("Number or e-mail"), method="find", widget=forms.TextInput(attrs={"type": "search", "maxlength": 254})
    )
    state = django_filters.ChoiceFilter(label=_("Order state"), choices=OrderState.choices, empty_label=_("all"))
    fulfilment = django_filters.ChoiceFilter(label=_("Shipping"), choices=Fulfilment.choices, empty_label=_("all"))
    payment = django_filters.ChoiceFilter(label=_("Payment"), choices=Payment.choices, empty_label=_("all"))
    channel = django_filters.ModelChoiceFilter(label=_("Channel"), queryset=channels, empty_label=_("all"))
    since = django_filters.DateFilter(
        label=_("Placed since"),
        method="placed_since",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    customer = django_filters.NumberFilter(field_name="customer_id", min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = Order
        fields = ["q", "state", "fulfilment", "payment", "channel", "since", "customer"]

    def find(self, orders: QuerySet[Order], _name: str, text: str) -> QuerySet[Order]:
        """An e-mail finds its customer's orders, anything else the orders whose number begins so."""
        text = text.strip()
        if "@" in text.strip("@"):
            return self._of_customer(orders, text)
        return orders.filter(Q(number__startswith=text) | Q(number__startswith=f"#{text}"))

    def _of_customer(self, orders: QuerySet[Order], email: str) -> QuerySet[Order]:
        user = self.request.user
        if not (isinstance(user, User) and user.has_perm("orders.see_personal_data")):
            return orders.none()
        customer = Customer.objects.filter(email=normalised_email(email) or "-").first()
        return orders.filter(customer=customer) if customer else orders.none()

    def placed_since(self, orders: QuerySet[Order], _name: str, day: date) -> QuerySet[Order]:
        """From the beginning of that day, in the hub's time zone."""
        return orders.filter(placed_at__gte=timezone.make_aware(datetime.combine(day, time.min)))
