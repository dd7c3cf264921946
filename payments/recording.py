"""Movements as their providers report them, one or thousands at a time: late, repeated and reordered reports do no harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.funds import Hints, TransactionReport
from integration_hub.kernel.money import is_currency
from integration_hub.kernel.text import say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.connection import Mode

from .models import Allocation, Transaction, TransactionFee, Unassigned
from .names import plain
from .states import LIVE, OF_ORDERS, STANDING_MOVES

Given = tuple[Connection, TransactionReport, InboundEvent]
LARGEST = Decimal(10) ** 13
PATIENCE = timedelta(hours=2)  # a payment may be there before its order
_FOUR = Decimal("0.0001")
_HEAD = ("kind", "state", "vendor_status", "occurred_at", "source_updated_at", "gross", "currency")
_SETTLED = ("settlement_currency", "settled_gross", "fees", "fee_tax", "net", "rate", "reserve")
_FACTS = ("parent_external_id", "payout_external_id", "available_at", "method", "country", "card")
_HINTS = ("order_reference", "reference", "payment_ids", "text", "payer", "email", "iban")
_BOOKS = ("booked_currency", "booked", "booked_rate", "rate_source")
COLUMNS = (*_HEAD, *_SETTLED, *_FACTS, *_HINTS, *_BOOKS)


@dataclass
class Recorded:
    """What came of reports: the movements that are new or changed, and for each event why it changed nothing."""

    changed: list[Transaction] = field(default_factory=list)
    unchanged: set[int] = field(default_factory=set)


def refusal(connection: Connection, report: TransactionReport) -> Rejected | None:
    """Why this can be no movement of money; None if it can."""
    currencies = (report.currency, *([report.settlement_currency] if report.settlement_currency else []))
    if not report.external_id.strip() or not all(is_currency(code) for code in currencies):
        return Rejected(say("A movement needs an id and a currency of ISO 4217."), code="unreadable")
    amounts = [report.gross, report.settled_gross, report.net, report.fee_tax, report.reserve, report.rate]
    amounts += [fee.amount for fee in report.fees]
    if any(one is not None and (not one.is_finite() or abs(one) >= LARGEST) for one in amounts):
        return Rejected(say("An amount is too large to be true."), code="out_of_bounds")
    if report.settled_gross is not None and not _adds_up(report):
        return Rejected(
            say(
                "The provider's figures do not add up: %(gross)s less %(fees)s fees is not %(net)s.",
                gross=str(report.settled_gross),
                fees=str(sum((fee.amount for fee in report.fees), Decimal(0))),
                net=str(report.net),
            ),
            code="does_not_add_up",
        )
    return None


def _adds_up(report: TransactionReport) -> bool:
    fees = sum((fee.amount for fee in report.fees), Decimal(0))
    return bool(report.settlement_currency) and report.net is not None and report.settled_gross == report.net + fees


def is_foreign(connection: Connection, report: TransactionReport) -> bool:
    """A test payment in a live account is none of ours."""
    return report.is_test and connection.mode == Mode.LIVE


def store(given: Sequence[Given]) -> Recorded:
    """Make or bring up to date the movement of each report; runs in the transaction of the events."""
    found = Recorded()
    known, made = _hold(given)
    for connection, report, event in sorted(given, key=lambda one: one[1].updated_at):
        row = known[connection.pk, report.external_id[:120]]
        if row.pk in made and made[row.pk] == event.pk:
            found.changed.append(row)
        elif not _take(row, report, event):
            found.unchanged.add(event.pk)
        elif row not in found.changed:
            found.changed.append(row)
    _seek(found.changed)
    return found


def _hold(given: Sequence[Given]) -> tuple[dict[tuple[int, str], Transaction], dict[int, int]]:
    """The rows of these reports, locked in the order of their ids, and of those just made which event made them."""
    newest = {(one[0].pk, one[1].external_id[:120]): one for one in sorted(given, key=lambda one: one[1].updated_at)}
    known = _locked(newest)
    missing = [newest[key] for key in sorted(newest.keys() - known.keys())]
    if not missing:
        return known, {}
    Transaction.objects.bulk_create([_fresh(*one) for one in missing], ignore_conflicts=True, batch_size=1000)
    known |= _locked({key: newest[key] for key in newest.keys() - known.keys()})
    ours = {(one[0].pk, one[1].external_id[:120]): one for one in missing}
    made = {known[key].pk: event.pk for key, (_c, _r, event) in ours.items() if known[key].event_id == event.pk}
    _price([(known[key], report) for key, (_c, report, _e) in ours.items() if known[key].pk in made])
    return known, made


def _locked(wanted: Mapping[tuple[int, str], Any]) -> dict[tuple[int, str], Transaction]:
    keys = Q(pk=None)
    for pk in {pk for pk, _external in wanted}:
        keys |= Q(connection_id=pk, external_id__in=[external for one, external in wanted if one == pk])
    rows = Transaction.objects.select_for_update(of=("self",)).filter(keys).order_by("pk")
    return {(row.connection_id, row.external_id): row for row in rows.select_related("connection")}


def _fresh(connection: Connection, report: TransactionReport, event: InboundEvent) -> Transaction:
    row = Transaction(connection=connection, external_id=report.external_id[:120], event=event)
    for name, value in (_stated(report) | _settled(report)).items():
        setattr(row, name, value)
    _book(row)
    return row


def _take(row: Transaction, report: TransactionReport, event: InboundEvent) -> bool:
    """Take over what is newer, and from an older report only what was not known; returns whether that changed the row."""
    before = {name: getattr(row, name) for name in COLUMNS}
    newer = report.updated_at > row.source_updated_at or _may_follow(row, report)
    for name, value in _stated(report).items():
        empty = value in (None, "", [])
        if newer if name in _HEAD else not empty and (newer or not before[name]):
            setattr(row, name, value)
    priced = report.settled_gross is not None and (newer or row.settled_gross is None)
    for name, value in (_settled(report) if priced else {}).items():
        setattr(row, name, value)
    _book(row)
    changed = [name for name in COLUMNS if getattr(row, name) != before[name]]
    if {"gross", "currency"} & set(changed):
        Allocation.objects.filter(transaction_id=row.pk).delete()  # another amount is tied anew
    if changed:
        row.event = event
        row.save(update_fields=[*changed, "event"])
    if priced and {"settled_gross", "fees", "net"} & set(changed):
        _price([(row, report)])
    return bool(changed)


def _may_follow(row: Transaction, report: TransactionReport) -> bool:
    """Of two reports of the same moment, the one that goes on counts, not the one that goes back."""
    if report.updated_at != row.source_updated_at:
        return False
    return report.state == row.state or report.state in STANDING_MOVES[row.state]


def _stated(report: TransactionReport) -> dict[str, Any]:
    """The columns of head, facts and hints as the report states them."""
    return {
        "kind": report.kind.value,
        "state": report.state.value,
        "vendor_status": report.vendor_status[:60],
        "occurred_at": report.occurred_at,
        "source_updated_at": report.updated_at,
        "gross": _exact(report.gross),
        "currency": report.currency,
        "parent_external_id": report.parent_id[:120],
        "payout_external_id": report.payout_id[:120],
        "available_at": report.available_at,
        "method": report.method[:40],
        "country": report.country[:2].upper(),
        "card": report.card[:40],
        **_hints(report.external_id, report.hints),
    }


def _settled(report: TransactionReport) -> dict[str, Any]:
    """The columns of the settlement; nothing while it is not settled."""
    if report.settled_gross is None or report.net is None:
        return {}
    return {
        "settlement_currency": report.settlement_currency,
        "settled_gross": _exact(report.settled_gross),
        "fees": sum((_exact(fee.amount) for fee in report.fees), Decimal(0)),
        "fee_tax": _exact(report.fee_tax),
        "net": _exact(report.net),
        "reserve": _exact(report.reserve),
        "rate": report.rate,
    }


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(_FOUR)


def _hints(external_id: str, hints: Hints) -> dict[str, Any]:
    ids = dict.fromkeys(one.strip()[:120] for one in (external_id, *hints.payment_ids) if one.strip())
    return {
        "order_reference": hints.order_reference.strip()[:200],
        "reference": plain(hints.order_reference)[:200],
        "payment_ids": list(ids)[:20],
        "text": " ".join(hints.text.split())[:2000],
        "payer": hints.name[:200],
        "email": hints.email.strip().lower()[:254],
        "iban": hints.iban.replace(" ", "")[:40],
    }


def _book(row: Transaction) -> None:
    """The amount in the currency of the books, with the rate and where it is from; nothing where nobody states a rate."""
    books = settings.HUB_BOOK_CURRENCY
    row.booked_currency, row.booked, row.booked_rate, row.rate_source = books, None, None, ""
    if row.settled_gross is not None and row.settlement_currency == books:
        row.booked, row.booked_rate = row.settled_gross, Decimal(1)
        row.rate_source = "same" if row.currency == books else "provider"
    elif row.currency == books:
        row.booked, row.booked_rate, row.rate_source = row.gross, Decimal(1), "same"


def _price(priced: Sequence[tuple[Transaction, TransactionReport]]) -> None:
    """The fees of these movements as rows, instead of what stood there."""
    TransactionFee.objects.filter(transaction__in=[row.pk for row, _report in priced]).delete()
    rows = [
        TransactionFee(transaction=row, kind=fee.kind, amount=_exact(fee.amount), title=fee.title[:120])
        for row, report in priced
        if report.settled_gross is not None
        for fee in report.fees
    ]
    TransactionFee.objects.bulk_create(rows, batch_size=2000)


def _seek(changed: Sequence[Transaction]) -> None:
    """What is about an order and has none looks for it."""
    wanted = [row for row in changed if row.kind in OF_ORDERS and row.state in LIVE and row.gross]
    ids = [row.pk for row in wanted]
    tied = set(Allocation.objects.filter(transaction_id__in=ids).values_list("transaction_id", flat=True))
    until = timezone.now() + PATIENCE
    rows = [Unassigned(transaction_id=pk, ask_at=until) for pk in ids if pk not in tied]
    Unassigned.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)
    over = [row.pk for row in changed if row.pk not in set(ids)]
    Unassigned.objects.filter(pk__in=over).delete()
