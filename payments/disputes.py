"""Disputes: opened, answered in time, won or lost.  They cancel no order and move no stock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Q

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.funds import DisputeReport
from integration_hub.kernel.money import Money, is_currency
from integration_hub.kernel.text import mark, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.activity import note

from . import balances, matching
from .models import Dispute, Transaction
from .moves import move
from .recording import LARGEST
from .states import DISPUTE_MOVES, UNDECIDED, DisputeState

KIND = "dispute_due"
_FOUR = Decimal("0.0001")


def record(connection: Connection, report: DisputeReport, event: InboundEvent) -> str | None:
    """Take over a dispute as its provider shows it; returns why nothing was done, if so."""
    if not report.external_id.strip() or not is_currency(report.currency) or abs(report.amount) >= LARGEST:
        raise Rejected(say("A dispute needs an id, an amount and a currency of ISO 4217."), code="unreadable")
    made = Dispute.objects.bulk_create([_blank(connection, report)], ignore_conflicts=True)
    dispute = (
        Dispute.objects.select_for_update(of=("self",))
        .select_related("connection")
        .get(connection=connection, external_id=report.external_id[:120])
    )
    fresh = bool(made) and not dispute.vendor_status
    if not fresh and report.updated_at < dispute.source_updated_at:
        return mark("older than what the hub holds")
    changed = _fill(dispute, report) | fresh
    if not changed:
        return mark("says nothing new")
    follow(connection, [dispute.transaction_external_id], event=event)
    return None


def _blank(connection: Connection, report: DisputeReport) -> Dispute:
    return Dispute(
        connection=connection,
        external_id=report.external_id[:120],
        transaction_external_id=report.transaction_id[:120],
        state=report.stage,
        amount=report.amount.quantize(_FOUR),
        currency=report.currency,
        opened_at=report.opened_at,
        source_updated_at=report.updated_at,
    )


def _fill(dispute: Dispute, report: DisputeReport) -> bool:
    stated = {
        "transaction_external_id": report.transaction_id[:120],
        "vendor_status": report.vendor_status[:60],
        "amount": report.amount.quantize(_FOUR),
        "currency": report.currency,
        "fee": report.fee.quantize(_FOUR),
        "reason": report.reason[:120],
        "opened_at": report.opened_at,
        "source_updated_at": report.updated_at,
        "evidence_due": report.evidence_due,
    }
    changed = [name for name, value in stated.items() if getattr(dispute, name) != value]
    for name in changed:
        setattr(dispute, name, stated[name])
    dispute.save(update_fields=changed)
    moved = move(dispute, DisputeState(report.stage.value), DISPUTE_MOVES, system=dispute.connection.name)
    return moved or bool(changed)


def follow(connection: Connection, names: Iterable[str], *, event: InboundEvent | None = None) -> None:
    """Bring disputes of these payments and what hangs on them up to date; payments may come after their disputes."""
    rows = Dispute.objects.select_for_update(of=("self",)).filter(
        connection=connection, transaction_external_id__in=[name for name in names if name]
    )
    touched: list[int] = []
    for dispute in rows.select_related("connection").order_by("pk"):
        if paid := _link(dispute):
            touched.append(paid.pk)
        _judge(dispute, paid)
        if event:
            _tell(dispute, touched[-1:], event)
    balances.refresh(matching.orders_of(touched))


def _link(dispute: Dispute) -> Transaction | None:
    """The disputed payment, by its id or one of those it is known by."""
    if dispute.transaction_id:
        return dispute.transaction
    name = dispute.transaction_external_id
    paid = Transaction.objects.filter(
        Q(external_id=name) | Q(payment_ids__contains=[name]), connection=dispute.connection, kind="CAPTURE"
    ).first()
    if paid:
        Dispute.objects.filter(pk=dispute.pk).update(transaction=paid)
        dispute.transaction = paid
    return paid


def _tell(dispute: Dispute, paid: Sequence[int], event: InboundEvent) -> None:
    text = say(
        "Dispute over %(money)s: %(state)s",
        money=Money(dispute.amount, dispute.currency),
        state=DisputeState(dispute.state).value,
    )
    for row in Transaction.objects.filter(pk__in=paid):
        note(row, "payments.dispute", text, system=dispute.connection.name, event=event)


def _judge(dispute: Dispute, paid: Transaction | None) -> None:
    """A case as long as an answer is awaited, due when the evidence is."""
    if dispute.state not in UNDECIDED:
        cases.settle(dispute, kinds=(KIND,))
        return
    trouble = Trouble(
        kind=KIND,
        cause=f"dispute:{dispute.pk}",
        params={"number": dispute.external_id, "system": dispute.connection.name},
        expected=say("Evidence for the provider, or accept the loss there"),
        found=say(
            "%(money)s, reason %(reason)s",
            money=Money(dispute.amount, dispute.currency),
            reason=dispute.reason or "–",
        ),
        data={"dispute": dispute.pk, "payment": paid.pk if paid else None},
        due_at=dispute.evidence_due,
    )
    cases.open_case(trouble, dispute, connection=dispute.connection)
