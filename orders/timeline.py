"""How an order got where it is: what was received, what the hub and people did, what was tried and what still waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from integration_hub.backoffice.words import words
from integration_hub.kernel.text import Text, say
from integration_hub.models import Activity, Attempt, InboundEvent, OutboundCommand
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState, Outcome

from .models import Order

MOST = 200

_WELL = frozenset({Outcome.DONE, Outcome.FOUND})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the timeline; ``text`` is live or stored words, ``ms`` how long it took."""

    at: datetime
    text: Text | dict[str, Any]
    tone: str = "none"
    who: str = ""
    why: str = ""
    reason: dict[str, Any] | None = None
    ms: int | None = None
    event: int | None = None
    attempt: Attempt | None = None
    changes: tuple[str, ...] = ()


def of(order: Order) -> list[Step]:
    """The steps of an order, oldest first: at most 200 of each source, the newest of them."""
    events = _events(order)
    known = {event.pk for event in events}
    activities = list(_of_subject(Activity, order).select_related("actor", "attempt", "event").order_by("-pk")[:MOST])
    told = {row.attempt_id for row in activities if row.attempt_id}
    tries = Attempt.objects.filter(command__in=_of_subject(OutboundCommand, order)).exclude(pk__in=told)
    steps = [_received(event) for event in events]
    steps += [_tried(row) for row in tries.select_related("command__connection").order_by("-pk")[:MOST]]
    # the report itself is already there as what was received
    steps += [_done(row) for row in activities if not (row.action == "orders.reported" and row.event_id in known)]
    return sorted(steps, key=lambda step: step.at)


def _of_subject(model: Any, order: Order) -> Any:
    return model.objects.filter(subject_type=ContentType.objects.get_for_model(Order), subject_id=order.pk)


def _events(order: Order) -> list[InboundEvent]:
    """What the channel said about the order, and the ERP about its sales."""
    about = Q(connection=order.channel_id, object_id=order.external_id)
    for sale in order.sales.all():
        about |= Q(connection=sale.connection_id, object_id=sale.external_id)
    rows = InboundEvent.objects.filter(about).select_related("connection").defer("body", "context")
    return list(rows.order_by("-pk")[:MOST])


_TONES = {EventState.DONE: "info", EventState.PARKED: "bad", EventState.IGNORED: "none"}


def _received(event: InboundEvent) -> Step:
    text = say(
        "Received from %(channel)s: %(topic)s (%(door)s)",
        channel=event.connection.name,
        topic=event.topic,
        door=event.door,
    )
    return Step(
        at=event.received_at,
        text=text,
        tone=_TONES.get(EventState(event.state), "warn"),
        reason=event.reason or None,
        ms=_between(event.received_at, event.finished_at),
        event=event.pk,
    )


def _between(start: datetime, end: datetime | None) -> int | None:
    return max(round((end - start) / timedelta(milliseconds=1)), 0) if end else None


def _tried(attempt: Attempt) -> Step:
    text = say(
        "Try %(number)s at %(target)s: %(outcome)s",
        number=attempt.number,
        target=attempt.command.connection.name,
        outcome=attempt.outcome,
    )
    return Step(
        at=attempt.started_at,
        text=text,
        tone="good" if attempt.outcome in _WELL else "bad",
        reason=attempt.reason or None,
        ms=attempt.ms,
        attempt=attempt,
    )


def _done(row: Activity) -> Step:
    step = Step(
        at=row.at,
        text=row.text,
        tone=_tone(row),
        who=row.actor.get_full_name() or row.actor.get_username() if row.actor else row.system,
        why=row.why,
        ms=row.ms,
        event=row.event_id,
        changes=_changes(row),
    )
    return replace(step, attempt=row.attempt) if row.attempt else step


def _tone(row: Activity) -> str:
    if row.action in ("orders.written", "orders.shipped") or row.action.startswith("orders.shop."):
        return "good"
    to = row.text.get("params", {}).get("to", "")
    return {"ACCEPTED": "good", "HELD": "bad", "WAITING": "warn"}.get(to, "none")


def _changes(row: Activity) -> tuple[str, ...]:
    found = row.data.get("changes", [])
    return (
        tuple(words(item) if isinstance(item, dict) else str(item) for item in found[:20])
        if isinstance(found, list)
        else ()
    )


def still_to_come(order: Order) -> list[OutboundCommand]:
    """Commands of the order that were not carried out yet, oldest first."""
    rows = _of_subject(OutboundCommand, order).filter(
        state__in=[CommandState.DUE, CommandState.LEASED, CommandState.PARKED]
    )
    return list(rows.select_related("connection").order_by("pk"))
