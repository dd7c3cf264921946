"""The verbs that tie movements to orders: by the hub where it is certain, by people where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from integration_hub.models.activity import note
from orders.models import Order

from . import balances, late, likely, matching, recognising, writeoffs
from .likely import Fit
from .models import Allocation, Candidate, Transaction, Unassigned
from .states import MONEY_BACK, Ground, How, Kind, Search

BATCH = 200


@dataclass(frozen=True)
class Share:
    """So much of a movement for an order; ``order_amount`` only where the order has another currency."""

    order: Order
    amount: Decimal
    order_amount: Decimal | None = None


def tie(ids: Iterable[int]) -> None:
    """Find the orders of these movements, those in doubt too, and bring everything up to date that hangs on them."""
    wanted = list(ids)
    orders = set(matching.match(wanted))
    waiting = late.waiting(Unassigned.objects.filter(pk__in=wanted))
    for row in _undecided(wanted):
        orders |= _judge(row)
    late.came(waiting)
    follow(wanted, orders)


def follow(ids: Sequence[int], orders: Iterable[int]) -> None:
    """What comes after movements and allocations have changed: refunds recognised, open items computed."""
    orders = {*orders, *matching.orders_of(ids)}
    recognising.recognise([*ids, *_returned(ids)])
    balances.refresh(orders)
    writeoffs.by_rule(orders)


def _returned(ids: Sequence[int]) -> list[int]:
    """Refunds of these payments that came before them."""
    names = matching.names_of(ids)
    waiting = Q(pk=None)
    for connection, found in names.items():
        waiting |= Q(connection_id=connection, parent_external_id__in=found)
    rows = Transaction.objects.filter(waiting, kind__in=MONEY_BACK, refund=None) if names else []
    return [row.pk for row in rows]


def look_again(limit: int = BATCH) -> int:
    """Judge those again whose time it is: whose order may have come, and who waited long enough for it."""
    due = Unassigned.objects.filter(search__in=(Search.NEW, Search.WAITING), ask_at__lte=timezone.now())
    due = due.exclude(transaction__kind=Kind.AUTHORISATION)
    ids = list(due.order_by("ask_at").values_list("pk", flat=True)[:limit])
    for pk in ids:
        with transaction.atomic():
            tie([pk])
    return len(ids)


def _undecided(ids: Sequence[int]) -> list[Transaction]:
    rows = Transaction.objects.filter(unassigned__pk__in=ids).select_related("connection", "unassigned")
    return list(rows.order_by("pk"))


def _judge(row: Transaction) -> set[int]:
    """Tie it if text and amount leave no doubt, else propose, ask, or wait for an order that may be on its way."""
    found = likely.fits(row)
    chosen = likely.best(found)
    if chosen and likely.is_sure(chosen):
        _write(row, [Share(chosen.order, row.gross)], how=How.CERTAIN, ground=Ground.TEXT, score=chosen.score)
        return {chosen.order.pk}
    promise = row.kind == Kind.AUTHORISATION  # no money yet, so nobody is asked
    if promise or (not found and timezone.now() < row.unassigned.ask_at):
        Unassigned.objects.filter(pk=row.pk).update(search=Search.WAITING)
        return set()
    _ask(row, found, chosen)
    return set()


def _ask(row: Transaction, found: Sequence[Fit], chosen: Fit | None) -> None:
    """A case with what fits, best first."""
    Unassigned.objects.filter(pk=row.pk).update(search=Search.ASKED)
    Candidate.objects.filter(transaction=row).delete()
    Candidate.objects.bulk_create(
        [Candidate(transaction=row, order=fit.order, score=fit.score, reason=fit.reason.as_json()) for fit in found]
    )
    kind = _kind(row, found, chosen)
    cases.settle(row, kinds=matching.KINDS, still=[(kind, f"transaction:{row.pk}")])
    trouble = Trouble(
        kind=kind,
        cause=f"transaction:{row.pk}",
        params={"number": row.external_id},
        expected=say("One order that this money is for"),
        found=_found(row, found),
        data={"transaction": row.pk},
    )
    cases.open_case(trouble, row, connection=row.connection, event_id=row.event_id)


def _kind(row: Transaction, found: Sequence[Fit], chosen: Fit | None) -> str:
    if chosen:
        return "payment_proposed"
    if found and all(fit.score <= likely.POSSIBLE for fit in found):
        return "payment_other_currency"
    if found:
        return "payment_ambiguous"
    return "payment_unmatched" if row.gross > 0 else "refund_without_order"


def _found(row: Transaction, found: Sequence[Fit]) -> Text:
    money = Money(row.gross, row.currency)
    if not found:
        return say("%(money)s without any sign of its order", money=money)
    return say(
        "%(money)s; %(orders)s",
        money=money,
        orders=[say("%(number)s: %(reason)s", number=fit.order.number, reason=fit.reason) for fit in found],
    )


def assign(row: Transaction, shares: Sequence[Share], *, by: User, how: How = How.PERSON, why: str = "") -> None:
    """A person says for which orders the movement is; NotNow where more is given than there is."""
    row = Transaction.objects.select_for_update(of=("self",)).select_related("connection").get(pk=row.pk)
    for share in shares:
        _refuse_misfits(row, share)
    given = sum((share.amount for share in shares), Decimal(0))
    free = row.gross - sum(_held(row), Decimal(0))
    if abs(given) > abs(free):
        raise NotNow(say("Only %(free)s of it is left.", free=Money(free, row.currency)))
    ground = Ground.SCORE if how == How.PROPOSED else Ground.CHOSEN
    _write(row, shares, how=how, ground=ground, by=by, why=why)
    follow([row.pk, *_followers(row)], [share.order.pk for share in shares])


def _refuse_misfits(row: Transaction, share: Share) -> None:
    if share.amount * row.gross <= 0:
        raise NotNow(say("The amount must be of the same sign as the movement."))
    if share.order.currency != row.currency and not share.order_amount:
        raise NotNow(
            say(
                "The order is in %(order)s, the movement in %(movement)s: say how much it is in %(order)s.",
                order=share.order.currency,
                movement=row.currency,
            )
        )


def _held(row: Transaction) -> list[Decimal]:
    return list(Allocation.objects.filter(transaction_id=row.pk).values_list("amount", flat=True))


def _followers(row: Transaction) -> list[int]:
    """Refunds of this payment that wait for its order."""
    waiting = Unassigned.objects.filter(
        transaction__connection_id=row.connection_id,
        transaction__parent_external_id__in=[row.external_id, *row.payment_ids],
    )
    ids = list(waiting.values_list("pk", flat=True))
    matching.match(ids)
    return ids


def _write(
    row: Transaction,
    shares: Sequence[Share],
    *,
    how: How,
    ground: Ground,
    score: int | None = None,
    by: User | None = None,
    why: str = "",
) -> None:
    Unassigned.objects.filter(pk=row.pk).delete()
    last = Allocation.objects.filter(transaction_id=row.pk).aggregate(last=Max("position"))["last"] or 0
    Allocation.objects.bulk_create(
        [
            Allocation(
                transaction_id=row.pk,
                position=last + place,
                order_id=share.order.pk,
                amount=share.amount,
                order_amount=share.order_amount or share.amount,
                how=how,
                ground=ground,
                score=score,
            )
            for place, share in enumerate(shares, start=1)
        ]
    )
    Candidate.objects.filter(transaction=row).delete()
    cases.settle(row, kinds=matching.KINDS, by=by)
    orders = ", ".join(share.order.number for share in shares)
    text = say("Tied to %(orders)s: %(what)s", orders=orders, what=ground.value)
    note(row, "payments.tied", text, by=by, system="" if by else "hub", why=why)


def release(row: Transaction, *, by: User, why: str) -> None:
    """Take back what a movement was tied to; it looks for its order again, and a person decides."""
    row = Transaction.objects.select_for_update(of=("self",)).select_related("connection").get(pk=row.pk)
    orders = matching.orders_of([row.pk])
    Allocation.objects.filter(transaction_id=row.pk).delete()
    Unassigned.objects.get_or_create(pk=row.pk, defaults={"ask_at": timezone.now(), "search": Search.ASKED})
    note(row, "payments.released", say("No longer tied to an order"), by=by, why=why)
    _ask(row, likely.fits(row), None)
    balances.refresh(orders)
