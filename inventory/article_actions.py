"""What a person may do to articles, to what systems list, and to who owns which field."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exceptions.actions import Why
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User

from . import services
from .models import BundlePart, Field, FieldOwner, How, Kind, Listing, Owner, ShareRule, Variant
from .services import Part, editing, ownership


class MapForm(forms.Form):
    """Which article it is: by its id (a suggestion with its score) or by its number."""

    sku = forms.CharField(
        label=_("Number of the article"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"data-lookup": "sku", "autocomplete": "off"}),
    )
    variant = forms.IntegerField(label=_("or its id"), required=False, min_value=1, widget=forms.HiddenInput)
    score = forms.IntegerField(required=False, min_value=0, max_value=100, widget=forms.HiddenInput)
    why = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        """The number typed goes before the suggestion."""
        cleaned = super().clean() or {}
        typed = services.normalised_sku(cleaned.get("sku") or "")
        found = Variant.objects.filter(sku=typed) if typed else Variant.objects.filter(pk=cleaned.get("variant") or 0)
        if not (variant := found.first()):
            raise forms.ValidationError(_("No product has this number.") if typed else _("Please choose a product."))
        return {
            "variant": variant,
            "score": None if typed else cleaned.get("score"),
            "why": cleaned.get("why", ""),
        }


def _map(listing: Listing, *, by: User, variant: Variant, score: int | None, why: str) -> Text:
    waiting = services.waiting([listing])[listing.pk]
    how = How.PERSON if score is None else How.SUGGESTION
    services.mean(listing.connection, services.named(listing), variant, how=how, by=by, why=why, score=score)
    name = listing.sku or listing.title or listing.external_id
    return say("%(name)s is %(sku)s from now on; %(count)s orders run on", name=name, sku=variant.sku, count=waiting)


def _mappable(listing: Listing) -> Text | None:
    return say("It is gone there.") if listing.gone else None


def _map_effect(listing: Listing) -> Text:
    return say("%(count)s orders wait for this and run on", count=services.waiting([listing])[listing.pk])


def _ignore(listing: Listing, *, by: User, why: str) -> Text:
    services.ignore(listing, by=by, why=why)
    return say("Set aside: it is no article")


def _open_question(listing: Listing) -> Text | None:
    return say("It is set aside already.") if listing.ignored else None


class MaybeWhy(forms.Form):
    """A reason, for whom it helps."""

    why = forms.CharField(label=_("Reason"), required=False, max_length=500)


def _undo(listing: Listing, *, by: User, why: str) -> Text:
    after = services.undo(listing, by=by, why=why)
    return say("Taken back; it is %(sku)s again", sku=after.sku) if after else say("Taken back; it waits to be mapped")


def _decided(listing: Listing) -> Text | None:
    if listing.variant_id or listing.ignored:
        return None
    return say("There is nothing to undo.")


MAP = Action(
    code="inventory.map",
    label=_("This is the article …"),
    permission="inventory.map_variant",
    run=_map,
    form=MapForm,
    allowed=_mappable,
    effect=_map_effect,
    primary=True,
)
IGNORE = Action(
    code="inventory.ignore",
    label=_("Is no article"),
    permission="inventory.map_variant",
    run=_ignore,
    form=Why,
    allowed=_open_question,
    help=_("For gift wrapping, tests and the like. An order that names it stays held until somebody says what it is."),
    destructive=True,
)
UNDO = Action(
    code="inventory.undo",
    label=_("Take back"),
    permission="inventory.map_variant",
    run=_undo,
    form=MaybeWhy,
    allowed=_decided,
    help=_("Takes back the last step. What earlier orders were matched to stays."),
)
LISTING_ACTIONS: tuple[Action, ...] = (MAP, IGNORE, UNDO)

_COLUMN_OF = {column: field for field, columns in ownership.COLUMNS.items() for column in columns}


class _YesNo(forms.TypedChoiceField):
    """Yes or no as a list to choose from: unlike a box, it says whether it was answered at all."""

    def __init__(self, *, label: Any, unknown: bool = False) -> None:
        choices = [("True", _("yes")), ("False", _("no"))]
        super().__init__(
            label=label,
            choices=[("", "–"), *choices] if unknown else choices,
            coerce=lambda value: str(value) == "True",
            empty_value=None,
            required=not unknown,
        )


class ArticleForm(RowForm):
    """The fields of an article; those of another owner, and those not given, stay as they are."""

    title = forms.CharField(label=_("title"), max_length=250)
    gtin = forms.CharField(label=_("GTIN"), max_length=20, required=False)
    active = _YesNo(label=_("active"))
    kind = forms.ChoiceField(label=_("kind"), choices=Kind.choices)
    unit = forms.CharField(label=_("unit"), max_length=20, required=False)
    pieces_only = _YesNo(label=_("whole pieces only"))
    group = forms.CharField(label=_("product group"), max_length=120, required=False)
    tax_class = forms.CharField(label=_("tax class"), max_length=80, required=False)
    weight = forms.DecimalField(label=_("weight (kg)"), min_value=0, max_digits=11, decimal_places=4, required=False)
    price = forms.DecimalField(label=_("price"), min_value=0, max_digits=17, decimal_places=4, required=False)
    currency = forms.RegexField(label=_("currency"), regex="^[A-Z]{3}$", max_length=3, required=False)
    price_includes_tax = _YesNo(label=_("price includes tax"), unknown=True)
    deposit = forms.DecimalField(label=_("deposit"), min_value=0, max_digits=17, decimal_places=4, required=False)

    def prepare(self) -> None:
        held = ownership.owners()
        for name, field in self.fields.items():
            owned = _COLUMN_OF.get(name)
            field.disabled = self.is_bound and name not in self.data
            if owned and not held.hub_owns(owned):
                field.disabled = True
                field.help_text = _("belongs to %(owner)s") % {"owner": held.label(owned)}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("price") is not None and not cleaned.get("currency"):
            self.add_error("currency", _("A price needs a currency."))
        return cleaned


def _article_now(variant: Variant) -> dict[str, Any]:
    return {name: getattr(variant, name) for name in ArticleForm.base_fields}


def _edit(variant: Variant, *, by: User, **values: Any) -> Text:
    changed = editing.edit(variant, values, by=by)
    return say("%(count)s fields changed", count=len(changed)) if changed else say("Nothing was changed")


class PartsForm(RowForm):
    """What a bundle is made of, a part to a line: quantity, number and, where shares are fixed, the share."""

    parts = forms.CharField(
        label=_("Parts, one to a line: quantity, number, share"),
        help_text=_("For example “2 TK-100”, or “2 TK-100 60” where the price is shared by fixed shares."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        max_length=20_000,
        required=False,
    )
    rule = forms.ChoiceField(label=_("The price is shared"), choices=ShareRule.choices)

    def clean_parts(self) -> list[Part]:
        return parts_from(self.cleaned_data["parts"])


def parts_from(text: str) -> list[Part]:
    """Parts as people write them; ValidationError names the line that is wrong."""
    rows = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, words in rows:
        if len(words) not in (2, 3):
            raise forms.ValidationError(
                _("Line %(line)s: quantity, number and perhaps a share."), params={"line": number}
            )
    known = dict(Variant.objects.filter(sku__in=[words[1] for _n, words in rows]).values_list("sku", "pk"))
    return [_part(number, words, known) for number, words in rows]


def _part(number: int, words: list[str], known: dict[str, int]) -> Part:
    if words[1] not in known:
        raise forms.ValidationError(
            _("Line %(line)s: no product has the number %(sku)s."), params={"line": number, "sku": words[1]}
        )
    amounts = [_amount(number, word) for word in (words[0], *words[2:])]
    return Part(known[words[1]], amounts[0], amounts[1] if len(amounts) > 1 else None)


def _amount(number: int, word: str) -> Decimal:
    try:
        found = Decimal(word.replace(",", "."))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found < 10**7 or found != round(found, 4):
        raise forms.ValidationError(
            _("Line %(line)s: “%(word)s” is no quantity."), params={"line": number, "word": word}
        )
    return found


def parts_now(variant: Variant) -> dict[str, Any]:
    """The parts as the form takes them."""
    rows = BundlePart.objects.filter(bundle=variant).select_related("part").order_by("pk")
    lines = [f"{row.quantity.normalize():f} {row.part.sku}{_plain_share(row)}" for row in rows]
    return {"parts": "\n".join(lines), "rule": variant.share_rule}


def _plain_share(row: BundlePart) -> str:
    return "" if row.share is None else f" {row.share.normalize():f}"


def _define(variant: Variant, *, by: User, parts: list[Part], rule: str) -> Text:
    changed = editing.define_parts(variant, parts, rule=ShareRule(rule), by=by)
    return say("Made of %(count)s parts", count=len(parts)) if changed else say("Nothing was changed")


def _definable(variant: Variant) -> Text | None:
    """Parts are the hub's where it owns them, and where their owner says nothing of this article."""
    owner = editing.owner_of_parts(variant)
    return say("%(owner)s says what this bundle is made of.", owner=owner) if owner else None


EDIT = Action(
    code="inventory.edit",
    label=_("Change"),
    permission="inventory.edit_variant",
    run=_edit,
    form=ArticleForm,
    initial=_article_now,
    help=_("Fields that belong to another system are changed there. Who owns what is a setting."),
)
DEFINE = Action(
    code="inventory.parts",
    label=_("Parts of the bundle"),
    permission="inventory.edit_variant",
    run=_define,
    form=PartsForm,
    initial=parts_now,
    allowed=_definable,
    help=_("Makes the article a bundle. Selling it moves its parts; its own stock is what its parts allow."),
)
ARTICLE_ACTIONS: tuple[Action, ...] = (EDIT, DEFINE)


class OwnerForm(RowForm):
    """Who owns a field: the ERP, the hub, or one connection."""

    owner = forms.ChoiceField(label=_("owner"))
    why = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def prepare(self) -> None:
        general = [(Owner.ERP.value, Owner.ERP.label), (Owner.HUB.value, Owner.HUB.label)]
        systems = [(str(pk), name) for pk, name in Connection.objects.order_by("name").values_list("pk", "name")[:200]]
        self.fields["owner"].choices = [*general, *systems]  # type: ignore[attr-defined]


def _owner_now(row: FieldOwner) -> dict[str, Any]:
    return {"owner": str(row.connection_id or row.owner)}


def _own(row: FieldOwner, *, by: User, owner: str, why: str) -> Text:
    general = owner in (Owner.ERP, Owner.HUB)
    connection = None if general else Connection.objects.get(pk=int(owner))
    kind = Owner(owner) if general else Owner.CONNECTION
    changed = ownership.set_owner(Field(row.field), kind, connection, by=by, why=why)
    editing.words_taken(Field(row.field), changed)
    return say("Set; %(count)s articles take the new owner's word", count=len(changed))


OWN = Action(
    code="inventory.own",
    label=_("Set"),
    permission="inventory.own_fields",
    run=_own,
    form=OwnerForm,
    initial=_owner_now,
)
