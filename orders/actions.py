"""What a person may do so that an order can run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from exceptions import approvals, jobs
from exceptions import services as cases
from exceptions.actions import Choice, Why, is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import Address
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from inventory import services as inventory
from inventory.models import Variant
from inventory.services import Named, Suggestion

from . import services, validation
from .aftersales import actions as aftersales
from .models import ADDRESS_FIELDS, Order, OrderAddress


def named(case: ExceptionCase) -> Named:
    """The name that the case of an unknown product is about."""
    wanted = ("product_id", "sku", "gtin", "title")
    return Named(**{name: str(case.data.get(name, "")) for name in wanted})


def suggestions(case: ExceptionCase) -> list[Suggestion]:
    return inventory.suggest(named(case))


class ProductForm(RowForm):
    """Which product is meant: the likeliest ones first, any other by its number."""

    variant = forms.ChoiceField(label=_("Product"), required=False, widget=forms.RadioSelect)
    sku = forms.CharField(label=_("or the number of another product"), required=False, max_length=80)

    lookups = {"sku": inventory.find}

    def prepare(self) -> None:
        found = suggestions(self.row)
        self.fields["variant"].choices = [  # type: ignore[attr-defined]
            (item.variant.pk, Choice(item.variant.sku, item.variant.title, item.reason())) for item in found
        ]
        if found:
            self.fields["variant"].initial = found[0].variant.pk

    def clean(self) -> dict[str, Any]:
        """The number typed goes before the suggestion ticked."""
        cleaned = super().clean() or {}
        typed = inventory.normalised_sku(cleaned.get("sku", ""))
        chosen = Variant.objects.filter(sku=typed) if typed else Variant.objects.filter(pk=cleaned.get("variant") or 0)
        if not (variant := chosen.first()):
            raise forms.ValidationError(_("No product has this number.") if typed else _("Please choose a product."))
        return {"variant": variant}


def _map_product(case: ExceptionCase, *, by: User, variant: Variant) -> Text:
    assert case.connection is not None  # noqa: S101  unknown products are always a channel's
    held = cases.held_up(case, Order)
    inventory.mean(case.connection, named(case), variant, by=by)
    jobs.again(case, by=by)
    return say(
        "%(name)s is %(sku)s from now on; %(count)s orders run on",
        name=named(case).sku or named(case).title,
        sku=variant.sku,
        count=len(held),
    )


def _map_effect(case: ExceptionCase) -> Text:
    return say("%(count)s orders wait for this and run on", count=case.size)


class AddressForm(RowForm):
    """The address as it should be."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    street = forms.CharField(label=_("Street and number"), max_length=250)
    street2 = forms.CharField(label=_("Address line 2"), max_length=250, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=120)
    region = forms.CharField(label=_("Region"), max_length=80, required=False)
    country = forms.RegexField(label=_("Country (two letters)"), regex=r"^[A-Za-z]{2}$", max_length=2)

    def prepare(self) -> None:
        """Mark what is missing or wrong."""
        for name in self.row.data.get("fields", []):
            if name in self.fields:
                self.fields[name].help_text = _("Missing or wrong")
                self.fields[name].widget.attrs["aria-invalid"] = "true"


def order_of(case: ExceptionCase) -> Order:
    """The one order that the case is about."""
    return Order.objects.select_related("channel", "customer").get(pk=cases.held_up(case, Order)[0])


def _address_now(case: ExceptionCase) -> dict[str, Any]:
    row = OrderAddress.objects.filter(order=order_of(case), role=case.data.get("role")).first()
    return {name: getattr(row, name) for name in ADDRESS_FIELDS} if row else {}


def _correct_address(case: ExceptionCase, *, by: User, **fields: str) -> Text:
    kept = {name: _address_now(case).get(name, "") for name in ("email", "phone")}
    services.correct_address(order_of(case), case.data["role"], Address(**fields | kept), by=by)
    return say("Address corrected")


class _CustomerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A customer with what tells one from another."""

    def label_from_instance(self, obj: Customer) -> Choice:  # type: ignore[override]
        return Choice(obj.code, str(obj), obj.email)


class CustomerForm(RowForm):
    """Which of the candidates ordered."""

    customer = _CustomerField(label=_("Customer"), queryset=Customer.objects.none(), widget=forms.RadioSelect)

    def prepare(self) -> None:
        self.fields["customer"].queryset = Customer.objects.filter(pk__in=self.row.data.get("candidates", []))  # type: ignore[attr-defined]


def _choose_customer(case: ExceptionCase, *, by: User, customer: Customer) -> Text:
    services.choose_customer(order_of(case), customer, by=by)
    return say("Customer %(code)s chosen", code=customer.code)


class AcceptForm(Why):
    """A reason, and which figures were on the screen when it was given."""

    seen = forms.CharField(label=_("Figures shown"), max_length=64, widget=forms.HiddenInput)


def _seen_now(case: ExceptionCase) -> dict[str, Any]:
    return {"seen": cases.figures(case)}


def _accept(case: ExceptionCase, *, by: User, why: str, seen: str) -> Text:
    if not services.waive(order_of(case), (case.kind,), by=by, why=why, cause=case.cause, seen=seen):
        raise NotNow(say("The figures have changed since you looked. Look at them again, then decide."), code="changed")
    return say("Accepted as it is")


def _one_effect(_case: ExceptionCase) -> Text:
    return say("The order runs on if nothing else holds it up")


MAP_PRODUCT = Action(
    code="orders.map_product",
    label=_("This is the product …"),
    permission="inventory.map_variant",
    run=_map_product,
    form=ProductForm,
    allowed=is_open,
    effect=_map_effect,
    primary=True,
)
CORRECT_ADDRESS = Action(
    code="orders.correct_address",
    label=_("Correct the address"),
    permission="orders.fix_order",
    run=_correct_address,
    form=AddressForm,
    initial=_address_now,
    allowed=is_open,
    effect=_one_effect,
    primary=True,
)
CHOOSE_CUSTOMER = Action(
    code="orders.choose_customer",
    label=_("Choose the customer"),
    permission="orders.fix_order",
    run=_choose_customer,
    form=CustomerForm,
    allowed=is_open,
    effect=_one_effect,
    primary=True,
)
ACCEPT = Action(
    code="orders.accept",
    label=_("Accept as it is"),
    permission="orders.waive_order",
    run=_accept,
    form=AcceptForm,
    initial=_seen_now,
    allowed=is_open,
    effect=_one_effect,
    bulk=True,
    second=approvals.second,
    help=_("The order goes on with the figures the shop states. Your reason is kept with it."),
)


def _retry_order(order: Order, *, by: User) -> Text:
    after = services.reconsider(order.pk, by=by)
    return say("Judged again: %(state)s", state=after.state)


RETRY_ORDER = Action(
    code="orders.retry",
    label=_("Process again"),
    permission="orders.retry_order",
    run=_retry_order,
    help=_("Matches products and checks the order again. What is already written is not repeated."),
    bulk=True,
)
ORDER_ACTIONS: tuple[Action, ...] = (RETRY_ORDER, *aftersales.ORDER_ACTIONS)
WAIVABLE = tuple(
    kind for kind in validation.KINDS if kind in ("address_incomplete", "totals_disagree", "tax_rate_unknown")
)
