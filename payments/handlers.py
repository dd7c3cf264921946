"""Reports become calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.funds import DisputeReport, PayoutReport, StatementReport, TransactionReport
from integration_hub.kernel.text import mark
from integration_hub.models import Connection, InboundEvent

from . import assigning, bank, disputes, fees, payouts, recording
from .models import Transaction


def transaction_reported(connection: Connection, report: TransactionReport, event: InboundEvent) -> str | None:
    if error := recording.refusal(connection, report):
        raise error
    if recording.is_foreign(connection, report):
        return mark("a test payment in a live account")
    found = recording.store([(connection, report, event)])
    _follow(found.changed)
    return None if found.changed else mark("says nothing new")


def transactions_reported(given: Sequence[recording.Given]) -> set[int]:
    """Many at once; what is refused or repeated is left to the way one by one, which says why."""
    plain = [one for one in given if not recording.refusal(*one[:2]) and not recording.is_foreign(*one[:2])]
    if not plain:
        return set()
    found = recording.store(plain)
    _follow(found.changed)
    return {event.pk for _connection, _report, event in plain} - found.unchanged


def _follow(changed: Sequence[Transaction]) -> None:
    """What new or changed movements bring with them: their orders, payouts, disputes and fees."""
    ids = [row.pk for row in changed]
    assigning.tie(ids)
    payouts.follow(changed)
    for connection in {row.connection_id: row.connection for row in changed}.values():
        names = [
            name
            for row in changed
            if row.connection_id == connection.pk
            for name in (row.external_id, *row.payment_ids)
        ]
        disputes.follow(connection, names)
    fees.check(ids)


def payout_reported(connection: Connection, report: PayoutReport, event: InboundEvent) -> str | None:
    return payouts.record(connection, report, event)


def dispute_reported(connection: Connection, report: DisputeReport, event: InboundEvent) -> str | None:
    return disputes.record(connection, report, event)


def statement_reported(connection: Connection, report: StatementReport, event: InboundEvent) -> str | None:
    return bank.record(connection, report, event)
