"""The REST face of rows and actions: stored words, masked personal data, actions described and carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action as route
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.kernel.text import Text
from integration_hub.models import origin
from integration_hub.models.access import User

from .actions import Action, may, perform
from .masking import MASK
from .words import words

PERSONAL = "orders.see_personal_data"
MOST_CHOICES = 100
CODE = r"actions/(?P<code>[a-z_]+\.[a-z_]+)"


def sees_personal_data(context: Mapping[str, Any]) -> bool:
    """Whether who asks may read names, addresses, e-mail and phone."""
    request = context.get("request")
    return bool(request and request.user.has_perm(PERSONAL))


class Masked(serializers.Serializer[Any]):
    """A serializer whose ``personal`` fields are hidden from those who may not see personal data."""

    personal: ClassVar[Iterable[str]] = ()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if not sees_personal_data(self.context):
            return shown | {name: MASK for name in self.personal if shown.get(name)}
        if isinstance(instance, Model) and any(shown.get(name) for name in self.personal):
            origin.saw(type(instance), [instance.pk])
        return shown


@extend_schema_field(OpenApiTypes.STR)
class WordsField(serializers.Field[Any, Any, str, Any]):
    """A stored Text in the reader's language."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Text | Mapping[str, Any]) -> str:
        return words(value)


class PlaceOut(serializers.Serializer[Any]):
    """Where in the request something is wrong (JSON Pointer), and what."""

    pointer = serializers.CharField()
    detail = serializers.CharField()
    code = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="urn:hub:problem:…")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = PlaceOut(many=True, required=False)  # type: ignore[assignment]


def refusals(*statuses: int) -> dict[tuple[int, str], type[Problem]]:
    """For the schema: these statuses come with problem details."""
    return {(status, "application/problem+json"): Problem for status in statuses}


class ChoiceOut(serializers.Serializer[Any]):
    """A value that a field takes, and what it is called."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class FieldOut(serializers.Serializer[Any]):
    """A field of an action's form."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text=_("text, number, yes_no, date, choice or reference"))
    required = serializers.BooleanField()  # type: ignore[assignment]
    max_length = serializers.IntegerField(allow_null=True)
    help = serializers.CharField()
    initial = serializers.CharField(allow_blank=True)
    choices = ChoiceOut(many=True)


class ActionOut(serializers.Serializer[Any]):
    """Something that can be done to the row: POST the fields to ``actions/<code>/``."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    permitted = serializers.BooleanField(help_text=_("whether you may do this at all"))
    hindrance = serializers.CharField(help_text=_("why it is not possible now; empty where it is"))
    effect = serializers.CharField()
    fields = FieldOut(many=True)  # type: ignore[assignment]


class ActionDone(serializers.Serializer[Any]):
    """What an action did, in words."""

    result = serializers.CharField()


def described(action: Action, row: Any, user: User) -> dict[str, Any]:
    """An action as the API shows it; its form only to those who may carry it out."""
    permitted, hindrance = may(action, user), action.allowed(row)
    form = action.unbound(row) if permitted and hindrance is None else None
    return {
        "code": action.code,
        "label": str(action.label),
        "help": str(action.help),
        "permitted": permitted,
        "hindrance": words(hindrance),
        "effect": words(action.effect(row)) if action.effect and hindrance is None else "",
        "fields": [_field(form, name, user.has_perm(PERSONAL)) for name in form.fields] if form else [],
    }


_KINDS: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.ModelChoiceField, "reference"),
    (forms.ChoiceField, "choice"),
    (forms.BooleanField, "yes_no"),
    (forms.IntegerField, "number"),
    (forms.DateField, "date"),
)


def _field(form: forms.Form, name: str, personal: bool) -> dict[str, Any]:
    field, initial = form.fields[name], form.get_initial_for_field(form.fields[name], name)
    return {
        "name": name,
        "label": str(field.label or name),
        "kind": next((kind for cls, kind in _KINDS if isinstance(field, cls)), "text"),
        "required": field.required,
        "max_length": getattr(field, "max_length", None),
        "help": str(field.help_text),
        # what is hidden on the screen is ours, no person's: it is to be sent back as it is
        "initial": str(initial) if (personal or field.widget.is_hidden) and initial is not None else "",
        "choices": _choices(field, personal),
    }


def _choices(field: Any, personal: bool) -> list[dict[str, str]]:
    """At most 100; rows of a table go by their id alone where their names may be personal data."""
    if isinstance(field, forms.ModelChoiceField):
        return [_reference(field, row, personal) for row in field.queryset[:MOST_CHOICES]]  # type: ignore[index]
    if isinstance(field, forms.ChoiceField):
        pairs: list[Any] = list(field.choices)[:MOST_CHOICES]  # type: ignore[arg-type]
        return [{"value": str(value), "label": str(label)} for value, label in pairs]
    return []


def _reference(field: Any, row: Any, personal: bool) -> dict[str, str]:
    return {"value": str(row.pk), "label": str(field.label_from_instance(row)) if personal else f"#{row.pk}"}


def form_data(given: Any) -> dict[str, Any]:
    """The body of an action as a form takes it: an object of texts, numbers, yes and no."""
    if not isinstance(given, dict):
        raise serializers.ValidationError({"non_field_errors": [_("An object was expected.")]})
    wrong = {name: [_("A text was expected.")] for name, value in given.items() if isinstance(value, dict | list)}
    if wrong:
        raise serializers.ValidationError(wrong)
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


class MayLook(BasePermission):
    """Whoever may read the rows may try its actions; each action then asks for its own permission."""

    def has_permission(self, request: Any, view: Any) -> bool:
        options = view.queryset.model._meta
        return bool(request.user.has_perm(f"{options.app_label}.view_{options.model_name}"))


class Acting:
    """A viewset whose rows have actions: ``POST …/actions/<code>/``."""

    get_object: Callable[[], Any]

    def actions_for(self, row: Any) -> Iterable[Action]:
        """The actions a row of this kind has."""
        return ()

    @extend_schema(
        request=OpenApiTypes.OBJECT, responses={200: ActionDone} | refusals(400, 401, 403, 404, 409, 422, 503)
    )
    @route(detail=True, methods=["post"], url_path=CODE, permission_classes=[MayLook], url_name="action")
    def act(self, request: Request, code: str, **_kwargs: Any) -> Response:
        """Do it: the fields the detail describes for this action go into the body."""
        row = self.get_object()
        action = next((item for item in self.actions_for(row) if item.code == code), None)
        if action is None or not isinstance(request.user, User):
            raise Http404
        done = perform(action, row, by=request.user, data=form_data(request.data))
        return Response({"result": words(done)})
