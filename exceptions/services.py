"""The verbs of the exception list: open, clear, close, rerun.  The only writers of cases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from integration_hub.kernel import codec
from integration_hub.kernel.errors import NotNow, RetryLater
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import approvals, healing, levels, roots
from .kinds import kind_of
from .models import CaseState, CaseSubject, CloseCode, ExceptionCase, How, Waits


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is wrong with one object: ``cause`` names the root, shared by all objects that suffer from it."""

    kind: str
    cause: str
    params: Mapping[str, Any] = field(default_factory=dict)
    expected: Text | None = None
    found: Text | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None  # a deadline from outside; else by the service levels


@dataclass(frozen=True, kw_only=True)
class Stake:
    """What hangs on it: a label for the list and the money at risk."""

    label: str
    amount: Decimal = Decimal(0)
    currency: str = "EUR"


class HasStake(Protocol):
    """An object that says what hangs on it."""

    def stake(self) -> tuple[str, Decimal, str]: ...


def stake_of(subject: Any) -> Stake:
    """The stake of an object: its own word (label, amount, currency), else its name and nothing."""
    if callable(getattr(subject, "stake", None)):
        label, amount, currency = subject.stake()
        return Stake(label=label[:160], amount=amount, currency=currency)
    return Stake(label=str(subject)[:160])


@transaction.atomic
def open_case(
    trouble: Trouble, subject: models.Model, *, connection: Connection | None = None, event_id: int | None = None
) -> ExceptionCase:
    """Open a case, or add to the open one of the same cause.  The same trouble on the same subject is one case."""
    stake = stake_of(subject)
    case, made = _case(trouble, stake, connection)
    row, _added = CaseSubject.objects.update_or_create(
        case=case,
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        defaults={
            "label": stake.label,
            "amount": stake.amount,
            "currency": stake.currency,
            "open": True,
            "event_id": event_id,
        },
    )
    if not made:
        ExceptionCase.objects.filter(pk=case.pk).update(
            occurrences=F("occurrences") + 1,
            last_seen_at=Now(),
            expected=_json(trouble.expected),
            found=_json(trouble.found),
            params=dict(trouble.params),
            data=dict(trouble.data),
            **({"due_at": trouble.due_at, "due_fixed": True} if trouble.due_at else {}),
        )
    else:
        note(case, "exceptions.opened", say("Opened: %(subject)s", subject=row.label), system="hub")
    before = case.amount
    _measure(case)
    case.refresh_from_db()
    if (made or case.amount != before) and levels.weigh(case):
        case.save(update_fields=["severity", "due_at"])
    return case


def _case(trouble: Trouble, stake: Stake, connection: Connection | None) -> tuple[ExceptionCase, bool]:
    """The open case of this cause, locked, and whether it is new.  A case that closes meanwhile makes room for another."""
    for _try in range(3):
        ExceptionCase.objects.bulk_create([_fresh(trouble, stake, connection)], ignore_conflicts=True)
        found = ExceptionCase.objects.select_for_update(of=("self",)).filter(
            kind=trouble.kind, cause=trouble.cause[:200], state=CaseState.OPEN
        )
        if case := found.first():
            return case, not case.subjects.exists()
    raise RetryLater(say("This case is being closed; try again."))


def _fresh(trouble: Trouble, stake: Stake, connection: Connection | None) -> ExceptionCase:
    kind = kind_of(trouble.kind)
    return ExceptionCase(
        kind=trouble.kind,
        cause=trouble.cause[:200],
        params=dict(trouble.params),
        data=dict(trouble.data),
        expected=_json(trouble.expected),
        found=_json(trouble.found),
        connection=connection,
        currency=stake.currency,
        role=kind.role,
        root=roots.root_of(trouble.kind, connection.pk if connection else None, trouble.cause[:200], trouble.found),
        due_at=trouble.due_at or timezone.now() + kind.due,  # weighed once its amount is known
        due_fixed=trouble.due_at is not None,
    )


def figures(case: ExceptionCase | Trouble) -> str:
    """A fingerprint of what is shown as the trouble, so that who accepts it accepts just that."""
    if isinstance(case, Trouble):
        said = [case.cause[:200], _json(case.expected), _json(case.found)]
    else:
        said = [case.cause, case.expected, case.found]
    return hashlib.sha256(codec.canonical(said)).hexdigest()


def _json(text: Text | None) -> dict[str, Any]:
    return text.as_json() if text else {}


def _measure(case: ExceptionCase) -> int:
    """Recompute how many objects a case holds up and the money in them; returns the number."""
    held = case.subjects.filter(open=True)
    sums = held.aggregate(size=Count("pk"), amount=Sum("amount", filter=Q(currency=case.currency)))
    ExceptionCase.objects.filter(pk=case.pk).update(size=sums["size"], amount=sums["amount"] or 0)
    return int(sums["size"])


def settle(
    subject: models.Model,
    *,
    kinds: Iterable[str],
    still: Iterable[tuple[str, str]] = (),
    by: User | None = None,
) -> None:
    """Say which troubles of these kinds the subject still has; the others let go of it, and empty cases close.

    ``by`` is who brought that about; None when it came about by itself.
    """
    kept = {(kind, cause[:200]) for kind, cause in still}
    rows = CaseSubject.objects.filter(
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        open=True,
        case__state=CaseState.OPEN,
        case__kind__in=list(kinds),
    ).select_related("case")
    for row in rows.order_by("case_id"):
        if (row.case.kind, row.case.cause) not in kept:
            _release(row, by)


def clear(subject: models.Model, *, causes: Iterable[str], how: How = How.CAUSE_GONE) -> int:
    """Say that these causes hold the subject up no more; empty cases close.  Returns how many closed."""
    rows = CaseSubject.objects.filter(
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        open=True,
        case__state=CaseState.OPEN,
        case__cause__in=[cause[:200] for cause in causes],
    )
    return sum(_release(row, None, how) for row in rows.order_by("case_id"))


@transaction.atomic
def _release(row: CaseSubject, by: User | None, how: How = How.CAUSE_GONE) -> bool:
    """Let go of one object; whether that closed the case."""
    by = by or acting()
    case = ExceptionCase.objects.select_for_update(of=("self",)).get(pk=row.case_id)
    CaseSubject.objects.filter(pk=row.pk).update(open=False)
    if _measure(case) or case.state != CaseState.OPEN:
        return False
    _close(case, CaseState.SOLVED, by=by)
    text = say("Solved: the cause is gone.")
    note(case, "exceptions.solved", text, by=by, system="" if by else "hub")
    if by is None:
        proof = healing.proof_of(row.subject_type_id, row.subject_id)
        healing.record(
            how,
            f"case:{case.pk}:{case.reopened}",
            text,
            proof=proof,
            connection=case.connection,
            case=case,
            since=case.first_seen_at,
        )
    return True


def _close(
    case: ExceptionCase, state: CaseState, *, by: User | None = None, code: CloseCode | str = "", why: str = ""
) -> None:
    case.state, case.closed_at, case.closed_by = state, timezone.now(), by
    case.close_code, case.close_reason = code, why
    case.waits_for, case.waits_until = "", None
    case.save(update_fields=["state", "closed_at", "closed_by", "close_code", "close_reason", *_WAITING])
    approvals.withdraw_all(case)


_WAITING = ("waits_for", "waits_until")


def dismiss(case: ExceptionCase, *, by: User, code: CloseCode | str, why: str) -> None:
    """Close without a fix, with a reason; what it held up is let go as it is."""
    _close(case, CaseState.DISMISSED, by=by, code=code, why=why)
    case.subjects.filter(open=True).update(open=False, let_go=True)


def reopen(case: ExceptionCase) -> None:
    """Open a closed case again with everything it held up last.  NotNow where a newer one of the same cause is open."""
    same = ExceptionCase.objects.open().filter(kind=case.kind, cause=case.cause)
    if newer := same.first():
        raise NotNow(say("The same trouble is open already, as exception %(number)s.", number=newer.pk))
    held = case.subjects.filter(let_go=True) if case.state == CaseState.DISMISSED else case.subjects.all()
    if not held.update(open=True, let_go=False):
        raise NotNow(say("This exception held nothing up that could be held again."))
    case.state, case.closed_at, case.closed_by = CaseState.OPEN, None, None
    case.close_code, case.close_reason, case.reopened = "", "", case.reopened + 1
    case.save(update_fields=["state", "closed_at", "closed_by", "close_code", "close_reason", "reopened"])
    _measure(case)
    case.refresh_from_db()
    levels.weigh(case)
    case.save(update_fields=["severity", "due_at"])


def wait(case: ExceptionCase, *, on: Waits | str, until: datetime | None) -> None:
    """Say whose turn it is: the case leaves the lists of what is to be done, until that time if there is one."""
    case.waits_for, case.waits_until = on, until
    case.save(update_fields=_WAITING)


def go_on(case: ExceptionCase) -> None:
    """It is our turn again."""
    wait(case, on="", until=None)


def assign(case: ExceptionCase, *, to: User | None) -> None:
    case.assignee = to
    case.save(update_fields=["assignee"])


_acting: ContextVar[User | None] = ContextVar("acting", default=None)


def acting() -> User | None:
    """Who lets things run again here, however deep below."""
    return _acting.get()


def rerun(case: ExceptionCase, *, by: User | None = None) -> int:
    """Let everything the case holds up run again; returns how many.  What closes by that was closed by this person."""
    token = _acting.set(by)
    try:
        return kind_of(case.kind).rerun(case)
    finally:
        _acting.reset(token)


def held_up(case: ExceptionCase, model: type[models.Model]) -> list[int]:
    """The ids of the objects of this model that the case holds up, in a fixed order for locking."""
    kind = ContentType.objects.get_for_model(model)
    rows = case.subjects.filter(open=True, subject_type=kind).order_by("subject_id")
    return list(rows.values_list("subject_id", flat=True))


def open_cases_of(subject: models.Model) -> models.QuerySet[ExceptionCase]:
    """The open cases that hold this object up."""
    return ExceptionCase.objects.open().filter(
        subjects__open=True,
        subjects__subject_type=ContentType.objects.get_for_model(subject),
        subjects__subject_id=subject.pk,
    )
