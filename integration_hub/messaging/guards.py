"""Which tables of ours the database itself guards."""

from __future__ import annotations

import re
from functools import cache

from django.apps import AppConfig
from django.conf import settings
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader

_GUARD = re.compile(r"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON (\w+)")


def ours(config: AppConfig) -> bool:
    """Whether an app is one of the hub's own."""
    return str(config.path).startswith(str(settings.BASE_DIR)) and "site-packages" not in str(config.path)


@cache
def guarded_tables() -> frozenset[str]:
    """The tables that our migrations make append-only."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    statements = (
        str(operation.sql)
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, RunSQL)
    )
    return frozenset(table for sql in statements for table in _GUARD.findall(sql))
