"""What got through by itself after it had failed: recorded with the tries or the steps that prove it."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType

from exceptions import healing
from exceptions.models import CaseSubject, How
from integration_hub.kernel.text import say
from integration_hub.models import Attempt, InboundEvent, OutboundCommand
from integration_hub.models.outbound import Outcome

PASSING = (Outcome.RETRY, Outcome.AMBIGUOUS)
WELL = (Outcome.DONE, Outcome.FOUND)


def event(row: InboundEvent) -> None:
    """A message that failed and then went through, without a person: what it needed had come, or was free again."""
    if row.attempts <= 1 or _had_a_case(row):
        return
    text = say(
        "%(topic)s from %(system)s went through at try %(count)s",
        topic=row.topic,
        system=row.connection.name,
        count=row.attempts,
    )
    healing.record(
        How.LATE,
        f"event:{row.pk}",
        text,
        proof={"event": row.pk, "tries": row.attempts, "answer": row.reason_code},
        subject=row,
        connection=row.connection,
        since=row.first_failed_at,
    )


def _had_a_case(row: InboundEvent) -> bool:
    """Whether it was put before people, who may have done something about it."""
    kind = ContentType.objects.get_for_model(InboundEvent)
    return CaseSubject.objects.filter(subject_type=kind, subject_id=row.pk).exists()


def command(row: OutboundCommand) -> None:
    """A command that failed in passing only, and then was done: an intermittent error."""
    made = list(Attempt.objects.filter(command_id=row.pk).order_by("number").values_list("pk", "outcome", "started_at"))
    if len(made) < 2 or made[-1][1] not in WELL or any(outcome not in PASSING for _pk, outcome, _at in made[:-1]):
        return
    text = say(
        "%(what)s in %(target)s was done at try %(count)s", what=row.verb, target=row.connection.name, count=len(made)
    )
    healing.record(
        How.INTERMITTENT,
        f"command:{row.pk}",
        text,
        proof={"command": row.pk, "attempts": [pk for pk, _outcome, _at in made]},
        subject=row.subject or row,
        connection=row.connection,
        since=made[0][2],
    )


def token_renewed(row: OutboundCommand, attempt: Attempt) -> None:
    """The target refused an expired token, took a fresh one, and then the command: all in one try."""
    if not _renewed(attempt):
        return
    healing.record(
        How.TOKEN,
        f"attempt:{attempt.pk}",
        say("%(target)s refused an expired token and took a new one", target=row.connection.name),
        proof={"command": row.pk, "attempt": attempt.pk},
        subject=row.subject or row,
        connection=row.connection,
        since=attempt.started_at,
    )


def _renewed(attempt: Attempt) -> bool:
    seen = [_status(one) for one in attempt.exchanges]
    return 401 in seen[:-1] and bool(seen) and seen[-1] is not None and 200 <= seen[-1] < 300


def _status(exchange: object) -> int | None:
    found = exchange.get("status") if isinstance(exchange, dict) else getattr(exchange, "status", None)
    return found if isinstance(found, int) else None
