"""Work on many at once.  Each row is done in one transaction with its own result: killed in between, it is done again as if
it had not begun; done once, it is never done twice.

A claim counts the try in a transaction of its own, so that a row which kills its workers is found and put aside.  Whoever
works a row holds its lock, so nobody else takes it, however long it lasts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.db.models import Count
from django.db.models.functions import Now

from integration_hub.backoffice.actions import Invalid, perform
from integration_hub.kernel.errors import HubError, RetryLater
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from integration_hub.models.patience import patiently

from . import actions, services
from .kinds import kind_of
from .models import CaseSubject, ExceptionCase, Job, JobRow, RowState

logger = logging.getLogger(__name__)
AT_ONCE = 20  # so many are done while the page waits
MOST = 5000
TRIES = 3  # of a row whose worker dies
PATIENCE = 60  # tries of a row that waits for something, a few seconds apart

_CLAIM = """
UPDATE exceptions_jobrow SET tries = tries + 1, due_at = statement_timestamp() + interval '5 seconds'
WHERE id = (SELECT id FROM exceptions_jobrow WHERE state = 'WAITING' AND due_at <= statement_timestamp() {only}
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_FINISH = """
UPDATE exceptions_job j SET finished_at = statement_timestamp() WHERE finished_at IS NULL {only}
  AND NOT EXISTS (SELECT 1 FROM exceptions_jobrow r WHERE r.job_id = j.id AND r.state = 'WAITING')
"""


def for_cases(
    action: str, cases: Sequence[ExceptionCase], *, by: User, data: Mapping[str, Any], key: UUID, **more: Any
) -> Job:
    """A job that does this action to these cases; the same key of the same person is the same job."""
    rows = [JobRow(case=case, label=case.cause[:160], seen=_unseen(action, case)) for case in cases[:MOST]]
    return _make(Job(key=key, action=action, data=dict(data), by=by, **more), rows)


def for_objects(case: ExceptionCase, *, by: User | None) -> Job:
    """A job that lets every object the case holds up run again."""
    held = case.subjects.filter(open=True).order_by("subject_type_id", "subject_id")
    rows = [_object_row(row) for row in held.iterator()]
    return _make(Job(key=uuid4(), case=case, by=by, title=say("Process again").as_json()), rows)


def _object_row(row: CaseSubject, job: Job | None = None) -> JobRow:
    return JobRow(job=job, subject_type_id=row.subject_type_id, subject_id=row.subject_id, label=row.label)


def _top_up(job: Job, case: ExceptionCase) -> int:
    """Objects that are held up still have another turn in the job that runs already."""
    held = case.subjects.filter(open=True)
    with transaction.atomic():
        mine = JobRow.objects.filter(job=job).exclude(state=RowState.WAITING)
        mine.filter(subject_id__in=held.values("subject_id")).update(
            state=RowState.WAITING, done_at=None, due_at=Now(), tries=0, text={}
        )
        JobRow.objects.bulk_create([_object_row(row, job) for row in held], ignore_conflicts=True, batch_size=1000)
    return held.count()


def _make(job: Job, rows: Iterable[JobRow]) -> Job:
    with transaction.atomic():
        made = Job.objects.bulk_create([job], ignore_conflicts=True)
        found = Job.objects.get(key=made[0].key, by=job.by)
        if not JobRow.objects.filter(job=found).exists():
            for row in (rows := list(rows)):
                row.job = found
            JobRow.objects.bulk_create(rows, batch_size=1000)
    _finish(found.pk)
    return found


def _unseen(action: str, case: ExceptionCase) -> dict[str, Any]:
    """What the action's form holds without showing it (which figures were seen), as it is now."""
    found = actions.by_code(case, action)
    if not found or not found.form or not (hidden := _hidden(found.form)):
        return {}
    initial = found.initial(case)
    return {name: initial[name] for name in hidden if name in initial}


def _hidden(form: Any) -> list[str]:
    return [name for name, field in form.base_fields.items() if field.widget.is_hidden]


def work() -> int:
    """Do one row that is due; returns 1, or 0 when none is."""
    if (row := _claim()) is None:
        with connection.cursor() as cursor:
            cursor.execute(_FINISH.format(only=""))
        return 0
    _do(row)
    return 1


def finish_now(job: Job) -> None:
    """Do the rows of a small job while the person waits; whatever is left is the workers'."""
    for _row in range(AT_ONCE):
        if (row := _claim(job.pk)) is None:
            break
        _do(row)


def may_stop(job: Job, user: User) -> bool:
    """Who began it, and administrators."""
    return job.by_id == user.pk or user.has_perm("exceptions.change_job")


def stop(job: Job) -> int:
    """Do no more of it; returns how many rows were left.  A row that is being worked on is finished."""
    left = JobRow.objects.filter(job=job, state=RowState.WAITING).select_for_update(skip_locked=True)
    with transaction.atomic():
        ids = list(left.values_list("pk", flat=True))
        stopped = JobRow.objects.filter(pk__in=ids).update(
            state=RowState.STOPPED, done_at=Now(), text=say("Stopped before its turn").as_json()
        )
    _finish(job.pk)
    return stopped


_trying: ContextVar[bool] = ContextVar("trying", default=False)


@contextmanager
def trying() -> Iterator[None]:
    """What runs inside is undone afterwards: only the first objects are run again, at once."""
    token = _trying.set(True)
    try:
        yield
    finally:
        _trying.reset(token)


def again(case: ExceptionCase, *, by: User | None = None) -> int:
    """Let everything the case holds up run again: a few at once, many in the background.  Returns how many."""
    one, by = kind_of(case.kind).one, by or services.acting()
    assert one is not None  # noqa: S101  only kinds that say how are asked
    if not _trying.get() and (running := Job.objects.filter(case=case, finished_at=None).first()):
        return _top_up(running, case)
    held = list(case.subjects.filter(open=True).order_by("subject_type_id", "subject_id")[: AT_ONCE + 1])
    if len(held) > AT_ONCE and not _trying.get():
        return for_objects(case, by=by).rows.count()
    for subject in held[:AT_ONCE]:
        one(subject.subject_id, by)
    return case.size if len(held) > AT_ONCE else len(held)


def counts(job: Job) -> dict[str, int]:
    """How many rows there are, and how many of each state."""
    return counts_of([job])[job.pk]


def counts_of(some: Sequence[Job]) -> dict[int, dict[str, int]]:
    """The counts of several jobs, in one query."""
    found = {job.pk: {state.lower(): 0 for state in RowState.values} | {"total": 0} for job in some}
    rows = JobRow.objects.filter(job__in=some).values_list("job", "state")
    for job, state, number in rows.annotate(number=Count("pk")):
        found[job][state.lower()] += number
        found[job]["total"] += number
    return found


def _claim(job: int | None = None) -> int | None:
    only = "AND job_id = %s" if job else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(only=only), [job] if job else [])
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _do(pk: int) -> None:
    job = patiently(lambda: _one(pk))
    if job:
        _finish(job)


@transaction.atomic
def _one(pk: int) -> int | None:
    """Do the row and write down what came of it, both or neither."""
    rows = JobRow.objects.select_for_update(of=("self",), skip_locked=True).select_related("job", "case", "job__by")
    row = rows.filter(pk=pk, state=RowState.WAITING).first()
    if row is None:
        return None
    if row.tries > (PATIENCE if row.text else TRIES):
        _over(row, RowState.FAILED, row.text or say("Its worker died over it, several times.").as_json())
        return row.job_id
    try:
        with transaction.atomic():
            text = _act(row) if row.case_id else _run(row)
    except RetryLater as error:
        JobRow.objects.filter(pk=pk).update(text=error.text.as_json())  # due again when the claim runs out
    except (HubError, PermissionDenied) as error:
        _over(row, RowState.FAILED, _reason(error).as_json())
    except OperationalError:
        raise  # a lost race is run again at once; a database that fails leaves the row as it was
    except Exception:  # the edge that records: the other rows go on
        trace = uuid4().hex[:12]
        logger.exception("defect %s: row %s of job %s", trace, row.pk, row.job_id)
        _over(row, RowState.FAILED, say("A defect of the hub (trace %(trace)s).", trace=trace).as_json())
    else:
        _over(row, RowState.DONE, text.as_json())
    return row.job_id


def _over(row: JobRow, state: RowState, text: Mapping[str, Any]) -> None:
    JobRow.objects.filter(pk=row.pk).update(state=state, text=dict(text), done_at=Now())


def _act(row: JobRow) -> Text:
    """The action on the case, in the name of who asked for it; permissions are looked at now."""
    case, by = row.case, row.job.by
    action = actions.by_code(case, row.job.action) if case else None
    if case is None or by is None or action is None:
        raise HubError(say("This exception does not offer that."))
    return perform(action, case, by=by, data=row.job.data | row.seen)


def _run(row: JobRow) -> Text:
    case = row.job.case
    one: Callable[[int, User | None], Any] | None = kind_of(case.kind).one if case else None
    if one is None or row.subject_id is None:
        raise HubError(say("Nobody says how this runs again."))
    one(row.subject_id, row.job.by)
    held = CaseSubject.objects.filter(case=case, subject_type=row.subject_type_id, subject_id=row.subject_id, open=True)
    if held.exists():
        raise HubError(say("It was processed again; the cause is still there."))
    return say("Runs on")


def _reason(error: HubError | PermissionDenied) -> Text:
    if isinstance(error, Invalid):
        said = [item["message"] for places in error.errors.values() for item in places]
        return say("%(why)s", why=" ".join(said)) if said else error.text
    return error.text if isinstance(error, HubError) else say("You may not do this.")


def _finish(job: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FINISH.format(only="AND j.id = %s"), [job])
