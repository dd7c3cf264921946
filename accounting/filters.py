"""Finding documents; every filter is a plain link that can be sent to a colleague."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from integration_hub.kernel.states import Role
from integration_hub.models import Connection
from orders.models import Order

from .models import Document, DocumentTax, Origin
from .states import DocumentKind, DocumentState, Issuer, TaxCase

MOST = 500


def channels(_request: object) -> QuerySet[Connection]:
    """Where orders come from."""
    return Connection.objects.filter(role=Role.SHOP)


class DocumentFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Documents by number, order, customer or amount, and by what they are."""

    q = django_filters.CharFilter(
        label=_("Number, order, customer or amount"),
        method="find",
        widget=forms.TextInput(attrs={"type": "search", "maxlength": 120}),
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=DocumentKind.choices, empty_label=_("all"))
    state = django_filters.ChoiceFilter(label=_("State"), choices=DocumentState.choices, empty_label=_("all"))
    channel = django_filters.ModelChoiceFilter(label=_("Channel"), queryset=channels, empty_label=_("all"))
    issuer = django_filters.ChoiceFilter(label=_("Issued by"), choices=Issuer.choices, empty_label=_("all"))
    case = django_filters.ChoiceFilter(
        label=_("Tax case"), method="with_case", choices=TaxCase.choices, empty_label=_("all")
    )
    since = django_filters.DateFilter(
        label=_("From"), field_name="issued_on", lookup_expr="gte", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label=_("Until"), field_name="issued_on", lookup_expr="lte", widget=forms.DateInput(attrs={"type": "date"})
    )
    order = django_filters.NumberFilter(method="of_order", min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = Document
        fields = ["q", "kind", "state", "channel", "issuer", "case", "since", "until", "order"]

    def find(self, rows: QuerySet[Document], _name: str, text: str) -> QuerySet[Document]:
        """By index each: the number, an order's number, a customer's e-mail or VAT id, an amount."""
        text = text.strip()
        orders = Order.objects.filter(number__in=[text, f"#{text}"]).values_list("pk", flat=True)[:MOST]
        people = Customer.objects.filter(email=text.lower()).values_list("pk", flat=True)[:MOST]
        numbered = Document.objects.annotate(big=Upper("number")).filter(big=text.upper())
        found = Q(pk__in=numbered.values_list("pk", flat=True)[:MOST]) | Q(order_id__in=list(orders))
        found |= Q(pk__in=list(Origin.objects.filter(order_id__in=list(orders)).values_list("document_id", flat=True)))
        amount = _amount(text)
        if amount is not None:
            found |= Q(gross=amount)
        return rows.filter(found | Q(customer_id__in=list(people)))

    def with_case(self, rows: QuerySet[Document], _name: str, case: str) -> QuerySet[Document]:
        return rows.filter(pk__in=DocumentTax.objects.filter(tax_case=case).values("document_id"))

    def of_order(self, rows: QuerySet[Document], _name: str, pk: int) -> QuerySet[Document]:
        billed = Origin.objects.filter(order_id=pk).values_list("document_id", flat=True)[:MOST]
        return rows.filter(Q(order_id=pk) | Q(pk__in=list(billed)))


def _amount(text: str) -> Decimal | None:
    """An amount as it is typed in Germany or England; None for anything else."""
    plain = text.replace("€", "").strip()
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(plain) if len(plain) < 20 else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() and abs(amount) < 10**15 else None
