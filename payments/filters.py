"""Finding money on the pages; every filter is a plain link that can be sent to a colleague."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.states import Role
from integration_hub.models import Connection

from .models import Allocation, BankLine, Dispute, OpenItem, Payout, Refund, Transaction
from .names import plain
from .states import DisputeState, Kind, PayoutState, Purpose, RefundState, Standing
from .states import Money as Paid


def providers(_request: object) -> QuerySet[Connection]:
    """Where money is reported from."""
    return Connection.objects.filter(role__in=(Role.PAYMENT, Role.BANK))


def _search(label: object) -> dict[str, object]:
    return {"label": label, "method": "find", "widget": forms.TextInput(attrs={"type": "search", "maxlength": 120})}


class TransactionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Movements by provider, kind, state, and whether they have their order."""

    q = django_filters.CharFilter(**_search(_("Id, order number or reference")))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind.choices, empty_label=_("all"))
    state = django_filters.ChoiceFilter(label=_("State"), choices=Standing.choices, empty_label=_("all"))
    connection = django_filters.ModelChoiceFilter(label=_("Provider"), queryset=providers, empty_label=_("all"))
    order = django_filters.ChoiceFilter(
        label=_("Order"),
        method="with_order",
        choices=[("none", _("without order"))],
        empty_label=_("all"),
    )
    of_order = django_filters.NumberFilter(method="of_one_order", min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = Transaction
        fields = ["q", "kind", "state", "connection", "order", "of_order"]

    def find(self, rows: QuerySet[Transaction], _name: str, text: str) -> QuerySet[Transaction]:
        """By a name of the movement, by index; by what it calls its order; by its order's number."""
        text = text.strip()
        named = Transaction.objects.filter(payment_ids__contains=[text]).values_list("pk", flat=True)[:200]
        tied = Allocation.objects.filter(order__number__in=[text, f"#{text}"]).values_list("transaction_id", flat=True)
        return rows.filter(pk__in={*named, *tied[:200]})

    def with_order(self, rows: QuerySet[Transaction], _name: str, _value: str) -> QuerySet[Transaction]:
        return rows.filter(unassigned__isnull=False)

    def of_one_order(self, rows: QuerySet[Transaction], _name: str, pk: int) -> QuerySet[Transaction]:
        ids = Allocation.objects.filter(order_id=pk).values_list("transaction_id", flat=True)[:1000]
        return rows.filter(pk__in=list(ids))


class PayoutFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Payouts by how far they are explained."""

    q = django_filters.CharFilter(**_search(_("Id or reference")))
    state = django_filters.ChoiceFilter(label=_("State"), choices=PayoutState.choices, empty_label=_("all"))
    connection = django_filters.ModelChoiceFilter(label=_("Provider"), queryset=providers, empty_label=_("all"))
    rest = django_filters.ChoiceFilter(
        label=_("Remainder"), method="with_rest", choices=[("yes", _("with a remainder"))], empty_label=_("all")
    )

    class Meta:
        model = Payout
        fields = ["q", "state", "connection", "rest"]

    def find(self, rows: QuerySet[Payout], _name: str, text: str) -> QuerySet[Payout]:
        return rows.filter(Q(external_id=text.strip()) | Q(reference=text.strip()))

    def with_rest(self, rows: QuerySet[Payout], _name: str, _value: str) -> QuerySet[Payout]:
        return rows.filter(state__in=(PayoutState.ANNOUNCED, PayoutState.IN_BANK)).exclude(remainder=0)


class RefundFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Refunds by where they stand."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=RefundState.choices, empty_label=_("all"))

    class Meta:
        model = Refund
        fields = ["state"]


class DisputeFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Disputes by where they stand."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=DisputeState.choices, empty_label=_("all"))
    connection = django_filters.ModelChoiceFilter(label=_("Provider"), queryset=providers, empty_label=_("all"))

    class Meta:
        model = Dispute
        fields = ["state", "connection"]


class BankLineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Bank lines by what they are."""

    q = django_filters.CharFilter(**_search(_("Amount")))
    purpose = django_filters.ChoiceFilter(label=_("Is"), choices=Purpose.choices, empty_label=_("all"))

    class Meta:
        model = BankLine
        fields = ["q", "purpose"]

    def find(self, rows: QuerySet[BankLine], _name: str, text: str) -> QuerySet[BankLine]:
        found = text.strip().replace(",", ".")
        digits = plain(found)
        return rows.filter(amount=found) if digits.isascii() and digits.isdigit() and len(digits) < 15 else rows.none()


class OpenItemFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Open items by standing and age."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=Paid.choices, empty_label=_("all"))
    what = django_filters.ChoiceFilter(
        label=_("What"), method="sided", choices=[("over", _("overpaid"))], empty_label=_("open")
    )

    class Meta:
        model = OpenItem
        fields = ["state", "what"]

    def sided(self, rows: QuerySet[OpenItem], _name: str, _value: str) -> QuerySet[OpenItem]:
        return rows

    @property
    def is_over(self) -> bool:
        """Whether what was paid too much is asked for instead of what is missing."""
        return bool(self.data.get("what") == "over")
