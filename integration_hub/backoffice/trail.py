"""The audit trail: which tables write it, whether they all do, and who read personal data.

The triggers follow the tables of the program as the groups follow the table of roles: brought in line after every migration.
A new table is under audit unless it is named as one that need not be.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db import connection as database
from django.db.models import Model

from integration_hub.models import audit_sql, origin
from integration_hub.models.audit import AuditEntry

_STANDING = """SELECT c.relname, array_agg(encode(t.tgargs, 'escape') ORDER BY t.tgname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgname = ANY(%s) AND t.tgenabled = 'A' GROUP BY 1 HAVING count(*) = %s"""
_READ = f"""INSERT INTO integration_hub_auditentry
  (deed, relation, row_id, actor_id, origin, program, db_user, after, digest, xid)
SELECT 'READ', %s, %s, %s, %s, coalesce(current_setting('application_name', true), ''), session_user, d.after,
  {audit_sql.DIGEST.format(before="NULL", after="d.after")}, pg_current_xact_id()::text::bigint
FROM (SELECT %s::jsonb AS after) d"""  # noqa: S608  parts of ours
MOST_IDS = 200


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the trail is about.

    ``exempt``: tables that are left out, each with its reason.  ``ignored``: columns whose change says nothing.  ``secret``:
    columns of which a fingerprint is kept.  ``always``: tables of which rows made by the hub itself are written down too.
    ``borrowed``: tables of Django's that count as ours.
    """

    exempt: Mapping[str, str]
    ignored: Mapping[str, Collection[str]] = field(default_factory=dict)
    secret: Mapping[str, Collection[str]] = field(default_factory=dict)
    always: Collection[str] = ()
    borrowed: Collection[str] = ()


_scope = Scope(exempt={})


def set_scope(scope: Scope) -> None:
    """Called once, by the roof."""
    global _scope  # noqa: PLW0603  a register like the others
    _scope = scope


def scope() -> Scope:
    return _scope


def audited() -> dict[str, list[str]]:
    """Every table under audit, with what its triggers are told."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if (_is_ours(model) or table in _scope.borrowed) and table not in _scope.exempt and not model._meta.proxy:
            found[table] = audit_sql.arguments(
                str(model._meta.pk.column),
                _scope.ignored.get(table, ()),
                _scope.secret.get(table, ()),
                always=table in _scope.always,
            )
    return found


def _is_ours(model: type[Model]) -> bool:
    path = str(model._meta.app_config.path)
    return path.startswith(str(settings.BASE_DIR)) and "site-packages" not in path


def unguarded() -> list[str]:
    """Tables under audit that lack a trigger, or whose triggers are told something else."""
    with database.cursor() as cursor:
        cursor.execute(_STANDING, [audit_sql.names(), len(audit_sql.names())])
        standing = {table: set(told) for table, told in cursor.fetchall()}
    return [table for table, told in audited().items() if standing.get(table) != {_written(told)}]


def _written(told: Iterable[str]) -> str:
    """As PostgreSQL keeps the arguments of a trigger: each ended by a zero byte."""
    return "".join(f"{value}\\000" for value in told)


def install(**_kwargs: object) -> None:
    """Put every table under audit that is not yet, or not as it should be.  Done after every migration."""
    there = set(database.introspection.table_names())
    if AuditEntry._meta.db_table not in there:
        return  # migrated back to before there was a trail
    told = audited()
    missing = [table for table in unguarded() if table in there]
    if missing:
        with database.cursor() as cursor:
            cursor.execute("\n".join(audit_sql.create(table, told[table]) for table in missing))


def write_readings(here: origin.Origin) -> None:
    """Write down which personal data was shown for this request, one entry for each table."""
    for table, ids in here.seen.items():
        _write_reading(table, ids, here)


def _write_reading(table: str, ids: list[str], here: origin.Origin) -> None:
    if not ids:
        return
    told = {"rows": len(ids)} | ({"ids": ids[:MOST_IDS]} if len(ids) > 1 else {})
    values = [table, ids[0] if len(ids) == 1 else "", here.actor(), json.dumps(here.where()), json.dumps(told)]
    with database.cursor() as cursor:
        cursor.execute(_READ, values)
