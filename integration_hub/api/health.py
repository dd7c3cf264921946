"""/healthz: this process answers.  /readyz: the database does, is migrated and guarded; and whether the workers work."""

from __future__ import annotations

import logging
from math import inf

from django.db import Error as DatabaseError
from django.db import connection as database
from django.db import transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker
from django_q.conf import Conf
from redis import RedisError

from integration_hub.messaging import pump
from integration_hub.messaging.guards import guarded_tables

from . import figures

logger = logging.getLogger(__name__)

ASKED = "readyz"  # the row among the heartbeats that is written to see whether one can be


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive; the database is not asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 while requests would go wrong; idle workers and lost kicks are said (``degraded``) but take no traffic away."""
    checks: dict[str, bool] = {"database": False, "migrations": False, "append_only": False, "writable": False}
    stale: list[str] = []
    try:
        stale = stale_lanes()
        checks |= {"database": True, "migrations": migrated(), "append_only": guarded(), "writable": writable()}
    except DatabaseError:
        database.close()
    ready, kicks = all(checks.values()), kicks_work()
    status = ("ready" if kicks and not stale else "degraded") if ready else "unready"
    said = {"status": status, "checks": checks, "kicks": kicks, "stale_lanes": stale}
    return JsonResponse(said, status=200 if ready else 503)


def writable() -> bool:
    """Whether a row can be kept: a full disk and a standby answer questions as if nothing were the matter."""
    try:
        with transaction.atomic():
            pump.beat(ASKED)
    except DatabaseError as error:
        logger.warning("nothing can be written: %s", type(error).__name__)
        return False
    return True


def kicks_work() -> bool:
    """Whether what carries the kicks answers; without it work starts a second later, by the watchdog's own look."""
    if not Conf.REDIS:
        return True
    try:
        get_broker().queue_size()
    except (RedisError, OSError):
        return False
    return True


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
