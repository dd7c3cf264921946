"""What moved money means for the books: movements, payouts, accepted remainders, bank lines, write-offs.

Each becomes booking rows, or a reason why there is nothing to post or why it waits.  Texts are German: they are for the books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.funds import FeeKind, PayoutStage
from integration_hub.kernel.money import Money
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from payments.models import AcceptedRemainder, BankLine, Payout, Transaction, WriteOff
from payments.states import LIVE, OF_ORDERS, Kind, Purpose, Standing, WriteOffState

from ..events import Event, Source
from .entries import Draft
from .mapping import Key
from .rows import Row, cents


@dataclass(frozen=True)
class Nothing:
    """There is nothing to post, and why."""

    why: Text


@dataclass(frozen=True)
class Later:
    """It cannot be posted yet, and what it waits for."""

    why: Text


Outcome = Draft | Nothing | Later
Names = Callable[[int | None], str]  # the number under which an order's open item stands

FEES = {
    FeeKind.PROCESSING: (Event.FEE, "Gebühr"),
    FeeKind.EXCHANGE: (Event.EXCHANGE_FEE, "Umrechnungsgebühr"),
    FeeKind.DISPUTE: (Event.DISPUTE_FEE, "Chargeback-Gebühr"),
    FeeKind.SUBSCRIPTION: (Event.SUBSCRIPTION_FEE, "Grundgebühr"),
    FeeKind.TAX: (Event.FEE_TAX, "Steuer auf Gebühren"),
    FeeKind.OTHER: (Event.OTHER_FEE, "Gebühr"),
}
WORDS = {
    Kind.CAPTURE: "Zahlung",
    Kind.REFUND: "Erstattung",
    Kind.REFUND_FAILED: "Erstattung zurück",
    Kind.DISPUTE: "Chargeback",
    Kind.DISPUTE_REVERSAL: "Chargeback zurück",
    Kind.RESERVE: "Reserve",
    Kind.PAYOUT_FAILED: "Auszahlung zurück",
    Kind.TRANSFER: "Umbuchung",
    Kind.CONVERSION: "Währungstausch",
    Kind.ADJUSTMENT: "Anpassung",
    Kind.OTHER: "Bewegung",
    Kind.FEE: "Gebühr",
}
# what stands on the other side where it is about no order
_OTHER_SIDE = {
    Kind.RESERVE: Event.RESERVE,
    Kind.FEE: Event.OTHER_FEE,
    Kind.PAYOUT_FAILED: Event.TRANSIT,
    Kind.TRANSFER: Event.TRANSIT,
}


def text_of(*parts: str) -> str:
    """A posting text of at most 60 characters; what is too long ends in dots."""
    whole = " ".join(" ".join(part for part in parts if part).split())
    return whole if len(whole) <= 60 else f"{whole[:57].rstrip()}..."


def local_day(moment: object) -> date:
    """The day of the merchant's calendar."""
    return timezone.localtime(moment).date()  # type: ignore[arg-type]


def of_movement(row: Transaction, number_of: Names, bank: bool = True) -> Outcome:
    """A movement: what it moved for orders, its fees, what the provider holds back; ``bank``: those at a bank too."""
    if row.connection.role == Role.BANK and not bank:
        return Nothing(say("The adviser books the bank statements."))
    if rest := _movement_rests(row):
        return rest
    day = local_day(row.occurred_at)
    rows = [*_gross(row, day, number_of), *_fees(row, day), *_reserve(row, day)]
    if not any(cents(one.amount) for one in rows):
        return Nothing(say("It moved no money."))
    named = next((one.belegfeld1 for one in rows if one.belegfeld1), "")
    orders = {share.order_id for share in row.allocations.all()}
    return Draft(
        source=Source.MOVEMENT,
        subject_id=row.pk,
        booked_on=day,
        rows=rows,
        text=rows[0].text,
        belegfeld1=named,
        transaction_id=row.pk,
        order_id=orders.pop() if len(orders) == 1 else None,
    )


def _movement_rests(row: Transaction) -> Outcome | None:
    if row.kind in (Kind.AUTHORISATION, Kind.PAYOUT):
        return Nothing(say("An authorisation moves no money; a payout is posted as one."))
    if row.state not in LIVE:
        return Nothing(say("It did not take place."))
    if row.state == Standing.PENDING or row.net is None:
        return Later(say("The provider has not settled it yet."))
    if row.connection.role == Role.BANK and row.kind not in OF_ORDERS:
        return Nothing(say("A bank line without an order is none of the shops' business."))
    unassigned = getattr(row, "unassigned", None)
    if unassigned is not None and unassigned.search != "ASKED":
        return Later(say("Its order is being looked for."))
    if _factor(row) is None:
        raise Rejected(
            say("There is no rate from %(currency)s to the currency of the books.", currency=row.settlement_currency),
            code="no_rate",
        )
    return None


def _factor(row: Transaction) -> Decimal | None:
    """What one unit of the settlement is in the books; None where nobody states it."""
    if row.settlement_currency in ("", settings.HUB_BOOK_CURRENCY):
        return Decimal(1)
    if row.booked is None or not row.settled_gross:
        return None
    rate: Decimal = row.booked / row.settled_gross
    return rate


def _account(connection: Connection, day: date) -> Key:
    """The money account of a bank, or the clearing account of a provider."""
    event = Event.BANK if connection.role == Role.BANK else Event.CLEARING
    return Key(event=event, day=day, channel_id=connection.pk)


def _rate(row: Transaction) -> Decimal:
    factor = _factor(row)
    return Decimal(1) if factor is None else factor


def _gross(row: Transaction, day: date, number_of: Names) -> Iterator[Row]:
    """What was moved before fees, order by order; what is for none is unclear money."""
    gross = cents((row.settled_gross or Decimal(0)) * _rate(row))
    if not gross:
        return
    money, text = _account(row.connection, day), text_of(WORDS[Kind(row.kind)], row.connection.name, row.external_id)
    if row.kind not in OF_ORDERS:
        event = _OTHER_SIDE.get(Kind(row.kind), Event.UNCLEAR)
        yield _across(money, Key(event=event, day=day, channel_id=row.connection_id), gross, text, "")
        return
    shares = sorted(row.allocations.all(), key=lambda share: share.position)
    weights = [abs(share.amount) for share in shares]
    weights.append(max(abs(row.gross) - sum(weights, Decimal(0)), Decimal(0)))
    parts = [part.amount for part in Money(gross, settings.HUB_BOOK_CURRENCY).split(weights)]
    for share, part in zip(shares, parts, strict=False):
        debtor = Key(event=Event.DEBTOR, day=day, channel_id=share.order.channel_id, payment_method=row.method)
        yield _across(money, debtor, part, text, number_of(share.order_id))
    unclear = Key(event=Event.UNCLEAR, day=day, channel_id=row.connection_id, payment_method=row.method)
    yield _across(money, unclear, parts[-1], text, "")


def _across(money: Key, other: Key, amount: Decimal, text: str, belegfeld1: str) -> Row:
    """Money that comes in is debit on its account; of what goes out, the other account is named first."""
    if amount >= 0:
        return Row(head=money, contra=other, amount=amount, text=text, belegfeld1=belegfeld1)
    return Row(head=other, contra=money, amount=-amount, text=text, belegfeld1=belegfeld1)


def _fees(row: Transaction, day: date) -> Iterator[Row]:
    for fee in sorted(row.fee_rows.all(), key=lambda one: one.pk):
        event, word = FEES[FeeKind(fee.kind)]
        key = Key(event=event, day=day, channel_id=row.connection_id, payment_method=row.method)
        text = text_of(word, row.connection.name, row.external_id)
        yield Row(head=key, contra=_account(row.connection, day), amount=fee.amount * _rate(row), text=text)


def _reserve(row: Transaction, day: date) -> Iterator[Row]:
    if row.reserve:
        key = Key(event=Event.RESERVE, day=day, channel_id=row.connection_id)
        text = text_of("Reserve einbehalten", row.connection.name, row.external_id)
        yield Row(head=key, contra=_account(row.connection, day), amount=row.reserve * _rate(row), text=text)


def of_payout(row: Payout, returned: bool) -> Outcome:
    """Money on its way to the bank; ``returned``: a movement of its own brings it back, so that it stays posted."""
    if row.stage == PayoutStage.PENDING or not row.stage:
        return Later(say("The provider has not sent it yet."))
    if row.stage in (PayoutStage.FAILED, PayoutStage.CANCELLED) and not returned:
        return Nothing(say("It did not take place."))
    _in_books(row.currency)
    day = local_day(row.created_at)
    text = text_of("Auszahlung", row.connection.name, row.external_id)
    transit = Key(event=Event.TRANSIT, day=day, channel_id=row.connection_id)
    rows = [Row(head=transit, contra=_account(row.connection, day), amount=row.amount, text=text)]
    return Draft(source=Source.PAYOUT, subject_id=row.pk, booked_on=day, rows=rows, text=text, payout_id=row.pk)


def _in_books(currency: str) -> None:
    if currency != settings.HUB_BOOK_CURRENCY:
        raise Rejected(
            say("There is no rate from %(currency)s to the currency of the books.", currency=currency), code="no_rate"
        )


def of_remainder(row: AcceptedRemainder) -> Outcome:
    """What a payout has more or less than its items, and a person took as it is."""
    if not row.amount:
        return Nothing(say("It moved no money."))
    payout = row.payout
    _in_books(payout.currency)
    day = local_day(payout.created_at)
    text = text_of("Differenz Auszahlung", payout.connection.name, payout.external_id)
    other = Key(event=Event.PAYOUT_DIFFERENCE, day=day, channel_id=payout.connection_id)
    rows = [_across(_account(payout.connection, day), other, row.amount, text, "")]
    return Draft(source=Source.REMAINDER, subject_id=row.pk, booked_on=day, rows=rows, text=text, payout_id=payout.pk)


def of_bank_line(row: BankLine, bank: bool = True) -> Outcome:
    """A line of the bank: a payout that arrived.  Customers' payments are posted as movements."""
    if row.purpose == Purpose.OPEN:
        return Later(say("It is not explained yet."))
    payout = getattr(row, "payout", None)
    if row.purpose != Purpose.PAYOUT or payout is None:
        return Nothing(
            say("A customer's payment is posted as a movement; anything else is none of the shops' business.")
        )
    if not bank:
        return Nothing(say("The adviser books the bank statements."))
    _in_books(row.currency)
    text = text_of("Bankeingang", payout.connection.name, payout.external_id)
    account = Key(event=Event.BANK, day=row.booked_on, channel_id=row.account.connection_id)
    transit = Key(event=Event.TRANSIT, day=row.booked_on, channel_id=payout.connection_id)
    rows = [_across(account, transit, row.amount, text, "")]
    return Draft(
        source=Source.BANK_LINE, subject_id=row.pk, booked_on=row.booked_on, rows=rows, text=text, bank_line_id=row.pk,
        payout_id=payout.pk,
    )  # fmt: skip


def of_write_off(row: WriteOff, number_of: Names, taxes: Mapping[int, tuple[str, Decimal]]) -> Outcome:
    """A difference given up; where all of the order bears one rate, at that rate, so that the VAT is corrected."""
    if row.state != WriteOffState.DONE:
        waits = row.state == WriteOffState.REQUESTED
        return Later(say("It waits for a second person.")) if waits else Nothing(say("It did not take place."))
    _in_books(row.currency)
    day, order = local_day(row.at), row.order
    case, rate = taxes.get(order.pk, ("", None))
    debtor = Key(event=Event.DEBTOR, day=day, channel_id=order.channel_id)
    text = text_of("Ausbuchung", order.channel.name, order.number)
    number = number_of(order.pk)
    if row.amount > 0:
        lost = Key(event=Event.WRITE_OFF, day=day, channel_id=order.channel_id, tax_case=case, rate=rate)
        rows = [Row(head=debtor, contra=lost, amount=-row.amount, text=text, belegfeld1=number)]
    else:
        kept = Key(event=Event.WRITE_UP, day=day, channel_id=order.channel_id)
        rows = [Row(head=debtor, contra=kept, amount=-row.amount, text=text, belegfeld1=number)]
    return Draft(
        source=Source.WRITE_OFF, subject_id=row.pk, booked_on=day, rows=rows, text=text, belegfeld1=number,
        order_id=order.pk, write_off_id=row.pk,
    )  # fmt: skip
