"""Bank statements: whole or not at all, each line once, the chain of balances without a gap; and what each line is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db.models import Q
from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.funds import (
    Hints,
    StatementLine,
    StatementReport,
    TransactionKind,
    TransactionReport,
    TransactionState,
)
from integration_hub.kernel.money import Money, is_currency
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import mark, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import assigning, likely, matching, payouts, recording
from .models import BankAccount, BankLine, BankStatement, Payout, Transaction, Unassigned
from .names import plain
from .recording import LARGEST
from .states import Kind, PayoutState, Purpose

_FOUR = Decimal("0.0001")
CHAIN = 60  # statements that are looked back at
EARLY, LATE = timedelta(days=3), timedelta(days=15)


def record(connection: Connection, report: StatementReport, event: InboundEvent) -> str | None:
    """Take over a statement; returns why nothing was done, if so.  Rejected where its own sums do not agree."""
    _bounded(report)
    number = report.account.replace(" ", "")[:60]
    BankAccount.objects.bulk_create(
        [BankAccount(connection=connection, number=number, currency=report.currency)], ignore_conflicts=True
    )
    account = BankAccount.objects.select_for_update().get(number=number, currency=report.currency)
    known = BankStatement.objects.filter(account=account, closed_on=report.closed_on, number=report.number[:60]).first()
    statement = known or _statement(account, report, event)
    lines = _lines(account, statement, report.lines)
    if known and not lines:
        return mark("says nothing new")
    _look_for_gaps(account)
    for line in lines:
        classify(line, connection, event)
    return None


def _bounded(report: StatementReport) -> None:
    if not report.account.strip() or not is_currency(report.currency):
        raise Rejected(say("A statement needs an account and a currency of ISO 4217."), code="unreadable")
    amounts = [line.amount for line in report.lines]
    if any(not amount.is_finite() or abs(amount) >= LARGEST for amount in amounts):
        raise Rejected(say("An amount is too large to be true."), code="out_of_bounds")
    keys = [line.key for line in report.lines]
    if len(set(keys)) != len(keys):
        raise Rejected(say("Two lines of the statement have the same key."), code="unreadable")
    moved = sum(amounts, Decimal(0))
    if report.opening is not None and report.closing is not None and report.opening + moved != report.closing:
        raise Rejected(
            say(
                "The statement does not add up: %(opening)s and lines of %(moved)s are not %(closing)s. Nothing of it was taken over.",
                opening=Money(report.opening, report.currency),
                moved=Money(moved, report.currency),
                closing=Money(report.closing, report.currency),
            ),
            code="does_not_add_up",
        )


def _statement(account: BankAccount, report: StatementReport, event: InboundEvent) -> BankStatement:
    return BankStatement.objects.create(
        account=account,
        number=report.number[:60],
        opening=report.opening,
        closing=report.closing,
        moved=sum((line.amount for line in report.lines), Decimal(0)),
        opened_on=report.opened_on,
        closed_on=report.closed_on,
        event=event,
    )


def _lines(account: BankAccount, statement: BankStatement, lines: Sequence[StatementLine]) -> list[BankLine]:
    """The lines that no earlier file held."""
    held = set(
        BankLine.objects.filter(account=account, key__in=[line.key[:120] for line in lines]).values_list(
            "key", flat=True
        )
    )
    fresh = [line for line in lines if line.key[:120] not in held]
    return BankLine.objects.bulk_create([_line(account, statement, line) for line in fresh], batch_size=1000)


def _line(account: BankAccount, statement: BankStatement, line: StatementLine) -> BankLine:
    return BankLine(
        account=account,
        statement=statement,
        key=line.key[:120],
        booked_on=line.booked_on,
        valued_on=line.valued_on,
        amount=line.amount.quantize(_FOUR),
        currency=account.currency,
        name=line.name[:200],
        iban=line.iban.replace(" ", "")[:40],
        text=" ".join(line.text.split())[:2000],
        end_to_end_id=line.end_to_end_id[:60],
        bank_reference=line.bank_reference[:60],
        kind=line.kind[:40],
    )


def _look_for_gaps(account: BankAccount) -> None:
    """Each statement begins with the balance the one before it ended with; a missing one closes its case by coming."""
    rows = BankStatement.objects.filter(account=account, opening__isnull=False, closing__isnull=False)
    newest = list(rows.select_related("account").order_by("-closed_on", "-number", "-pk")[:CHAIN])[::-1]
    for before, after in pairwise(newest):
        if before.closing == after.opening:
            cases.settle(after, kinds=("statement_gap",))
            continue
        trouble = Trouble(
            kind="statement_gap",
            cause=f"statement:{after.pk}",
            params={"account": account.number, "number": after.number},
            expected=say("begins with %(money)s", money=Money(before.closing or Decimal(0), account.currency)),
            found=say("begins with %(money)s", money=Money(after.opening or Decimal(0), account.currency)),
        )
        cases.open_case(trouble, after, connection=account.connection)


def classify(line: BankLine, connection: Connection, event: InboundEvent | None = None) -> None:
    """Say what a line is: a provider's payout, a customer's payment or refund, or nothing of the shops'."""
    if tie_payout(line) or _is_of_provider(line):
        return
    if line.amount > 0 or likely.fits(_movement(line, connection)):
        _take_as_payment(line, connection, event)
    else:
        _set(line, Purpose.OTHER)


def tie_payout(line: BankLine) -> bool:
    """Tie the line to the payout whose reference it shows, or to the only one of its provider, amount and days."""
    payout = _named_payout(line) or _only_payout(line)
    if payout is None:
        return False
    Payout.objects.filter(pk=payout.pk, bank_line=None).update(bank_line=line)
    _set(line, Purpose.PAYOUT)
    note(payout, "payments.payout", say("Seen in the bank on %(day)s", day=line.booked_on), system="hub")
    payouts.settle([payout.pk])
    return True


def _waiting(line: BankLine) -> list[Payout]:
    """Payouts that may be this line, by their days."""
    first, last = line.booked_on - LATE, line.booked_on + EARLY
    rows = Payout.objects.select_for_update(of=("self",)).filter(
        Q(arrives_on__range=(first, last)) | Q(created_at__date__range=(first, last)),
        bank_line=None,
        currency=line.currency,
        connection__mode=line.account.connection.mode,
    )
    return list(rows.exclude(state=PayoutState.CAME_BACK).select_related("connection").order_by("pk")[:500])


def _named_payout(line: BankLine) -> Payout | None:
    said = plain(f"{line.text} {line.end_to_end_id} {line.bank_reference}")
    found = [
        payout
        for payout in _waiting(line)
        if any(len(plain(name)) >= 6 and plain(name) in said for name in (payout.reference, payout.external_id))
    ]
    exact = [payout for payout in found if payout.amount == line.amount]
    return (exact or found)[0] if len(exact or found) == 1 else None


def _only_payout(line: BankLine) -> Payout | None:
    found = [payout for payout in _waiting(line) if payout.amount == line.amount and _says(line, payout.connection)]
    return found[0] if len(found) == 1 else None


def _says(line: BankLine, provider: Connection) -> bool:
    """Whether the line names the provider: its system or what the merchant calls it."""
    said = f"{line.name} {line.text}".lower()
    words = {provider.kind.split("-")[0], provider.name.split(" ")[0].lower()}
    return any(len(word) >= 4 and word in said for word in words)


def _is_of_provider(line: BankLine) -> bool:
    """A provider's line whose payout is not known yet waits for it."""
    providers = Connection.objects.filter(role=Role.PAYMENT, mode=line.account.connection.mode)
    return any(_says(line, provider) for provider in providers)


def _report(line: BankLine) -> TransactionReport:
    at = timezone.make_aware(datetime.combine(line.booked_on, time(12)))
    return TransactionReport(
        external_id=f"{line.account.number}:{line.key}",
        kind=TransactionKind.CAPTURE if line.amount > 0 else TransactionKind.REFUND,
        state=TransactionState.SUCCEEDED,
        vendor_status=line.kind,
        occurred_at=at,
        updated_at=at,
        gross=line.amount,
        currency=line.currency,
        settlement_currency=line.currency,
        settled_gross=line.amount,
        net=line.amount,
        available_at=at,
        method="bank_transfer",
        hints=Hints(text=f"{line.text} {line.end_to_end_id}", name=line.name, iban=line.iban),
    )


def _movement(line: BankLine, connection: Connection) -> Transaction:
    """The line as a movement that is not kept, to see whether an order fits."""
    return Transaction(
        connection=connection,
        gross=line.amount,
        currency=line.currency,
        text=line.text,
        payer=line.name,
        occurred_at=timezone.make_aware(datetime.combine(line.booked_on, time(12))),
    )


def _take_as_payment(line: BankLine, connection: Connection, event: InboundEvent | None) -> None:
    event = event or line.statement.event
    if event is None:
        return
    found = recording.store([(connection, _report(line), event)])
    for row in found.changed:
        BankLine.objects.filter(pk=line.pk).update(purpose=Purpose.PAYMENT, transaction=row)
        line.purpose, line.transaction = Purpose.PAYMENT, row
        assigning.tie([row.pk])


def _set(line: BankLine, purpose: Purpose) -> None:
    BankLine.objects.filter(pk=line.pk).update(purpose=purpose)
    line.purpose = purpose


def look_again() -> int:
    """Lines of providers whose payout has come meanwhile; returns how many found it."""
    since = timezone.localdate() - timedelta(days=120)
    rows = BankLine.objects.filter(purpose=Purpose.OPEN, booked_on__gte=since).select_related("account__connection")
    return sum(tie_payout(line) for line in rows.order_by("pk")[:500])


def no_business(row: Transaction, *, by: User, why: str) -> None:
    """A person says that this money has nothing to do with orders."""
    BankLine.objects.filter(transaction=row).update(purpose=Purpose.OTHER)
    Transaction.objects.filter(pk=row.pk).update(kind=Kind.OTHER)
    Unassigned.objects.filter(pk=row.pk).delete()
    cases.settle(row, kinds=matching.KINDS, by=by)
    note(row, "payments.no_business", say("Has nothing to do with orders"), by=by, why=why)
