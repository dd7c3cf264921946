"""The numbers of the start pages: each is a link to what it is made of, and none counts a whole table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from babel.numbers import format_decimal
from django.db import connection as database
from django.db.models import Count, Min, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from exceptions.kinds import known
from exceptions.models import ExceptionCase
from integration_hub.backoffice.words import ago, money
from integration_hub.models import Connection, InboundEvent, OutboundCommand
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import UNFINISHED, EventState
from integration_hub.models.outbound import MOVING, CommandState
from orders.models import Order
from orders.states import OrderState

from .filters import UNSETTLED

FEW = 10_000


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number: what it is, its value in words, a remark, where it leads, how it is to be taken."""

    label: Any
    value: str
    url: str
    remark: str = ""
    tone: str = ""


def _link(name: str, **query: Any) -> str:
    return f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)


def _count(value: int) -> str:
    return str(format_decimal(value, locale=get_language() or "de"))


def _amounts(rows: Iterable[tuple[str, Decimal | None]]) -> str:
    """Sums by currency, one after the other."""
    return " + ".join(money(amount, currency) for currency, amount in rows if amount)


def cases_of(role: str, label: Any) -> Tile:
    """The open cases a role is responsible for, with the money in them."""
    rows = list(
        ExceptionCase.objects.open()
        .filter(role=role)
        .values("currency")
        .annotate(number=Count("pk"), sum=Sum("amount"))
    )
    number = sum(row["number"] for row in rows)
    return Tile(
        label=label,
        value=_count(number),
        url=_link("exceptions", tab="all", role=role),
        remark=_amounts((row["currency"], row["sum"]) for row in rows),
        tone="bad" if number else "good",
    )


def overdue(role: str = "") -> Tile:
    """The open cases whose time is up."""
    late = ExceptionCase.objects.open().filter(due_at__lt=timezone.now())
    number = late.filter(role=role).count() if role else late.count()
    query = {"tab": "all", "overdue": "1"} | ({"role": role} if role else {})
    return Tile(
        label=_("Overdue exceptions"),
        value=_count(number),
        url=_link("exceptions", **query),
        tone="bad" if number else "good",
    )


def orders_today() -> Tile:
    """Orders placed since midnight, and what they are worth."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = list(
        Order.objects.filter(placed_at__gte=midnight).values("currency").annotate(number=Count("pk"), sum=Sum("total"))
    )
    return Tile(
        label=_("Orders today"),
        value=_count(sum(row["number"] for row in rows)),
        url=_link("orders", since=midnight.date().isoformat()),
        remark=_amounts((row["currency"], row["sum"]) for row in rows),
    )


def orders_in(state: OrderState, label: Any, tone: str) -> Tile:
    """Orders in a state that needs somebody, and what they are worth."""
    rows = list(Order.objects.filter(state=state).values("currency").annotate(number=Count("pk"), sum=Sum("total")))
    number = sum(row["number"] for row in rows)
    return Tile(
        label=label,
        value=_count(number),
        url=_link("orders", state=state),
        remark=_amounts((row["currency"], row["sum"]) for row in rows),
        tone=tone if number else "good",
    )


def _age(oldest: datetime | None) -> str:
    if oldest is None:
        return gettext("nothing waits")
    return gettext("the oldest %(ago)s") % {"ago": ago(oldest)}


_SLOW = timedelta(minutes=10)


def backlog_in() -> Tile:
    """Events that were stored and not understood yet, and how long the oldest waits."""
    found = InboundEvent.objects.filter(state__in=UNFINISHED).aggregate(number=Count("pk"), oldest=Min("received_at"))
    return _backlog(_("Waiting to be processed"), found, _link("events", state=UNSETTLED))


def backlog_out() -> Tile:
    """Commands that were not carried out yet, and how long the oldest waits."""
    found = OutboundCommand.objects.filter(state__in=MOVING).aggregate(number=Count("pk"), oldest=Min("created_at"))
    return _backlog(_("Waiting to be sent"), found, _link("commands", state=UNSETTLED))


def _backlog(label: Any, found: dict[str, Any], url: str) -> Tile:
    oldest = found["oldest"]
    slow = oldest is not None and timezone.now() - oldest > _SLOW
    return Tile(
        label=label, value=_count(found["number"]), url=url, remark=_age(oldest), tone="warn" if slow else "good"
    )


def parked_events() -> Tile:
    """Events that wait for a person."""
    number = InboundEvent.objects.filter(state=EventState.PARKED).count()
    return Tile(
        label=_("Parked events"),
        value=_count(number),
        url=_link("events", state=EventState.PARKED),
        tone="bad" if number else "good",
    )


def parked_commands() -> Tile:
    """Commands that wait for a person."""
    number = OutboundCommand.objects.filter(state=CommandState.PARKED).count()
    return Tile(
        label=_("Parked commands"),
        value=_count(number),
        url=_link("commands", state=CommandState.PARKED),
        tone="bad" if number else "good",
    )


def misconfigured() -> Tile:
    """Connections that cannot be used until somebody corrects them."""
    number = Connection.objects.filter(state=ConnectionState.MISCONFIGURED).count()
    return Tile(
        label=_("Misconfigured connections"),
        value=_count(number),
        url=_link("connections", state=ConnectionState.MISCONFIGURED),
        tone="bad" if number else "good",
    )


def webhooks_off() -> Tile:
    """Webhooks that a shop has switched off."""
    number = ExceptionCase.objects.open().filter(kind="webhook_disabled").count()
    return Tile(
        label=_("Webhooks switched off"),
        value=_count(number),
        url=_link("exceptions", tab="all", kind="webhook_disabled"),
        tone="warn" if number else "good",
    )


def customers() -> Tile:
    """How many customers there are: exact for few, the database's estimate for many."""
    few = Customer.objects.values("pk")[: FEW + 1].count()
    number = few if few <= FEW else max(_estimate(Customer._meta.db_table), few)
    return Tile(
        label=_("Customers"),
        value=_count(number),
        url=reverse("admin:customers_customer_changelist"),
        remark="" if few <= FEW else gettext("estimated"),
    )


def _estimate(table: str) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True)
class KindRow:
    """The open cases of one kind: how many, the money in them, when the first is due."""

    title: str
    number: int
    amounts: str
    due_at: datetime
    url: str
    late: bool


def cases_by_kind(role: str = "") -> list[KindRow]:
    """Open cases by kind, most money first."""
    rows = ExceptionCase.objects.open().filter(**({"role": role} if role else {}))
    sums: list[Any] = list(
        rows.values("kind", "currency")
        .annotate(number=Count("pk"), sum=Sum("amount"), due=Min("due_at"))
        .order_by("-sum")
    )
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for row in sums:
        by_kind.setdefault(row["kind"], []).append(row)
    return [_kind_row(kind, found, role) for kind, found in by_kind.items()]


def _kind_row(kind: str, rows: list[dict[str, Any]], role: str) -> KindRow:
    due = min(row["due"] for row in rows)
    query = {"tab": "all", "kind": kind} | ({"role": role} if role else {})
    return KindRow(
        title=short_title(kind),
        number=sum(row["number"] for row in rows),
        amounts=_amounts((row["currency"], row["sum"]) for row in rows),
        due_at=due,
        url=_link("exceptions", **query),
        late=due < timezone.now(),
    )


class _Blank(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "…"


def short_title(kind: str) -> str:
    """A kind's title with its gaps left open."""
    return str(known(kind).title) % _Blank()
