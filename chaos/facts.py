"""Both books side by side: what the played world holds, and what the hub holds of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count

from exceptions.models import CaseSubject, ExceptionCase
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.models import Connection, InboundEvent, OutboundCommand
from orders.aftersales.models import AfterSale
from orders.aftersales.states import OPEN
from orders.models import Order, OrderLine, Sale, Shipment

from .scene import SLUGS


@dataclass(frozen=True)
class Placed:
    """An order as its shop holds it in the end."""

    reference: str
    cancelled: bool
    unpaid: bool
    total: Decimal
    note: str


@dataclass(frozen=True)
class Erp:
    """A sale as the ERP holds it."""

    id: str
    state: str
    total: Decimal


@dataclass(frozen=True)
class Held:
    """An order as the hub holds it, with its sale's id in the ERP and the kinds of its open cases."""

    state: str
    total: Decimal
    note: str
    sale: str
    sale_total: Decimal | None
    cases: frozenset[str]
    cancelled: Decimal = Decimal(0)  # what its cancelled pieces cost, within a cent for each line
    cancelled_lines: int = 0


@dataclass
class Facts:
    """Everything that the invariants are judged by."""

    placed: dict[str, Placed]
    erp: dict[str, list[Erp]]
    parcels: Counter[str]  # that left, by sale
    told: Counter[tuple[int, str]]
    receipts: set[str]
    held: dict[str, Held] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)  # as the shops hold them, by order and id
    refunds_here: dict[str, Decimal] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()  # special cases that are not through, and no case says why
    twice_here: int = 0


def reference(shop: str, number: object) -> str:
    """What the hub calls an order of this played shop in the ERP."""
    return Order(channel=Connection(slug=SLUGS[shop]), external_id=str(number)).reference


def gather(books: dict[str, Any]) -> Facts:
    erp: dict[str, list[Erp]] = defaultdict(list)
    for row in books["sales"]:
        erp[row["client_order_ref"] or ""].append(Erp(str(row["id"]), row["state"], _amount(row["amount_total"])))
    left = Counter(str(row["sale_id"]) for row in books["parcels"] if row["state"] == "done")
    told = Counter((row["order_id"], row["note"]) for row in books["notes"])
    facts = Facts(_placed(books), dict(erp), left, told, set(books["receipts"]))
    facts.refunds = {
        f"{reference(row['shop'], row['order'])} {row['id']}": _amount(row["amount"]) for row in books["refunds"]
    }
    rows = AfterSale.objects.filter(external_id__startswith="REFUND:").select_related("order__channel", "connection")
    facts.refunds_here = {_refund_name(row): row.amount for row in rows}
    facts.waiting = tuple(_waiting())
    for held_reference, held in _held():
        facts.twice_here += held_reference in facts.held
        facts.held[held_reference] = held
    return facts


def _refund_name(row: AfterSale) -> str:
    order = row.order.reference if row.order else row.order_external_id
    return f"{order} {row.external_id.partition(':')[2]}"


def _waiting() -> Iterator[str]:
    """What is under way for ever; a parked command, a conflict or a doubt has its case."""
    of_rows, of_orders = open_cases(AfterSale), open_cases(Order)
    kinds = (AfterSaleKind.CANCELLATION, AfterSaleKind.REFUND)
    for row in AfterSale.objects.filter(state__in=OPEN, kind__in=kinds):
        if not (of_rows.get(row.pk) or of_orders.get(row.order_id or 0)):
            yield f"{row} of {row.order} is {row.state}"


def _placed(books: dict[str, Any]) -> dict[str, Placed]:
    found = [_woo(number, row) for number, row in books["woo"].items()]
    found += [_shopify(number, row) for number, row in books["shopify"].items()]
    return {order.reference: order for order in found}


def _woo(number: str, row: dict[str, Any]) -> Placed:
    return Placed(
        reference=reference("woo", number),
        cancelled=row["status"] == "cancelled",
        unpaid=row["status"] in ("pending", "on-hold"),
        total=_amount(row["total"]),
        note=row["customer_note"],
    )


def _shopify(number: str, row: dict[str, Any]) -> Placed:
    """Cash on delivery stays pending here, which this set-up does not deliver."""
    return Placed(
        reference=reference("shopify", number),
        cancelled=bool(row["cancelled_at"]),
        unpaid=row["financial_status"] == "pending",
        total=_amount(row["total_price"]),
        note=row["note"] or "",
    )


def _amount(value: object) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _held() -> list[tuple[str, Held]]:
    cases = open_cases(Order)
    sales = {sale.order_id: sale for sale in Sale.objects.all()}
    taken = _taken()
    return [(order.reference, _one(order, sales.get(order.pk), cases, taken[order.pk])) for order in _orders()]


def _taken() -> dict[int, list[Decimal]]:
    """By order, what its cancelled pieces cost."""
    found: dict[int, list[Decimal]] = defaultdict(list)
    for line in OrderLine.objects.filter(cancelled__gt=0):
        found[line.order_id].append(_amount(line.gross * line.cancelled / line.quantity))
    return found


def _orders() -> list[Order]:
    return list(Order.objects.select_related("channel").only("channel__slug", "external_id", "state", "total", "note"))


def _one(order: Order, sale: Sale | None, cases: dict[int, set[str]], taken: list[Decimal]) -> Held:
    return Held(
        state=order.state,
        total=order.total,
        note=order.note,
        sale=sale.external_id if sale else "",
        sale_total=sale.total if sale else None,
        cases=frozenset(cases.get(order.pk, ())),
        cancelled=sum(taken, Decimal(0)),
        cancelled_lines=len(taken),
    )


def open_cases(model: type[Order | InboundEvent | OutboundCommand | AfterSale]) -> dict[int, set[str]]:
    """Kinds of open cases by the object that they hold up."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = CaseSubject.objects.filter(
        open=True, case__state="OPEN", subject_type=ContentType.objects.get_for_model(model)
    )
    for pk, kind in rows.values_list("subject_id", "case__kind"):
        found[pk].add(kind)
    return found


def cases_by_kind() -> dict[str, int]:
    counts = ExceptionCase.objects.open().values_list("kind").annotate(Count("pk")).order_by("kind")
    return dict(counts)


def parcels_here() -> Counter[str]:
    """Shipments that the hub knows, by the ERP's sale."""
    counts = Shipment.objects.values_list("sale__external_id").annotate(Count("pk"))
    return Counter(dict(counts))
