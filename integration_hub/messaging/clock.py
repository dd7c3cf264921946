"""The one clock that counts where hosts are apart: the database's."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database


def now() -> datetime:
    """The database's time, UTC-aware."""
    with database.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        row = cursor.fetchone()
    found: datetime = row[0]
    return found
