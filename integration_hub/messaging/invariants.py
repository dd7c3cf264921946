"""What must always be true of messages, commands, their tries, and of the guards of the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant, dangling
from integration_hub.models import InboundEvent

from . import guards, schedules

OVERDUE = timedelta(days=1)
IDLE = timedelta(minutes=15)


def _leases() -> dict[str, Any]:
    """A lease that ran out is taken over at once; one more of the same length later nobody has."""
    names = {"event": "HUB_EVENT_LEASE", "command": "HUB_COMMAND_LEASE", "poll": "HUB_POLL_LEASE"}
    found: dict[str, Any] = {name: _span(getattr(settings, setting)) for name, setting in names.items()}
    return found | {"duty": schedules.LEASE}


def _span(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


def _events() -> dict[str, Any]:
    return {"event": ContentType.objects.get_for_model(InboundEvent).pk}


def _overdue() -> dict[str, Any]:
    return {"overdue": OVERDUE}


def _hub_tables() -> dict[str, Any]:
    """Tables and constraints that the models of our own apps declare."""
    labels = {config.label for config in apps.get_app_configs() if guards.ours(config)}
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in labels]
    named = [(model._meta.db_table, rule.name) for model in models for rule in model._meta.constraints]
    return {"tables": [table for table, _name in named], "names": [name for _table, name in named]}


_STATED_CASE = """
  SELECT 1 FROM exceptions_exceptioncase e JOIN exceptions_casesubject s ON s.case_id = e.id
  WHERE ((e.state = 'OPEN' AND s.open) OR e.state = 'DISMISSED')"""

MESSAGES = (
    Invariant(
        code="event_is_finished",
        title=_("An event that is over has the time of its end, and only such an event"),
        sql="""
        SELECT id FROM integration_hub_inboundevent
        WHERE (state IN ('DONE', 'IGNORED', 'PARKED')) <> (finished_at IS NOT NULL)
        """,
    ),
    Invariant(
        code="parked_event_has_case",
        title=_("A parked event has an exception that is open or was closed by a person"),
        sql=f"""
        SELECT q.id FROM integration_hub_inboundevent q WHERE q.state = 'PARKED' AND NOT EXISTS ({_STATED_CASE}
          AND s.subject_type_id = %(event)s AND s.subject_id = q.id)
        """,  # noqa: S608  our own statements
        params=_events,
    ),
    Invariant(
        code="parked_command_has_case",
        title=_("A parked command has an exception that is open or was closed by a person"),
        sql=f"""
        SELECT q.id FROM integration_hub_outboundcommand q WHERE q.state = 'PARKED' AND NOT EXISTS ({_STATED_CASE}
          AND e.cause = 'command:' || q.id)
        """,  # noqa: S608  our own statements
    ),
    Invariant(
        code="lease_is_not_forgotten",
        title=_("Nothing is leased for longer than twice its lease"),
        sql="""
        SELECT 'event ' || q.id FROM integration_hub_inboundevent q JOIN integration_hub_connection c
          ON c.id = q.connection_id AND c.state <> 'PAUSED'
          WHERE q.state = 'LEASED' AND q.due_at < statement_timestamp() - %(event)s
        UNION ALL SELECT 'command ' || q.id FROM integration_hub_outboundcommand q JOIN integration_hub_connection c
          ON c.id = q.connection_id AND c.state = 'ACTIVE'
          WHERE q.state = 'LEASED' AND q.due_at < statement_timestamp() - %(command)s
          AND NOT EXISTS (SELECT 1 FROM integration_hub_breaker b WHERE b.connection_id = c.id AND b.state <> 'CLOSED')
        UNION ALL SELECT 'poll ' || q.id FROM integration_hub_pollstate q JOIN integration_hub_connection c
          ON c.id = q.connection_id AND c.state = 'ACTIVE'
          WHERE q.lease_token IS NOT NULL AND q.due_at < statement_timestamp() - %(poll)s
          AND NOT EXISTS (SELECT 1 FROM integration_hub_breaker b WHERE b.connection_id = c.id AND b.state <> 'CLOSED')
        UNION ALL SELECT 'duty ' || name FROM integration_hub_duty
          WHERE lease_token IS NOT NULL AND due_at < statement_timestamp() - %(duty)s
        """,
        params=_leases,
    ),
    Invariant(
        code="nothing_is_overdue_in_silence",
        title=_("Nothing has been due for more than a day without an exception"),
        sql="""
        SELECT 'command ' || q.id FROM integration_hub_outboundcommand q JOIN integration_hub_connection c
          ON c.id = q.connection_id AND c.state = 'ACTIVE'
          WHERE q.state = 'DUE' AND q.due_at < statement_timestamp() - %(overdue)s
          AND NOT EXISTS (SELECT 1 FROM integration_hub_outboundcommand p WHERE p.connection_id = q.connection_id
            AND p.subject_type_id = q.subject_type_id AND p.subject_id = q.subject_id AND p.id < q.id
            AND p.state IN ('DUE', 'LEASED', 'PARKED'))
          AND NOT EXISTS (SELECT 1 FROM exceptions_exceptioncase e WHERE e.state = 'OPEN' AND e.connection_id = c.id)
        UNION ALL SELECT 'event ' || q.id FROM integration_hub_inboundevent q JOIN integration_hub_connection c
          ON c.id = q.connection_id AND c.state <> 'PAUSED'
          WHERE q.state = 'DUE' AND q.due_at < statement_timestamp() - %(overdue)s
          AND NOT EXISTS (SELECT 1 FROM exceptions_exceptioncase e WHERE e.state = 'OPEN' AND e.connection_id = c.id)
        """,
        params=_overdue,
    ),
    Invariant(
        code="command_is_finished",
        title=_("A command that is over has the time of its end, and only such a command"),
        sql="""
        SELECT id FROM integration_hub_outboundcommand
        WHERE (state IN ('DONE', 'CANCELLED')) <> (finished_at IS NOT NULL)
        """,
    ),
    Invariant(
        code="done_command_has_proof",
        title=_("A command that is done has a try that did it or found it done"),
        sql="""
        SELECT q.id FROM integration_hub_outboundcommand q WHERE q.state = 'DONE' AND NOT EXISTS (
          SELECT 1 FROM integration_hub_attempt a WHERE a.command_id = q.id AND a.outcome IN ('DONE', 'FOUND'))
        """,
    ),
    Invariant(
        code="tries_are_numbered",
        title=_("The tries of a command are numbered from one without gaps"),
        sql="""
        SELECT command_id FROM integration_hub_attempt GROUP BY command_id
        HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)
        """,
    ),
    Invariant(
        code="command_subject_exists",
        title=_("What a command is about exists"),
        sql=dangling("integration_hub_outboundcommand"),
    ),
    Invariant(
        code="reference_leads_somewhere",
        title=_("What is known elsewhere under a name exists here"),
        sql=dangling("integration_hub_externalreference"),
    ),
    Invariant(
        code="workers_are_at_work",
        title=_("Where work is due, workers have been at it in the last quarter of an hour"),
        sql="""
        SELECT 'events' WHERE EXISTS (SELECT 1 FROM integration_hub_inboundevent q JOIN integration_hub_connection c
            ON c.id = q.connection_id AND c.state <> 'PAUSED'
            WHERE q.state = 'DUE' AND q.due_at < statement_timestamp() - %(idle)s)
          AND NOT EXISTS (SELECT 1 FROM integration_hub_heartbeat WHERE lane LIKE '%%in' AND at > statement_timestamp() - %(idle)s)
        UNION ALL SELECT 'duties' WHERE EXISTS (SELECT 1 FROM integration_hub_duty WHERE due_at < statement_timestamp() - %(idle)s)
          AND NOT EXISTS (SELECT 1 FROM integration_hub_heartbeat WHERE lane = 'duty' AND at > statement_timestamp() - %(idle)s)
        """,
        params=lambda: {"idle": IDLE},
    ),
)

GUARDS = (
    Invariant(
        code="ledgers_only_grow",
        title=_("Tries and activity are guarded against change and deletion, whoever asks"),
        sql="""
        SELECT t || ' ' || g FROM unnest(%(tables)s::text[]) a (t)
        CROSS JOIN unnest(ARRAY['append_only_rows', 'append_only_table']) b (g)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger x WHERE x.tgrelid = to_regclass(t) AND x.tgname = g AND x.tgenabled = 'A')
        """,
        params=lambda: {"tables": sorted(guards.guarded_tables())},
    ),
    Invariant(
        code="constraints_are_there",
        title=_("Every constraint that the hub relies on is in the database and valid"),
        sql="""
        SELECT wanted.t || ' ' || wanted.n FROM unnest(%(tables)s::text[], %(names)s::text[]) wanted (t, n)
        WHERE NOT EXISTS (SELECT 1 FROM pg_constraint x
            WHERE x.conrelid = to_regclass(wanted.t) AND x.conname = wanted.n AND x.convalidated)
          AND NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_class k ON k.oid = i.indexrelid
            WHERE i.indrelid = to_regclass(wanted.t) AND k.relname = wanted.n AND i.indisunique AND i.indisvalid)
        UNION ALL SELECT x.conrelid::regclass || ' ' || x.conname FROM pg_constraint x
        WHERE NOT x.convalidated AND x.conrelid::regclass::text = ANY(%(tables)s)
        """,
        params=_hub_tables,
    ),
)

INVARIANTS = (*MESSAGES, *GUARDS)
