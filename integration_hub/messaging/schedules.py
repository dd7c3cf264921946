"""What runs when.  Due times are rows of ours, claimed like any other work: a duty runs once, whoever is there to do it.

A duty is short (well below the lane's 20 seconds) or does a part of its work and says so.  A worker that dies leaves a lease
that runs out; a clock that jumps changes nothing, since only the database's counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.apps import AppConfig
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.text import Text, say
from integration_hub.models import Duty

from . import tries

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something done by the clock: every so often, or ``at`` a time of day of the merchant's.

    ``run`` returns what came of it, as JSON; it is safe to run twice and is run again soon after it failed.
    """

    name: str
    label: Any
    every: timedelta = DAY
    at: time | None = None
    run: Callable[[], Mapping[str, Any]]

    def next_after(self, moment: datetime) -> datetime:
        """When it is next due after this moment."""
        if self.at is None:
            return moment + self.every
        local = timezone.localtime(moment)
        at = timezone.make_aware(datetime.combine(local.date(), self.at))
        return at if at > moment else timezone.make_aware(datetime.combine(local.date() + DAY, self.at))


_tasks: dict[str, Task] = {}

_CLAIM = """
UPDATE integration_hub_duty SET lease_token = %s, due_at = statement_timestamp() + %s,
  failures = failures + CASE WHEN lease_token IS NULL THEN 0 ELSE 1 END WHERE id = (
  SELECT id FROM integration_hub_duty WHERE due_at <= statement_timestamp()
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def register(tasks: Iterable[Task]) -> None:
    """Called once, by the wiring."""
    _tasks.update({task.name: task for task in tasks})


def tasks() -> list[Task]:
    return list(_tasks.values())


def prepare(sender: AppConfig | None = None, **_kwargs: Any) -> None:
    """Make the rows of duties that are new, each due at its first time.  Done after every migration."""
    known = set(Duty.objects.values_list("name", flat=True))
    now = timezone.now()
    rows = [Duty(name=task.name, due_at=task.next_after(now)) for task in _tasks.values() if task.name not in known]
    Duty.objects.bulk_create(rows, ignore_conflicts=True)


def run_now(name: str) -> None:
    """Make a duty due."""
    Duty.objects.filter(name=name).update(due_at=Now())


def work() -> int:
    """Do one due duty; returns 1, or 0 when none is due."""
    claim: list[Any] = [uuid4(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, claim)
        row = cursor.fetchone()
    if not row:
        return 0
    duty = Duty.objects.get(pk=row[0])
    task = _tasks.get(duty.name)
    if task is None:
        duty.delete()
    else:
        _do(duty, task)
    return 1


def _do(duty: Duty, task: Task) -> None:
    try:
        result = dict(task.run())
    except OperationalError as error:
        logger.warning("duty %s: %s", duty.name, type(error).__name__)
        _failed(duty, say("The database was busy."))
    except Exception as error:  # the edge that records: anything else is our own mistake
        logger.exception("duty %s failed", duty.name)
        _failed(duty, say("A defect of the hub (%(error)s).", error=type(error).__name__))
        _open_case(duty, type(error).__name__)
    else:
        _done(duty, task, result)


def _done(duty: Duty, task: Task, result: dict[str, Any]) -> None:
    """The next time counts from now, so what was missed while nobody worked is done once, not many times."""
    now = timezone.now()
    mine = Duty.objects.filter(pk=duty.pk, lease_token=duty.lease_token)
    mine.update(lease_token=None, due_at=task.next_after(now), failures=0, last_run_at=now, last_result=result)
    if duty.failures:
        cases.clear(duty, causes=[_cause(duty)])


def _failed(duty: Duty, text: Text) -> None:
    Duty.objects.filter(pk=duty.pk, lease_token=duty.lease_token).update(
        lease_token=None,
        due_at=Now() + tries.backoff(duty.failures + 4),
        failures=F("failures") + 1,
        last_result={"error": text.as_json()},
    )


def _cause(duty: Duty) -> str:
    return f"duty:{duty.name}"


def _open_case(duty: Duty, error: str) -> None:
    cases.open_case(
        Trouble(
            kind="defect",
            cause=_cause(duty),
            params={"connection": "", "topic": duty.name, "object": ""},
            expected=say("What is done by the clock goes through"),
            found=say("A defect of the hub (%(error)s).", error=error),
        ),
        duty,
    )
