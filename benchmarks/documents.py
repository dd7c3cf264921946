"""Documents: orders billed by two processes at once, as the workers do it, then PDFs of some of them."""

from __future__ import annotations

import multiprocessing
import time
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection as database
from django.db import connections

from accounting import shipped
from accounting.models import Document, Due, IssuingRule, NumberRange, Seller
from accounting.services import due, files
from accounting.states import FileKind
from benchmarks.processing import connect
from integration_hub.models import Connection
from orders.models import Order, OrderAddress, OrderLine

ORDERS, PDFS, PROCESSES = 3_000, 100, 2
PER_MINUTE = 10_000
FIRST = 40_000_000


def run() -> None:
    shop = connect("belege", "belege-erp")
    _books(shop)
    _orders(shop)
    _issue()
    _pdfs()


def _books(shop: Connection) -> None:
    """A seller, one number range for both processes, orders billed when they are confirmed."""
    shipped.sync()
    Seller.objects.create(
        valid_from="2020-01-01", name="A", street="B 1", postal_code="10115", city="C", vat_id="DE136695976"
    )
    numbers = NumberRange.objects.create(name="R", pattern="R-{year}-{number}")
    IssuingRule.objects.create(channel=shop, invoices=numbers, trigger="CONFIRMED")


def _orders(shop: Connection) -> None:
    """Orders of three lines at two rates, with shipping shared among them."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    common = {"channel": shop, "placed_at": now, "source_updated_at": now, "digest": "x", "stage": "READY"}
    common |= {"state": "ACCEPTED", "currency": "EUR", "prices_include_tax": True, "payment": "PAID"}
    orders = Order.objects.bulk_create(
        Order(external_id=str(FIRST + at), number=f"#{FIRST + at}", total="32.39", total_tax="4.85", **common)
        for at in range(ORDERS)
    )
    address = {"name": "Erika Muster", "street": "Weg 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
    OrderAddress.objects.bulk_create(
        OrderAddress(order=order, role="BILLING", stated_digest="x", **address) for order in orders
    )
    OrderLine.objects.bulk_create([line for order in orders for line in _lines(order)])
    Due.objects.bulk_create(Due(order=order, scope="order") for order in orders)


def _lines(order: Order) -> list[OrderLine]:
    rows = (("ITEM", "23.80", "3.80", "0.19"), ("ITEM", "3.69", "0.24", "0.07"), ("SHIPPING", "4.90", "0.78", "0.19"))
    return [
        OrderLine(
            order=order,
            position=at,
            external_id=str(at),
            kind=kind,
            title="Ware",
            quantity=1,
            unit_price=gross,
            net=Decimal(gross) - Decimal(tax),
            tax=tax,
            gross=gross,
            tax_rate=rate,
        )
        for at, (kind, gross, tax, rate) in enumerate(rows, 1)
    ]


def _work() -> None:
    connections.close_all()
    while due.work():
        pass


def _issue() -> None:
    from benchmarks.__main__ import line  # noqa: PLC0415  the one line that is printed

    IssuingRule.objects.update(tolerance="0.50")
    database.close()
    began = time.perf_counter()
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_work) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - began
    issued = Document.objects.filter(state="ISSUED").count()
    assert issued == ORDERS, f"{issued} of {ORDERS}"
    rate = issued / took * 60
    line("documents_issued", rate, "documents/min", rate / PER_MINUTE, 1.0)


def _pdfs() -> None:
    from benchmarks.__main__ import line  # noqa: PLC0415

    wanted = Document.objects.filter(state="ISSUED").order_by("pk").values_list("pk", flat=True)[:PDFS]
    began = time.perf_counter()
    for pk in wanted:
        files.file_of(pk, FileKind.PDF)
    rate = len(wanted) / (time.perf_counter() - began) * 60
    line("document_pdfs", rate, "PDFs with XML/min on one core", rate / 300, 1.0)
