"""Whatever happens to an order in whatever order: in the end the sides agree, or somebody has it on a list.

The oracle looks at rows and at what the stand-ins were told, not at the code that moves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exceptions.models import CaseSubject, ExceptionCase
from integration_hub.kernel.aftersales import AfterSaleKind, CancelSale, WriteReturn
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, InboundEvent, OutboundCommand, User
from integration_hub.models.inbound import UNFINISHED
from integration_hub.models.outbound import MOVING
from orders.aftersales import check, services, steps
from orders.aftersales.models import AfterSale, AfterSaleStep
from orders.aftersales.states import TAKING, AfterSaleState
from orders.models import Order, OrderLine, Sale
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, rule, ship, told

pytestmark = pytest.mark.django_db
S = AfterSaleState


@dataclass
class Play:
    """One order, its shop, its ERP and one person; each move is one thing that one of them does."""

    shop: Connection
    boss: User
    order: Order
    minute: int = 0
    reported: int = 0
    shipped: int = 0
    seen: list[str] = field(default_factory=list)

    def now(self) -> str:
        self.minute += 1
        return f"2026-11-21T{10 + self.minute // 60:02}:{self.minute % 60:02}:00Z"

    def shop_says(self, stage: str, **changes: Any) -> None:
        spine.say(self.shop, standin.order(1, stage=stage, updated_at=self.now(), **changes))

    def shop_deletes(self) -> None:
        spine.say(self.shop, {"id": 1, "found": self.now()}, topic="order.gone")

    def reports(self, kind: str, stage: str = "DONE", **more: Any) -> None:
        self.reported += 1
        found = {"id": self.reported, "kind": kind, "stage": stage, "updated_at": self.now(), **more}
        spine.say(self.shop, found, topic="after_sale")

    def again(self, stage: str) -> None:
        """The shop says how its latest case stands now."""
        if self.reported:
            found = {"id": self.reported, "kind": "RETURN", "stage": stage, "updated_at": self.now()}
            spine.say(self.shop, found | {"positions": [{"line": "1", "quantity": "1"}]}, topic="after_sale")

    def ships(self, pieces: int) -> None:
        if self.sale().stage == "CANCELLED" or self.shipped + pieces > 2:
            return
        self.shipped += pieces
        stage = "SHIPPED" if self.shipped == 2 else "PARTLY_SHIPPED"
        self.minute += 1
        ship(self.order, str(pieces), parcel=f"P{self.shipped}", stage=stage, minute=self.minute)

    def sale(self) -> Sale:
        return Sale.objects.get(order=self.order)

    def erp_cancels(self) -> None:
        sale = self.sale()
        if sale.stage in ("CONFIRMED", "DRAFT"):
            found = {"id": sale.external_id, "number": sale.number, "stage": "CANCELLED", "updated_at": self.now()}
            spine.say(sale.connection, found, topic="sale.polled")

    def wants(self, kind: AfterSaleKind, pieces: int) -> None:
        self.order.refresh_from_db()
        line = self.order.lines.get(sku="TK-100")
        amount = Decimal("3.00") if kind == AfterSaleKind.DISCOUNT else None
        wanted = {line.pk: Decimal(pieces)} if pieces and amount is None else {}
        self.tries(services.request, self.order, kind, wanted, why="x", amount=amount)

    def decides(self, what: Callable[..., Any], *states: str, **given: Any) -> None:
        row = AfterSale.objects.filter(state__in=states).order_by("pk").first()
        if row:
            self.tries(what, row.pk, **given)

    def inspects(self, good: int, bad: int) -> None:
        row = AfterSale.objects.filter(state=S.ARRIVED).order_by("pk").first()
        if row:
            found = {one.pk: {"RESTOCK": Decimal(good), "WRITE_OFF": Decimal(bad)} for one in row.lines.all()}
            self.tries(services.inspect, row.pk, found)

    def tries(self, what: Callable[..., Any], *args: Any, **given: Any) -> None:
        """A person's button: it works, or says why not and changes nothing."""
        try:
            with transaction.atomic():
                what(*args, by=self.boss, **given)
        except NotNow as no:
            self.seen.append(no.code)

    def by_hand(self) -> None:
        for row in AfterSale.objects.filter(state=S.RUNNING).order_by("pk"):
            if services.waits_for_hand(row):
                self.tries(services.done_by_hand, row.pk, why="done")
                return


MOVES: dict[str, Callable[[Play], None]] = {
    "shop cancels": lambda it: it.shop_says("CANCELLED"),
    "shop restores": lambda it: it.shop_says("READY"),
    "shop deletes": lambda it: it.shop_deletes(),
    "shop edits the address": lambda it: it.shop_says("READY", street="Neue Straße 5"),
    "shop edits pieces": lambda it: it.shop_says("READY", total="16.80", total_tax="2.68"),
    "shop refunds an amount": lambda it: it.reports("REFUND", amount="2.00"),
    "shop refunds a piece": lambda it: it.reports("REFUND", positions=[{"line": "1", "quantity": "1"}]),
    "shop cancels too many": lambda it: it.reports("CANCELLATION", positions=[{"line": "1", "quantity": "9"}]),
    "return asked for": lambda it: it.reports("RETURN", "REQUESTED", positions=[{"line": "1", "quantity": "1"}]),
    "return announced": lambda it: it.reports("RETURN", "ANNOUNCED", positions=[{"line": "1", "quantity": "1"}]),
    "return of nothing known": lambda it: it.reports(
        "RETURN", "ANNOUNCED", positions=[{"line": "77", "quantity": "1"}]
    ),
    "return arrived there": lambda it: it.again("RECEIVED"),
    "return declined there": lambda it: it.again("DECLINED"),
    "ERP ships one": lambda it: it.ships(1),
    "ERP ships two": lambda it: it.ships(2),
    "ERP cancels": lambda it: it.erp_cancels(),
    "person cancels a piece": lambda it: it.wants(AfterSaleKind.CANCELLATION, 1),
    "person cancels all": lambda it: it.wants(AfterSaleKind.CANCELLATION, 0),
    "person announces a return": lambda it: it.wants(AfterSaleKind.RETURN, 1),
    "person grants a discount": lambda it: it.wants(AfterSaleKind.DISCOUNT, 0),
    "person confirms": lambda it: it.decides(services.confirm, S.PROPOSED),
    "person declines": lambda it: it.decides(services.decline, S.PROPOSED, S.ANNOUNCED, S.RUNNING, why="no"),
    "it arrives": lambda it: it.decides(services.arrive, S.ANNOUNCED),
    "inspected as good": lambda it: it.inspects(1, 0),
    "inspected as broken": lambda it: it.inspects(0, 1),
    "nothing was in it": lambda it: it.inspects(0, 0),
    "done by hand": lambda it: it.by_hand(),
}


@contextmanager
def play(boss: User) -> Iterator[Play]:
    """A fresh world whose traces are gone afterwards."""
    standin.WORLD.__dict__.update(standin.World().__dict__)
    with transaction.atomic():
        shop = joined()
        yield Play(shop, boss, placed(shop))
        transaction.set_rollback(True)


def lost() -> list[str]:
    """What nobody would ever look at again; empty is what must be."""
    return [*_unfinished(), *_ownerless(), *_miscounted(), *_apart(), *_untold()]


def _unfinished() -> list[str]:
    stuck = InboundEvent.objects.filter(state__in=UNFINISHED).count()
    parked = InboundEvent.objects.filter(state="PARKED").count()
    moving = OutboundCommand.objects.filter(state__in=MOVING).count()
    return [f"{stuck} events, {parked} parked, {moving} commands"] if stuck or parked or moving else []


def _ownerless() -> list[str]:
    """Every special case is over, or waits for a person, a parcel or a target that somebody is told about."""
    found = []
    for row in AfterSale.objects.all():
        if row.state == S.UNTIED and not _has_case(row):
            found.append(f"{row} is untied without a case")
        if row.state == S.RUNNING and not any(map(_owned, row.steps.filter(done_at=None, skipped={}))):
            found.append(f"{row} runs, but no step of it waits for anything")
        found += [
            f"{row}: nobody sees to {step}" for step in row.steps.filter(done_at=None, skipped={}) if not _owned(step)
        ]
    return found


def _owned(step: AfterSaleStep) -> bool:
    if step.code in (steps.BY_HAND, steps.MONEY, steps.REST):
        return step.after_sale.state == S.RUNNING
    if step.command is None:  # waits for the money, which is a step of its own
        return step.after_sale.steps.filter(code=steps.MONEY, done_at=None).exists()
    return step.command.state in MOVING or _has_case(step.command) or _has_case(step.after_sale)


def _has_case(row: Any) -> bool:
    named = ExceptionCase.objects.open().filter(data__after_sale=row.pk) if isinstance(row, AfterSale) else None
    subjects = CaseSubject.objects.filter(subject_id=row.pk, open=True, case__state="OPEN")
    of = subjects.filter(subject_type__model=row._meta.model_name)
    return of.exists() or bool(named and named.exists())


def _miscounted() -> list[str]:
    """The lines know of exactly the pieces that special cases have taken, and never more than were ordered."""
    found = []
    for line in OrderLine.objects.filter(kind="ITEM"):
        for column, kinds in (("cancelled", ["CANCELLATION"]), ("returned", ["RETURN", "EXCHANGE"])):
            taken = line.after_sale_lines.filter(after_sale__state__in=TAKING, after_sale__kind__in=kinds)
            pieces = taken.aggregate(sum=Sum("quantity"))["sum"] or Decimal(0)
            if pieces != getattr(line, column):
                found.append(f"{line}: {column} {getattr(line, column)}, but {pieces} in special cases")
    return found


def _apart() -> list[str]:
    """Shop and ERP stand against each other, and nobody knows."""
    found = []
    for sale in Sale.objects.select_related("order"):
        order = sale.order
        shop_over, erp_over = order.stage in ("CANCELLED", "GONE"), sale.stage == "CANCELLED"
        if shop_over != erp_over and not _known(order):
            found.append(f"shop {order.stage}, ERP {sale.stage}")
    return found


def _known(order: Order) -> bool:
    """On a list: a special case that is open or was decided by a person, an exception, or the shop was told."""
    open_rows = order.after_sales.filter(state__in=(S.UNTIED, S.PROPOSED, S.ANNOUNCED, S.ARRIVED, S.RUNNING))
    decided = order.after_sales.filter(kind__in=["CANCELLATION", "RETURN"], state__in=(S.DECLINED, S.DONE))
    told_shop = OutboundCommand.objects.filter(
        subject_id=order.pk, verb__in=("shop.cancelled", "shop.cancel"), state="DONE"
    )
    return open_rows.exists() or decided.exists() or _has_case(order) or told_shop.exists()


def _untold() -> list[str]:
    """What counts as done in the ERP was really said to it."""
    keys = {command.key for command in told(CancelSale)} | {command.reference for command in told(WriteReturn)}
    done = AfterSaleStep.objects.filter(code__in=(steps.CANCEL_SALE, steps.WRITE_RETURN), done_at__isnull=False)
    by_itself = Sale.objects.filter(stage="CANCELLED")
    return [
        f"{step} of {step.after_sale} was never said"
        for step in done.select_related("after_sale__order__channel")
        if step.after_sale.reference not in keys and not by_itself.filter(order=step.after_sale.order).exists()
    ]


@pytest.mark.parametrize("mode", ["PROPOSE", "AUTOMATIC"])
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.sampled_from(sorted(MOVES)), min_size=2, max_size=8))
def test_any_sequence_ends_in_agreement_or_on_a_list(mode: str, moves: list[str]) -> None:
    boss, _made = User.objects.get_or_create(username="boss", is_superuser=True)
    with play(boss) as it:
        for kind in ("CANCELLATION", "RETURN", "REFUND"):
            rule(it.shop, kind, mode)
        for name in moves:
            MOVES[name](it)
            spine.run()
            spine.later()
            assert lost() == [], name
        check.nightly()
        assert lost() == []


def test_the_oracle_sees_what_is_lost(boss: User) -> None:
    """It complains where a case is closed under a state, a step is dropped, a piece is miscounted, or the sides part."""
    with play(boss) as it:
        MOVES["shop cancels"](it)
        spine.run()
        assert lost() == []
        ExceptionCase.objects.all().delete()
        AfterSale.objects.all().delete()
        assert lost() == ["shop CANCELLED, ERP CONFIRMED"]
    with play(boss) as it:
        MOVES["person cancels a piece"](it)
        MOVES["person confirms"](it)
        spine.run()
        AfterSaleStep.objects.filter(done_at=None).delete()
        OrderLine.objects.filter(sku="TK-100").update(cancelled=0)
        assert len(lost()) == 2


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="x")
