"""What a person may do about stock: book, transfer, say whose word counts where, how a channel reckons, what it sells from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User

from .models import Formula, Location, LocationMapping, Movement, Shortage, StockRule, Variant
from .services import availability, comparison, ledger, levels, places, push
from .services.alarms import plain

BOOKED = (Movement.RECEIPT, Movement.RETURN, Movement.CORRECTION, Movement.COUNT)


def own_places() -> Any:
    """The locations that the hub itself counts."""
    return Location.objects.filter(source=None, active=True)


class _Reason(forms.CharField):
    def __init__(self) -> None:
        super().__init__(label=_("Reason"), min_length=5, max_length=500)


class _Quantity(forms.DecimalField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=13, decimal_places=4, **options)


class BookForm(forms.Form):
    """What is booked where, how many, and why."""

    kind = forms.ChoiceField(label=_("What"), choices=[(kind.value, kind.label) for kind in BOOKED])
    location = forms.ModelChoiceField(label=_("stock location"), queryset=Location.objects.none())
    quantity = _Quantity(
        label=_("Quantity"), help_text=_("Of a correction the change (-2: two less), of a count what was counted.")
    )
    why = _Reason()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = own_places()  # type: ignore[attr-defined]


class TransferForm(forms.Form):
    """From where to where, how many, and why."""

    source = forms.ModelChoiceField(label=_("From"), queryset=Location.objects.none())
    target = forms.ModelChoiceField(label=_("To"), queryset=Location.objects.none())
    quantity = _Quantity(label=_("Quantity"), min_value=Decimal("0.0001"))
    why = _Reason()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("source", "target"):
            self.fields[name].queryset = own_places()  # type: ignore[attr-defined]


def _bookable(variant: Variant) -> Text | None:
    if variant.kind == "BUNDLE" or not variant.moves_stock:
        return say("%(sku)s has no stock of its own.", sku=variant.sku)
    if not own_places().exists():
        return say("Every location is counted by another system. Book there; the hub takes it over.")
    return None


def book(variant: Variant, *, by: User, kind: str, location: Location, quantity: Decimal, why: str) -> Text:
    """Book one movement by hand; NotNow for what cannot be."""
    if kind == Movement.COUNT:
        ledger.count(variant, location, quantity, by=by, why=why)
    elif kind == Movement.CORRECTION:
        ledger.correct(variant, location, quantity, by=by, why=why)
    else:
        ledger.receive(variant, location, quantity, by=by, why=why, returned=kind == Movement.RETURN)
    return say("Booked: %(quantity)s at %(location)s", quantity=plain(quantity), location=location.name)


def _transfer(variant: Variant, *, by: User, source: Location, target: Location, quantity: Decimal, why: str) -> Text:
    ledger.transfer(variant, source, target, quantity, by=by, why=why)
    return say("%(quantity)s transferred from %(location)s", quantity=plain(quantity), location=source.name)


BOOK = Action(
    code="stock.book",
    label=_("Book"),
    permission="inventory.book_stock",
    run=book,
    form=BookForm,
    allowed=_bookable,
    primary=True,
)
TRANSFER = Action(
    code="stock.transfer",
    label=_("Transfer"),
    permission="inventory.book_stock",
    run=_transfer,
    form=TransferForm,
    allowed=_bookable,
)
VARIANT_ACTIONS: tuple[Action, ...] = (BOOK, TRANSFER)


class SourceForm(RowForm):
    """Whose word counts at a location: the hub's, or that of a system which has this place."""

    source = forms.ModelChoiceField(
        label=_("source of truth"), queryset=Connection.objects.none(), required=False, empty_label="Integration Hub"
    )
    why = _Reason()

    def prepare(self) -> None:
        self.fields["source"].queryset = Connection.objects.filter(locationmapping__location=self.row)  # type: ignore[attr-defined]


def _set_source(location: Location, *, by: User, source: Connection | None, why: str) -> Text:
    places.set_source(location, source, by=by, why=why)
    return say("The word of %(source)s counts here", source=source.name if source else "Integration Hub")


SOURCE = Action(
    code="stock.source",
    label=_("Whose word counts"),
    permission="inventory.set_up_stock",
    run=_set_source,
    form=SourceForm,
    initial=lambda location: {"source": location.source_id},
    help=_("From now on only this side changes the level; what others state becomes a difference."),
)


class PlaceForm(forms.Form):
    """Which location a system's place is; empty: none."""

    location = forms.ModelChoiceField(
        label=_("stock location"), queryset=Location.objects.all(), required=False, empty_label="–"
    )


def _map_place(row: LocationMapping, *, by: User, location: Location | None) -> Text:
    places.assign(row, location, by=by)
    taken = levels.restate(row.connection) if location else 0
    return say(
        "%(place)s is %(location)s; %(count)s levels taken over",
        place=str(row),
        location=location.name if location else "–",
        count=taken,
    )


MAP_PLACE = Action(
    code="stock.map_place",
    label=_("Map"),
    permission="inventory.set_up_stock",
    run=_map_place,
    form=PlaceForm,
    initial=lambda row: {"location": row.location_id},
)


class ChannelRuleForm(forms.Form):
    """How a channel reckons, and what it does when not enough is there."""

    formula = forms.ChoiceField(label=_("formula"), choices=Formula.choices)
    buffer = _Quantity(label=_("safety buffer"), min_value=0)
    minimum = _Quantity(label=_("shown from"), min_value=0)
    maximum = _Quantity(label=_("shown at most"), min_value=0, required=False)
    shortage = forms.ChoiceField(label=_("not available"), choices=Shortage.choices)
    backorder_days = forms.IntegerField(label=_("back-order: deliverable in (days)"), min_value=0, max_value=365)
    unpaid_hours = forms.IntegerField(label=_("unpaid orders hold goods for (hours)"), min_value=0, max_value=2160)
    drift_threshold = _Quantity(label=_("exception from a drift of"), min_value=Decimal("0.0001"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        least, most = cleaned.get("minimum"), cleaned.get("maximum")
        if least is not None and most is not None and most < least:
            self.add_error("maximum", _("This is less than the quantity shown from."))
        return cleaned


def _set_rule(channel: Connection, *, by: User, **values: Any) -> Text:
    StockRule.objects.update_or_create(channel=channel, defaults=values)
    changed = availability.reckon_channel(channel)
    push.start()
    return say("Stock rule kept; %(count)s articles show another quantity", count=changed)


RULE = Action(
    code="stock.rule",
    label=_("Change the rule"),
    permission="inventory.set_up_stock",
    run=_set_rule,
    form=ChannelRuleForm,
    initial=lambda channel: {name: getattr(places.rule_of(channel), name) for name in ChannelRuleForm.base_fields},
)


class SupplyForm(RowForm):
    """For each location whether the channel sells from it, and at which of the shop's places it is shown."""

    def prepare(self) -> None:
        known = LocationMapping.objects.filter(connection=self.row).order_by("name")
        shown = [("*", _("sold from here")), *((f"*{row.external_id}", str(row)) for row in known if row.external_id)]
        now = {row.location_id: f"*{row.place}" for row in self.row.supplies.all()}
        for location in Location.objects.filter(active=True):
            self.fields[f"at_{location.pk}"] = forms.ChoiceField(
                label=str(location),
                required=False,
                choices=[("", _("not sold from here")), *shown],
                initial=now.get(location.pk, ""),
            )


def _set_supply(channel: Connection, *, by: User, **chosen: str) -> Text:
    rows = Location.objects.in_bulk([int(name.removeprefix("at_")) for name, place in chosen.items() if place])
    wanted = [(rows[pk], chosen[f"at_{pk}"][1:]) for pk in sorted(rows, key=lambda pk: rows[pk].code)]
    places.set_supply(channel, wanted, by=by)
    availability.reckon_channel(channel)
    push.start()
    return say("Sells from: %(locations)s", locations=", ".join(place.name for place, _at in wanted) or "–")


SUPPLY = Action(
    code="stock.supply",
    label=_("Choose the locations"),
    permission="inventory.set_up_stock",
    run=_set_supply,
    form=SupplyForm,
    primary=True,
    help=_("Orders take from the locations in the order of their codes."),
)


def _comparable(connection: Connection) -> Text | None:
    if Capability.LIST_LEVELS in connection.capabilities:
        return None
    return say("This system cannot list its stock.")


def _compare(connection: Connection, *, by: User) -> Text:
    comparison.start(connection)
    return say("The comparison has begun; its progress is shown here.")


COMPARE = Action(
    code="stock.compare",
    label=_("Compare now"),
    permission="inventory.set_up_stock",
    run=_compare,
    allowed=_comparable,
    help=_("Reads every level there and lays it beside what it was told. It also runs by itself every night."),
)


def _tell_all(channel: Connection, *, by: User) -> Text:
    return say("%(count)s levels are told anew", count=push.told_all(channel))


def _tellable(channel: Connection) -> Text | None:
    return None if Capability.SET_STOCK in channel.capabilities else say("This system takes no stock from us.")


TELL_ALL = Action(
    code="stock.tell_all",
    label=_("Tell everything anew"),
    permission="inventory.set_up_stock",
    run=_tell_all,
    allowed=_tellable,
)
CHANNEL_ACTIONS: tuple[Action, ...] = (SUPPLY, RULE, COMPARE, TELL_ALL)
