"""/healthz: this process answers.  /readyz: the database does, is migrated and guarded; and whether the workers work."""

from __future__ import annotations

from math import inf

from django.db import Error as DatabaseError
from django.db import connection as database
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from integration_hub.messaging import pump
from integration_hub.messaging.guards import guarded_tables

from . import figures


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive; the database is not asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 while requests would go wrong; idle workers are said (``degraded``) but take no traffic away."""
    checks: dict[str, object] = {"database": False, "migrations": False, "append_only": False}
    stale: list[str] = []
    try:
        stale = stale_lanes()
        checks |= {"database": True, "migrations": migrated(), "append_only": guarded()}
    except DatabaseError:
        database.close()
    ready = all(checks.values())
    status = ("degraded" if stale else "ready") if ready else "unready"
    return JsonResponse({"status": status, "checks": checks, "stale_lanes": stale}, status=200 if ready else 503)


def stale_lanes() -> list[str]:
    """The lanes where work is due and nobody has worked for a while; a lane without work may rest."""
    ages = figures.heartbeats()
    return [lane for lane in pump.LANES if ages.get(lane, inf) > figures.STALE_SECONDS and pump.is_due(lane)]


def migrated() -> bool:
    """Whether every migration of this version is applied."""
    loader = MigrationLoader(database)
    applied = set(loader.applied_migrations)
    return all(leaf in applied for leaf in loader.graph.leaf_nodes())


def guarded() -> bool:
    """Whether each of them still has its trigger, in the mode that no session can switch off."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = 'append_only_rows' AND t.tgenabled = 'A' AND c.relname = ANY(%s)",
            [list(guarded_tables())],
        )
        return {row[0] for row in cursor.fetchall()} == guarded_tables()
