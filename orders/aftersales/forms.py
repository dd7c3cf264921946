"""What a person fills in to start or to inspect a special case."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exceptions.actions import Why
from integration_hub.backoffice.actions import RowForm
from inventory import services as inventory
from inventory.models import Variant

from . import exchange, tie

_SENT: dict[str, Any] = {
    "min_value": Decimal("0.0001"),
    "max_digits": 14,
    "decimal_places": 4,
    "required": False,
}
_PRICE: dict[str, Any] = {"min_value": Decimal(0), "max_digits": 15, "decimal_places": 2, "required": False}
_SAME = _("Empty: as much as a piece that comes back, so that nobody owes anything.")
_PIECES = {"min_value": Decimal(0), "max_digits": 14, "decimal_places": 4, "required": False}


class PiecesForm(RowForm):
    """How many pieces of which line, and why."""

    delivered = True
    why = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def prepare(self) -> None:
        for room in tie.rooms(self.row):
            left = room.delivered if self.delivered else room.undelivered
            if left > 0:
                self.fields[f"line_{room.line.pk}"] = forms.DecimalField(
                    label=f"{room.line.sku} {room.line.title}".strip(),
                    max_value=left,
                    help_text=_("at most %(left)s") % {"left": f"{left.normalize():f}"},
                    **_PIECES,  # type: ignore[arg-type]
                )
        self.order_fields([name for name in self.fields if name != "why"])

    def clean(self) -> dict[str, Any]:
        """The pieces by line."""
        cleaned = super().clean() or {}
        lines = {name: value for name, value in cleaned.items() if name.startswith("line_") and value}
        return {"pieces": {int(name[5:]): value for name, value in lines.items()}, "why": cleaned.get("why", "")}


class CancelForm(PiecesForm):
    """What is not to be delivered; nothing filled in means the whole order."""

    delivered = False


class ReturnForm(PiecesForm):
    """What the customer sends back."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned["pieces"]:
            raise forms.ValidationError(_("Say what comes back."))
        return cleaned


SENT = 3  # articles that the form takes; over the API an exchange may send any number


class ExchangeForm(ReturnForm):
    """What comes back, and up to three articles that are sent instead."""

    sku_1 = forms.CharField(label=_("Send instead: number of the product"), max_length=80)
    quantity_1 = forms.DecimalField(label=_("Pieces"), initial=1, **_SENT)
    price_1 = forms.DecimalField(label=_("Price per piece with tax"), help_text=_SAME, **_PRICE)
    sku_2 = forms.CharField(label=_("and another product"), max_length=80, required=False)
    quantity_2 = forms.DecimalField(label=_("Pieces"), **_SENT)
    price_2 = forms.DecimalField(label=_("Price per piece with tax"), **_PRICE)
    sku_3 = forms.CharField(label=_("and a third product"), max_length=80, required=False)
    quantity_3 = forms.DecimalField(label=_("Pieces"), **_SENT)
    price_3 = forms.DecimalField(label=_("Price per piece with tax"), **_PRICE)
    advance = forms.BooleanField(label=_("Send it before the other goods are back"), required=False)
    lookups = {f"sku_{place}": inventory.find for place in range(1, SENT + 1)}

    def prepare(self) -> None:
        super().prepare()
        lines = [name for name in self.fields if name.startswith("line_")]
        self.order_fields([*lines, *[name for name in self.fields if name not in (*lines, "why")], "why"])

    def clean(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        cleaned = super().clean()
        goods = [
            self._goods(given, place, cleaned["pieces"]) for place in range(1, SENT + 1) if given.get(f"sku_{place}")
        ]
        return {**cleaned, "goods": goods, "advance": bool(given.get("advance"))}

    def _goods(self, given: dict[str, Any], place: int, pieces: dict[int, Decimal]) -> exchange.Goods:
        variant = Variant.objects.filter(sku=inventory.normalised_sku(given[f"sku_{place}"])).first()
        if variant is None:
            raise forms.ValidationError({f"sku_{place}": _("No product has this number.")})
        like = self.row.lines.filter(pk__in=pieces).order_by("position").first()
        price = given.get(f"price_{place}")
        return exchange.Goods(
            variant=variant,
            quantity=given.get(f"quantity_{place}") or Decimal(1),
            price=price if price is not None else like.gross / like.quantity,
            tax_rate=like.tax_rate,
        )


class AmountForm(Why):
    """An amount that the customer gets back without sending anything."""

    amount = forms.DecimalField(label=_("Amount with tax"), min_value=Decimal("0.01"), max_digits=15, decimal_places=2)
    field_order = ("amount", "why")


class InspectForm(RowForm):
    """Per position: pieces that go back into stock, pieces that are written off."""

    def prepare(self) -> None:
        for one in self.row.lines.filter(quantity__gt=0).select_related("line"):
            name = f"{one.line.sku} {one.line.title}".strip()
            most = {"max_value": one.quantity, **_PIECES}
            self.fields[f"restock_{one.pk}"] = forms.DecimalField(
                label=_("%(name)s: back into stock") % {"name": name}, initial=one.quantity.normalize(), **most
            )
            self.fields[f"write_off_{one.pk}"] = forms.DecimalField(
                label=_("%(name)s: written off") % {"name": name}, **most
            )

    def clean(self) -> dict[str, Any]:
        """Outcome by position."""
        cleaned = super().clean() or {}
        found: dict[int, dict[str, Decimal]] = {}
        for name, value in cleaned.items():
            word, _sep, pk = name.rpartition("_")
            if value:
                found.setdefault(int(pk), {})[word.upper()] = value
        return {"pieces": found}
