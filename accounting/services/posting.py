"""Posting: due things are worked off in batches; what cannot be posted is a case, what changed is reversed and posted anew."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from exceptions import services as cases
from exceptions.models import CaseSubject
from exceptions.services import Trouble
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.messages import DocumentIssued
from integration_hub.kernel.text import Text, say
from payments.models import Payout, Transaction

from ..events import PeriodState, Source, Standing
from ..models import Booking, Document, Entry, MappingVersion, Period, Posting
from . import choices, clearing, entries, finding
from .entries import Draft
from .gathering import MODELS, Batch
from .mapping import WEIGHTS, Key, Table, Unmapped, newest
from .money import Later, Nothing
from .rows import lines, percent

logger = logging.getLogger(__name__)

BATCH = 500
KINDS = ("posting_no_account", "posting_refused", "posting_month_locked")


@dataclass
class _Work:
    """A batch under way: what is to be written, and what came of each booking."""

    batch: Batch
    version: MappingVersion
    open_months: dict[tuple[int, int], bool]
    entries: list[tuple[Entry, Sequence[Posting]]] = field(default_factory=list)
    came: dict[int, Entry | None] = field(default_factory=dict)


class _Locked(HubError):
    """The month is locked; ``day`` is when it was to be posted."""

    def __init__(self, day: date) -> None:
        super().__init__(say("The month of %(day)s is locked.", day=day), code="month_locked")
        self.day = day


def work() -> int:
    """Work off a batch; returns how many things were looked at.  One that makes the batch fail is found one by one."""
    try:
        return _batch(BATCH)
    except OperationalError:
        raise
    except Exception as error:  # one row's defect: the others are not to wait for it
        logger.exception("a batch of postings failed: %s", type(error).__name__)
        return _one_by_one()


@transaction.atomic
def _batch(size: int) -> int:
    return len(_post(_claim(size)))


def _one_by_one() -> int:
    """The same work with a transaction for each; what fails for itself is refused, with its case."""
    ids = list(_due().values_list("pk", flat=True)[:BATCH])
    for pk in ids:
        try:
            with transaction.atomic():
                _post(list(Booking.objects.select_for_update(skip_locked=True).filter(pk=pk, state=Standing.DUE)))
        except OperationalError:
            raise
        except Exception as error:  # the edge that records
            logger.exception("booking %s failed", pk)
            with transaction.atomic():
                broken = Booking.objects.select_for_update().get(pk=pk)
                _refuse(broken, say("A defect of the hub (%(error)s).", error=type(error).__name__), "defect")
    return len(ids)


def _due() -> Any:
    return Booking.objects.filter(state=Standing.DUE, due_at__lte=Now()).order_by("due_at", "pk")


def _claim(size: int) -> list[Booking]:
    return list(_due().select_for_update(skip_locked=True, of=("self",))[:size])


def _post(bookings: list[Booking]) -> list[Booking]:
    """Post what these mean now; runs in the transaction of the caller, who holds their rows."""
    if not bookings:
        return []
    wanted = _by_source(bookings)
    for source, ids in wanted.items():
        finding.see(source, ids)
    answers = choices.current()
    clearing.provide(answers.chart, _providers(wanted))
    batch = Batch(wanted, answers, Table.load(answers.chart))
    doing = _Work(batch, newest(answers.chart), _months())
    held = _held(bookings)
    for booking in bookings:
        _decide(doing, booking, held.get(booking.entry_id or 0))
    entries.write(doing.entries)
    _conclude(doing, bookings)
    return bookings


def _by_source(bookings: Iterable[Booking]) -> dict[str, list[int]]:
    wanted: dict[str, list[int]] = {}
    for booking in bookings:
        wanted.setdefault(booking.source, []).append(booking.subject_id)
    return wanted


def _providers(wanted: dict[str, list[int]]) -> set[int]:
    moved = Transaction.objects.filter(pk__in=wanted.get(Source.MOVEMENT, []), connection__role="PAYMENT")
    paid = Payout.objects.filter(pk__in=wanted.get(Source.PAYOUT, []))
    return {*moved.values_list("connection_id", flat=True), *paid.values_list("connection_id", flat=True)}


def _months() -> dict[tuple[int, int], bool]:
    return {(row.year, row.month): row.state == PeriodState.OPEN for row in Period.objects.all()}


def _held(bookings: Iterable[Booking]) -> dict[int, Entry]:
    """The entries that these stand by now, with their lines."""
    ids = [booking.entry_id for booking in bookings if booking.entry_id]
    return {row.pk: row for row in Entry.objects.filter(pk__in=ids).prefetch_related("lines").select_related("version")}


def _decide(doing: _Work, booking: Booking, held: Entry | None) -> None:
    try:
        came = doing.batch.outcome(booking.source, booking.subject_id)
        if isinstance(came, Draft):
            _draft(doing, booking, came, held)
        else:
            _rest(doing, booking, came, held)
    except Unmapped as error:
        _unmapped(booking, error)
    except _Locked as error:
        _refuse(booking, error.text, "month_locked", day=error.day)
    except HubError as error:
        _refuse(booking, error.text, error.code)


def _draft(doing: _Work, booking: Booking, draft: Draft, held: Entry | None) -> None:
    """Post a draft, unless the entry that stands says the same."""
    made = lines(draft.rows, doing.batch.table, settings.HUB_BOOK_CURRENCY)
    wanted = replace(draft, booked_on=booking.moved_to or draft.booked_on)
    if held is not None:
        if _same(held, made):
            doing.came[booking.pk] = held
            return
        _into(doing, wanted.booked_on)
        doing.entries.append(entries.reversal(held, booked_on=_day_of_reversal(doing, held, wanted.booked_on)))
    _into(doing, wanted.booked_on)
    revision = _revision(booking) if held is None else held.revision + 1
    entry, rows = entries.fresh(wanted, made, doing.version, revision=revision)
    doing.entries.append((entry, rows))
    doing.came[booking.pk] = entry


def _revision(booking: Booking) -> int:
    """The next one after those that were posted and taken back."""
    last = Entry.objects.filter(source=booking.source, subject_id=booking.subject_id, reverses=None).order_by(
        "-revision"
    )
    return (last.values_list("revision", flat=True).first() or 0) + 1


def _same(held: Entry, made: Sequence[Posting]) -> bool:
    worded = held.by_id is not None  # a person corrected its texts
    there = sorted(held.lines.all(), key=lambda line: line.position)
    said = [entries.signature(line, texts=not worded) for line in there]
    return said == [entries.signature(line, texts=not worded) for line in made]


def _day_of_reversal(doing: _Work, held: Entry, day: date) -> date:
    """The day that is taken back; where its month is locked, the day of what is posted instead."""
    return held.booked_on if doing.open_months.get((held.booked_on.year, held.booked_on.month), True) else day


def _into(doing: _Work, day: date) -> None:
    if not doing.open_months.get((day.year, day.month), True):
        raise _Locked(day)


def _rest(doing: _Work, booking: Booking, came: Nothing | Later, held: Entry | None) -> None:
    """Nothing to post; what was posted before is taken back."""
    if held is not None:
        day = booking.moved_to or held.booked_on
        _into(doing, day)
        doing.entries.append(entries.reversal(held, booked_on=day))
    booking.state = Standing.WAITING if isinstance(came, Later) else Standing.NOTHING
    booking.why, booking.entry = came.why.as_json(), None
    doing.came[booking.pk] = None


def _conclude(doing: _Work, bookings: list[Booking]) -> None:
    """Keep where each stands, and close the cases of those that stand well."""
    for booking in bookings:
        entry = doing.came.get(booking.pk)
        if entry is not None:
            booking.state, booking.why, booking.entry = Standing.POSTED, {}, entry
    Booking.objects.bulk_update(bookings, ["state", "why", "entry"], batch_size=1000)
    well = [booking for booking in bookings if booking.pk in doing.came]
    for subject in _in_cases(well):
        cases.settle(subject, kinds=KINDS)


def _in_cases(bookings: Sequence[Booking]) -> Iterable[Any]:
    """The rows of these that a case of ours holds up."""
    for source, ids in _by_source(bookings).items():
        model = MODELS[source]
        held = CaseSubject.objects.filter(
            subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids, open=True, case__kind__in=KINDS
        )
        pks = set(held.values_list("subject_id", flat=True))
        yield from model._default_manager.filter(pk__in=pks) if pks else ()


def _unmapped(booking: Booking, error: Unmapped) -> None:
    key = error.key
    about = {name: str(getattr(key, name) or "") for name in ("event", *WEIGHTS)}
    trouble = Trouble(
        kind="posting_no_account",
        cause=f"{error.account}|{key.cause()}",
        params={"what": key.event, "details": _details(key)},
        expected=say("A rule of the account mapping with an account of the chart"),
        found=error.text,
        data=about | {"day": key.day.isoformat()},
    )
    _keep_refused(booking, error.text, trouble)


def _details(key: Key) -> str:
    """What the question was about, as short as it can be said."""
    rate = "" if key.rate is None else f"{percent(key.rate)} %"
    parts = (key.tax_case, rate, key.country, key.product_group, key.location, key.payment_method)
    return " · ".join(part for part in parts if part)


def _refuse(booking: Booking, text: Text, code: str, day: date | None = None) -> None:
    locked = day is not None
    trouble = Trouble(
        kind="posting_month_locked" if locked else "posting_refused",
        cause=f"{day:%Y-%m}" if day else f"{code}:{text}",
        params={"month": f"{day:%m/%Y}"} if day else {"what": text.as_json()},
        expected=say("A month that is open") if locked else say("It can be posted"),
        found=text,
    )
    _keep_refused(booking, text, trouble)


def _keep_refused(booking: Booking, text: Text, trouble: Trouble) -> None:
    booking.state, booking.why = Standing.REFUSED, text.as_json()
    booking.save(update_fields=["state", "why"])
    subject = subject_of(booking)
    if subject is not None:
        cases.open_case(trouble, subject)


def subject_of(booking: Booking) -> Any:
    """The row that it is about."""
    return MODELS[booking.source]._default_manager.filter(pk=booking.subject_id).first()


def _now(source: str, pk: int) -> Booking:
    finding.ask(source, [pk])
    booking = Booking.objects.select_for_update().get(source=source, subject_id=pk)
    _post([booking])
    return Booking.objects.select_related("entry").get(pk=booking.pk)


@transaction.atomic
def post_document(document: Document) -> Booking:
    """Post a document now; the booking says what came of it."""
    return _now(Source.DOCUMENT, document.pk)


@transaction.atomic
def post_transaction(movement: Transaction) -> Booking:
    """Post a movement now."""
    return _now(Source.MOVEMENT, movement.pk)


@transaction.atomic
def post_payout(payout: Payout) -> Booking:
    """Post a payout now."""
    return _now(Source.PAYOUT, payout.pk)


def documents_issued(news: Sequence[DocumentIssued]) -> None:
    """Documents are posted by the ledger's own workers, right after they are issued."""
    finding.ask(Source.DOCUMENT, [one.document_id for one in news])
