"""Payouts: what they are made of, set by set; how far they are explained, and seen in the bank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integration_hub.kernel.errors import Defect, NotNow, Rejected
from integration_hub.kernel.funds import PayoutReport, PayoutStage
from integration_hub.kernel.money import Money, is_currency, minor_digits
from integration_hub.kernel.text import mark, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import payout_cases, solver
from .models import AcceptedRemainder, Payout, PayoutItem, Transaction
from .moves import move
from .recording import LARGEST
from .states import NO_ITEM, PAYOUT_MOVES, PayoutState, Standing

BACK = (PayoutStage.FAILED, PayoutStage.CANCELLED)
UNFINISHED = (PayoutState.ANNOUNCED, PayoutState.EXPLAINED, PayoutState.IN_BANK)
_FOUR = Decimal("0.0001")

# a movement is an item of the payout that it names, or that named it; each once
_JOIN = """
INSERT INTO payments_payoutitem (payout_id, transaction_id, amount, how)
SELECT p.id, t.id, t.net - t.reserve, 'STATED' FROM payments_payout p
JOIN payments_transaction t ON t.connection_id = p.connection_id AND t.payout_external_id = p.external_id
WHERE {scope} AND t.net IS NOT NULL AND t.settlement_currency = p.currency AND t.state = 'SUCCEEDED'
  AND t.kind NOT IN ('AUTHORISATION', 'PAYOUT') AND NOT EXISTS (
    SELECT 1 FROM payments_payoutitem i WHERE i.transaction_id = t.id)
ORDER BY t.id ON CONFLICT DO NOTHING RETURNING payout_id
"""
_LEAVE = """
DELETE FROM payments_payoutitem i USING payments_transaction t, payments_payout p
WHERE t.id = i.transaction_id AND p.id = i.payout_id AND t.id = ANY(%(ids)s) AND i.how = 'STATED'
  AND ((t.payout_external_id <> '' AND t.payout_external_id <> p.external_id) OR t.state <> 'SUCCEEDED')
RETURNING i.payout_id
"""


def record(connection: Connection, report: PayoutReport, event: InboundEvent) -> str | None:
    """Take over a payout as its provider shows it; returns why nothing was done, if so."""
    _bounded(report)
    Payout.objects.bulk_create([_blank(connection, report)], ignore_conflicts=True)
    payout = (
        Payout.objects.select_for_update(of=("self",))
        .select_related("connection")
        .get(connection=connection, external_id=report.external_id[:120])
    )
    fresh = not payout.vendor_status and not payout.stage
    if not fresh and report.updated_at < payout.source_updated_at:
        if report.items is None or payout.items_listed:
            return mark("older than what the hub holds")
    else:
        _fill(payout, report)
    if report.items is not None:
        _name_items(payout, report.items)
    if fresh:
        text = say("Payout of %(money)s announced", money=Money(payout.amount, payout.currency))
        note(payout, "payments.payout", text, system=connection.name, event=event)
    attach([payout.pk])
    return None


def _bounded(report: PayoutReport) -> None:
    if not report.external_id.strip() or not is_currency(report.currency):
        raise Rejected(say("A payout needs an id and a currency of ISO 4217."), code="unreadable")
    if not report.amount.is_finite() or abs(report.amount) >= LARGEST:
        raise Rejected(say("An amount is too large to be true."), code="out_of_bounds")


def _blank(connection: Connection, report: PayoutReport) -> Payout:
    return Payout(
        connection=connection,
        external_id=report.external_id[:120],
        stage="",
        amount=report.amount.quantize(_FOUR),
        remainder=report.amount.quantize(_FOUR),
        currency=report.currency,
        created_at=report.created_at,
        source_updated_at=report.updated_at,
    )


def _fill(payout: Payout, report: PayoutReport) -> None:
    if payout.stage and payout.currency != report.currency and payout.items.exists():
        raise Rejected(say("A payout that has items cannot change its currency."), code="currency_differs")
    payout.stage, payout.vendor_status = report.stage, report.vendor_status[:60]
    payout.amount, payout.currency = report.amount.quantize(_FOUR), report.currency
    payout.created_at, payout.source_updated_at = report.created_at, report.updated_at
    payout.arrives_on = report.arrives_on or payout.arrives_on
    payout.reference = report.reference[:140] or payout.reference
    payout.has_items = report.has_items
    if report.balance_before is not None and report.balance_after is not None:
        payout.balance_before, payout.balance_after = report.balance_before, report.balance_after
    fields = (
        "stage",
        "vendor_status",
        "amount",
        "currency",
        "created_at",
        "source_updated_at",
        "arrives_on",
        "reference",
        "has_items",
        "balance_before",
        "balance_after",
    )
    payout.save(update_fields=fields)


def _name_items(payout: Payout, items: Sequence[str]) -> None:
    """The movements of the list are items of this payout; those not seen yet are awaited."""
    names = list(dict.fromkeys(name[:120] for name in items))
    rows = Transaction.objects.filter(connection=payout.connection, external_id__in=names)
    rows.exclude(payout_external_id=payout.external_id).update(payout_external_id=payout.external_id)
    seen = set(rows.values_list("external_id", flat=True))
    payout.awaited, payout.items_listed = [name for name in names if name not in seen], True
    payout.save(update_fields=["awaited", "items_listed"])


def follow(rows: Sequence[Transaction]) -> None:
    """What movements that are new or changed mean for payouts: they come in, move over, or were awaited."""
    ids = [row.pk for row in rows]
    touched = _awaited(rows)
    held = PayoutItem.objects.filter(transaction_id__in=ids)
    if not touched and not any(row.payout_external_id for row in rows) and not held.exists():
        return
    with database.cursor() as cursor:
        cursor.execute(_LEAVE, {"ids": ids})
        touched |= {row[0] for row in cursor.fetchall()}
        cursor.execute(_JOIN.format(scope="t.id = ANY(%(ids)s)"), {"ids": ids})
        touched |= {row[0] for row in cursor.fetchall()}
    touched |= set(held.values_list("payout_id", flat=True))
    settle(touched)


def _awaited(rows: Sequence[Transaction]) -> set[int]:
    """Payouts that named one of these before it came."""
    touched: set[int] = set()
    for connection in {row.connection_id for row in rows}:
        names = [row.external_id for row in rows if row.connection_id == connection]
        waiting = Payout.objects.select_for_update(of=("self",)).filter(
            connection_id=connection, awaited__overlap=names
        )
        for payout in waiting.order_by("pk"):
            came = set(payout.awaited) & set(names)
            Transaction.objects.filter(connection_id=connection, external_id__in=came).update(
                payout_external_id=payout.external_id
            )
            payout.awaited = [name for name in payout.awaited if name not in came]
            payout.save(update_fields=["awaited"])
            touched.add(payout.pk)
    return touched


def attach(payout_ids: Sequence[int]) -> None:
    """Take in every movement that names these payouts, in one statement however many there are."""
    with database.cursor() as cursor:
        cursor.execute(_JOIN.format(scope="p.id = ANY(%(ids)s)"), {"ids": list(payout_ids)})
    settle(payout_ids)


def settle(payout_ids: Iterable[int]) -> None:
    """Say how far each of these payouts is, and open or close its cases."""
    rows = Payout.objects.select_for_update(of=("self",)).select_related("connection", "accepted")
    for payout in rows.filter(pk__in=set(payout_ids)).order_by("pk"):
        move(payout, _state(payout), PAYOUT_MOVES)
        payout_cases.judge(payout, explained=is_explained(payout))


def is_explained(payout: Payout) -> bool:
    """Nothing is left of it, or a person accepted exactly what is."""
    accepted = getattr(payout, "accepted", None)
    left = payout.remainder - (accepted.amount if accepted else 0)
    return not left and not payout.awaited


def _state(payout: Payout) -> PayoutState:
    if payout.stage in BACK:
        return PayoutState.CAME_BACK
    if payout.bank_line_id:
        return PayoutState.CLOSED if is_explained(payout) else PayoutState.IN_BANK
    return PayoutState.EXPLAINED if is_explained(payout) else PayoutState.ANNOUNCED


def watch() -> int:
    """Look at what waits: payouts whose items or whose money should be there by now.  Returns how many were looked at."""
    since = timezone.now() - timedelta(days=400)
    ids = list(
        Payout.objects.filter(state__in=UNFINISHED, created_at__gte=since).order_by("pk").values_list("pk", flat=True)
    )
    for place in range(0, len(ids), 200):
        with transaction.atomic():
            settle(ids[place : place + 200])
    return len(ids)


def open_movements(payout: Payout) -> list[Transaction]:
    """What the solver may take: done, in this currency, in no payout, there before the payout was made; oldest first."""
    moment = payout.created_at + timedelta(days=1)
    rows = Transaction.objects.filter(
        connection=payout.connection,
        settlement_currency=payout.currency,
        state=Standing.SUCCEEDED,
        net__isnull=False,
        item=None,
        payout_external_id="",
        occurred_at__lte=moment,
    ).exclude(kind__in=NO_ITEM)
    newest = rows.filter(Q(available_at=None) | Q(available_at__lte=moment)).order_by("-occurred_at", "-pk")[:5000]
    return list(newest)[::-1]


def propose(payout: Payout) -> tuple[list[Transaction], Decimal]:
    """The movements that most likely make up the rest of this payout, and what they would leave."""
    known = cache.get(_key(payout))
    rows = open_movements(payout)
    if known and set(known[0]) <= {row.pk for row in rows}:
        return [row for row in rows if row.pk in set(known[0])], known[1]
    scale = Decimal(10) ** minor_digits(payout.currency)
    items = [solver.Item(row.pk, int((row.moved or 0) * scale)) for row in rows]
    found = solver.solve(items, int(payout.remainder * scale))
    cache.set(_key(payout), (found.ids, found.remainder / scale), 60)
    chosen = set(found.ids)
    return [row for row in rows if row.pk in chosen], found.remainder / scale


def _key(payout: Payout) -> str:
    return f"payments:proposal:{payout.pk}:{payout.remainder}"


def take(payout: Payout, ids: Sequence[int], *, by: User) -> int:
    """A person confirms that these movements are in this payout; returns how many."""
    payout = Payout.objects.select_for_update(of=("self",)).get(pk=payout.pk)
    free = {row.pk for row in open_movements(payout)}
    if not set(ids) <= free:
        raise NotNow(say("One of these movements is in another payout by now; look again."))
    rows = Transaction.objects.filter(pk__in=ids).order_by("pk")
    PayoutItem.objects.bulk_create(
        [PayoutItem(payout=payout, transaction=row, amount=_moved(row), how="SOLVED") for row in rows]
    )
    note(payout, "payments.payout", say("%(count)s movements confirmed", count=len(rows)), by=by)
    settle([payout.pk])
    return len(rows)


def _moved(row: Transaction) -> Decimal:
    if row.moved is None:
        raise Defect(say("A movement that is not settled cannot be paid out."))
    return row.moved


def accept(payout: Payout, *, by: User, why: str) -> None:
    """A person takes the remainder as it is; another remainder later is another question."""
    payout.refresh_from_db()
    fresh: dict[str, Any] = {"amount": payout.remainder, "why": why, "by": by}
    AcceptedRemainder.objects.update_or_create(payout=payout, defaults=fresh)
    settle([payout.pk])
