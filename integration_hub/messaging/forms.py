"""The form of a connection, made from its connector's Config, and the form of a process switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integration_hub.backoffice.words import words
from integration_hub.connectors.base import Connector
from integration_hub.kernel.errors import Misconfigured
from integration_hub.models import Connection, ProcessSwitch
from integration_hub.models.connection import ROLES, Mode

from . import switches
from .switches import Process, Setting

MAX_TEXT = 1000
MAX_WORDS = 200
_PLAIN = ("name", "slug", "role", "mode", "max_concurrent", "per_minute")


class WordsField(forms.CharField):
    """Several words, one a line; cleans to a list without blanks and repeats."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(value) or "").splitlines()]
        return list(dict.fromkeys(line for line in lines if line))[:MAX_WORDS]


class ConnectionForm(forms.Form):
    """What a connection is and how its system is reached.  Secrets are never shown again; empty keeps the stored one."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("What your people call this system.")
    )
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=40,
        validators=[RegexValidator(r"^[a-z0-9-]+$")],
        help_text=gettext_lazy(
            "Lower case letters, digits and hyphens. It is part of the webhook address and cannot be changed later."
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    mode = forms.ChoiceField(
        label=gettext_lazy("Mode"),
        choices=Mode.choices,
        help_text=gettext_lazy("Test connections never reach live ones, and live ones never reach test ones."),
    )

    max_concurrent = forms.IntegerField(
        label=gettext_lazy("Commands at a time"),
        required=False,
        min_value=1,
        max_value=50,
        help_text=gettext_lazy(
            "How many commands may be under way at this system at once, over all workers and hosts."
        ),
    )
    per_minute = forms.IntegerField(
        label=gettext_lazy("Commands per minute"),
        required=False,
        min_value=0,
        max_value=60_000,
        help_text=gettext_lazy("At most so many, over all workers and hosts. 0: as many as come."),
    )

    def __init__(self, cls: type[Connector], connection: Connection, data: Mapping[str, Any] | None = None) -> None:
        self.cls, self.connection = cls, connection
        super().__init__(data, initial=_initial(cls, connection))
        labels = dict(ROLES)
        self.fields["role"].choices = [(role.value, labels[role.value]) for role in sorted(cls.roles)]  # type: ignore[attr-defined]
        if connection.pk:
            del self.fields["slug"]
        stored = _stored_secrets(connection)
        for item in cls.options():
            self.fields[f"config_{item.name}"] = _field(item, is_set=bool(stored.get(item.name)))

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if Connection.objects.filter(slug=slug).exists():
            raise forms.ValidationError(_("Another connection has this short name."))
        return slug

    def clean_mode(self) -> str:
        mode = str(self.cleaned_data["mode"])
        if self.connection.pk and switches.crosses_modes(self.connection, mode):
            raise forms.ValidationError(_("Switch its processes off first: they would join a test and a live system."))
        return mode

    def plain(self) -> dict[str, Any]:
        """The columns of the connection itself."""
        given = {name: self.cleaned_data[name] for name in _PLAIN if name in self.fields}
        return {name: getattr(self.connection, name) if value is None else value for name, value in given.items()}

    def config(self) -> dict[str, Any]:
        """The readable settings, as they are stored."""
        secret = self.cls.secret_names()
        names = [item.name for item in self.cls.options() if item.name not in secret]
        return {name: _stored(self.cleaned_data[f"config_{name}"]) for name in names}

    def secrets(self) -> dict[str, str]:
        """The secrets that were typed; empty ones keep what is stored."""
        return {name: self.cleaned_data[f"config_{name}"] for name in self.cls.secret_names()}

    def basics(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith("config_")]

    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("config_")]


def _stored_secrets(connection: Connection) -> dict[str, str]:
    """What is kept; nothing where the key to it is lost, so that everything can be typed anew."""
    try:
        return connection.secrets
    except Misconfigured:
        return {}


def _initial(cls: type[Connector], connection: Connection) -> dict[str, Any]:
    plain = {name: getattr(connection, name) for name in _PLAIN}
    secret = cls.secret_names()
    config = {
        f"config_{item.name}": connection.config.get(item.name, _default(item))
        for item in cls.options()
        if item.name not in secret
    }
    return plain | config


def _default(item: Field[Any]) -> Any:
    return None if item.default is MISSING else item.default


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _field(item: Field[Any], *, is_set: bool) -> forms.Field:
    """The form field of one option: by its choices, its secrecy, its type."""
    meta = item.metadata
    said: dict[str, Any] = {"label": words(meta["label"]), "help_text": words(meta["help"])}
    required = item.default is MISSING
    if meta.get("secret"):
        return _secret(said, required=required, is_set=is_set)
    if meta.get("choices"):
        choices = [(code, words(text)) for code, text in meta["choices"]]
        return forms.ChoiceField(choices=choices, required="" not in dict(choices), **said)
    return _plain(str(getattr(item.type, "__name__", item.type)), said, required=required)


def _plain(kind: str, said: dict[str, Any], *, required: bool) -> forms.Field:
    if kind == "bool":
        return forms.BooleanField(required=False, **said)
    if kind == "int":
        return forms.IntegerField(required=required, min_value=0, max_value=2**31 - 1, **said)
    if kind == "Decimal":
        return forms.DecimalField(required=required, max_digits=19, decimal_places=4, **said)
    if kind.startswith("tuple"):
        return WordsField(required=required, max_length=MAX_TEXT * 10, **said)
    return forms.CharField(required=required, max_length=MAX_TEXT, **said)


def _secret(said: dict[str, Any], *, required: bool, is_set: bool) -> forms.Field:
    hint = _("Is set. Leave empty to keep it.") if is_set else _("Is not set.")
    said["help_text"] = f"{said['help_text']} {hint}".strip()
    return forms.CharField(
        required=required and not is_set,
        max_length=MAX_TEXT * 10,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        **said,
    )


class SwitchForm(forms.Form):
    """One process of a channel: on or off, with which system, since when."""

    enabled = forms.BooleanField(label=gettext_lazy("switched on"), required=False)
    target = forms.ModelChoiceField(
        label=gettext_lazy("with"), queryset=Connection.objects.none(), empty_label=gettext_lazy("choose …")
    )
    since = forms.DateTimeField(
        label=gettext_lazy("for orders placed since"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def __init__(self, process: Process, switch: ProcessSwitch | None, data: Mapping[str, Any] | None = None) -> None:
        now = timezone.localtime().replace(second=0, microsecond=0)
        initial = (
            {"enabled": switch.enabled, "target": switch.target_id, "since": timezone.localtime(switch.since)}
            if switch
            else {"since": now}
        )
        super().__init__(data, initial=initial, prefix=process.code)
        targets = Connection.objects.filter(role=process.target_role)
        self.fields["target"].queryset = targets  # type: ignore[attr-defined]
        if not switch and len(only := list(targets[:2])) == 1:
            self.initial["target"] = only[0].pk

    def setting(self) -> Setting:
        """What was filled in."""
        return Setting(**{name: self.cleaned_data[name] for name in ("enabled", "target", "since")})
