"""``manage.py config export|import FILE``: connections, processes, mappings and shared views as one readable file.

Secrets are never in it.  On import they come from HUB_SECRET_<SLUG>_<FIELD> or are asked for; what is still missing leaves
the connection paused, and says so.
"""

from __future__ import annotations

import getpass
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError, transaction

from exceptions.models import SavedView
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.messaging import polling, switches
from integration_hub.models import Connection, ExternalReference, ProcessSwitch
from integration_hub.models.connection import ConnectionState, Mode
from inventory import services as inventory
from inventory.models import How, Variant

VERSION = 1


class Command(BaseCommand):
    """Write the configuration to a file, or bring the hub in line with one."""

    help = "Export or import connections, processes, mappings and shared views (never secrets)"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("direction", choices=["export", "import"])
        parser.add_argument("file")

    def handle(self, *_args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if options["direction"] == "export":
            path.write_text(yaml.safe_dump(exported(), allow_unicode=True, sort_keys=False))
            self.stdout.write(f"written to {path}")
            return
        for line in imported(_read(path)):
            self.stdout.write(line)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise CommandError(f"{path} is no configuration of version {VERSION}")
    return found


def exported() -> dict[str, Any]:
    """Everything but secrets, in a fixed order so that a version control shows real changes only."""
    return {
        "version": VERSION,
        "connections": [_connection(row) for row in Connection.objects.order_by("slug")],
        "processes": [_switch(row) for row in _switches()],
        "mappings": [_mapping(row) for row in _mappings()],
        "views": list(SavedView.objects.filter(owner=None).order_by("role", "name").values("name", "query", "role")),
    }


def _connection(row: Connection) -> dict[str, Any]:
    wanted = ("slug", "kind", "name", "role", "mode")
    return {name: getattr(row, name) for name in wanted} | {
        "paused": row.state == ConnectionState.PAUSED,
        "config": dict(sorted(row.config.items())),
        "secrets": sorted(row.connector_class.secret_names()),
    }


def _switches() -> Any:
    return ProcessSwitch.objects.select_related("channel", "target").order_by("channel__slug", "process")


def _switch(row: ProcessSwitch) -> dict[str, Any]:
    return {
        "channel": row.channel.slug,
        "process": row.process,
        "target": row.target.slug,
        "enabled": row.enabled,
        "since": row.since.isoformat(),
    }


def _mappings() -> Any:
    """Mappings people made: what a shop's numbers mean.  The ERP's own ids come back with its next poll."""
    rows = ExternalReference.objects.filter(kind__in=(inventory.VARIANT, inventory.SKU)).exclude(
        connection__role=Role.ERP
    )
    return rows.select_related("connection").order_by("connection__slug", "kind", "external_id")


def _mapping(row: ExternalReference) -> dict[str, Any]:
    variant = Variant.objects.get(pk=row.subject_id)
    return {
        "connection": row.connection.slug,
        "kind": row.kind,
        "name": row.external_id,
        "sku": variant.sku,
        "title": variant.title,
    }


_MISTAKES = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ValidationError,
    DataError,
    HubError,
    Connection.DoesNotExist,
)


@transaction.atomic
def imported(found: dict[str, Any]) -> list[str]:
    """Bring the hub in line; returns what was done and what is still missing, in lines."""
    try:
        said = [_take_connection(row) for row in found.get("connections", [])]
        said += [_take_switch(row) for row in found.get("processes", [])]
        said += [_take_mapping(row) for row in found.get("mappings", [])]
        for row in found.get("views", []):
            SavedView.objects.update_or_create(
                owner=None, role=row["role"], name=row["name"], defaults={"query": row["query"]}
            )
    except _MISTAKES as error:
        raise CommandError(f"the file is not right: {error!r}; nothing was changed") from error
    return said


def _take_connection(row: dict[str, Any]) -> str:
    if row["mode"] not in Mode.values or row["role"] not in list(Role) or not isinstance(row["config"], dict):
        raise CommandError(f"{row['slug']}: unknown mode or role, or no settings; nothing was changed")
    known = Connection.objects.filter(slug=row["slug"]).first()
    connection = known or Connection(slug=row["slug"])
    for name in ("kind", "name", "role", "mode", "config"):
        setattr(connection, name, row[name])
    connection.set_secrets({name: secret(row["slug"], name) for name in row["secrets"]})
    missing = sorted(set(row["secrets"]) - connection.secrets.keys())
    connection.state = ConnectionState.PAUSED if row["paused"] or missing else ConnectionState.ACTIVE
    connection.state_reason = (
        say("Secrets are missing: %(names)s", names=", ".join(missing)).as_json() if missing else {}
    )
    connection.full_clean()
    connection.save()
    polling.prepare(connection)
    return f"connection {row['slug']}: " + (f"paused, secrets missing: {', '.join(missing)}" if missing else "ready")


def secret(slug: str, name: str) -> str:
    """From the environment, else asked for where somebody sits; empty leaves a stored one."""
    variable = f"HUB_SECRET_{slug}_{name}".upper().replace("-", "_")
    if variable in os.environ or not sys.stdin.isatty():
        return os.environ.get(variable, "")
    return getpass.getpass(f"{slug} {name} (empty keeps the stored one): ")


def _take_switch(row: dict[str, Any]) -> str:
    channel, target = Connection.objects.get(slug=row["channel"]), Connection.objects.get(slug=row["target"])
    process, since = switches.process_of(row["process"]), datetime.fromisoformat(row["since"])
    if process is None or process.target_role != target.role or since.tzinfo is None:
        raise CommandError(f"{row['process']} of {channel.slug}: no such process, target or time; nothing was changed")
    if channel.mode != target.mode:
        raise CommandError(f"{channel.slug} and {target.slug} must both be test or live; nothing was changed")
    ProcessSwitch.objects.update_or_create(
        channel=channel,
        process=row["process"],
        defaults={"target": target, "enabled": bool(row["enabled"]), "since": since},
    )
    return f"process {row['process']} of {channel.slug}: {'on' if row['enabled'] else 'off'}"


def _take_mapping(row: dict[str, Any]) -> str:
    connection = Connection.objects.get(slug=row["connection"])
    known = Variant.objects.filter(sku=inventory.normalised_sku(row["sku"])).first()
    variant, made = known or inventory.make(sku=row["sku"], title=row["title"], why="config"), known is None
    name = inventory.Named(**{"product_id" if row["kind"] == inventory.VARIANT else "sku": row["name"]})
    inventory.mean(connection, name, variant, how=How.IMPORT, why="config")
    return f"mapping {row['name']} of {connection.slug}: {variant.sku}" + (" (product made)" if made else "")
