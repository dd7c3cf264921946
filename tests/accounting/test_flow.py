"""From what happens to an order to its documents: every trigger, every doubt, what is given back, what fails."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounting import actions
from accounting.models import Document, Due, Origin, Series
from accounting.services import due, issuing, planning, reversing
from accounting.services.planning import Delivery
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.models import Connection, User
from integration_hub.models.patience import patiently
from orders.aftersales.models import AfterSale, AfterSaleLine
from orders.models import Order, OrderAddress, Sale, Shipment, ShipmentLine
from tests import spine, standin
from tests.accounting import books

pytestmark = pytest.mark.django_db
ONE = "2026-11-20T10:00:00Z"


def kinds() -> list[str]:
    return list(Document.objects.filter(state="ISSUED").order_by("pk").values_list("kind", flat=True))


def shipped(order: Order, erp: Connection, pieces: str, name: str) -> Shipment:
    """A parcel with so many pieces of the order's first line."""
    sale, _made = Sale.objects.get_or_create(
        order=order, connection=erp, defaults={"external_id": f"S{order.pk}", "stage": "CONFIRMED"}
    )
    parcel = Shipment.objects.create(order=order, sale=sale, external_id=name, shipped_at=ONE)
    ShipmentLine.objects.create(shipment=parcel, line=order.lines.get(position=1), quantity=pieces)
    return Shipment.objects.select_related("order").get(pk=parcel.pk)


def special(order: Order, kind: str, amount: str) -> AfterSale:
    """A special case of the order that is done."""
    row = AfterSale.objects.create(order=order, kind=kind, state="DONE", occurred_at=ONE, amount=amount)
    return AfterSale.objects.select_related("order").get(pk=row.pk)


def run() -> None:
    Due.objects.update(due_at=timezone.now())
    while due.work():
        pass


def test_an_accepted_order_is_billed_by_the_lane(joined: Connection) -> None:
    books.rule(joined, trigger="CONFIRMED")
    spine.teapot()
    spine.say(joined, standin.order(1))
    spine.run()
    assert Due.objects.count() == 1
    run()
    document = Document.objects.get()
    assert (document.kind, document.gross, document.prepaid) == ("INVOICE", Decimal("28.70"), Decimal("28.70"))
    assert (Due.objects.count(), spine.open_cases()) == (0, [])


def test_a_channel_without_a_rule_bills_nothing(joined: Connection) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1))
    spine.run()
    run()
    assert (Document.objects.count(), Due.objects.count()) == (0, 0)


def test_each_parcel_has_its_invoice_and_the_last_takes_the_rest(laden: Connection, erp: Connection) -> None:
    books.rule(laden, trigger="EACH_SHIPMENT")
    ship = books.line("4.90", kind="SHIPPING", title="DHL")
    order = books.ordered(laden, 1, books.line("10.00", quantity="3", price="3.3333"), ship)
    due.shipped([shipped(order, erp, "1", "a")])
    run()
    due.shipped([shipped(order, erp, "2", "b")])
    run()
    sums = list(Document.objects.order_by("pk").values_list("gross", flat=True))
    assert (kinds(), sums) == (["PARTIAL_INVOICE", "PARTIAL_INVOICE"], [Decimal("8.23"), Decimal("6.67")])
    assert sum(sums) == Decimal("14.90")
    assert issuing.issue_many([Delivery(order.pk)]).documents == []


def test_at_month_end_a_customer_gets_one_invoice_over_all_deliveries(laden: Connection, erp: Connection) -> None:
    books.rule(laden, trigger="MONTH_END")
    orders = [
        books.ordered(laden, number, books.line("10.00", quantity="1"), email="a@example.com") for number in (1, 2, 3)
    ]
    other = books.ordered(laden, 4, books.line("5.00", quantity="1"), email="b@example.com")
    due.shipped([shipped(order, erp, "1", f"p{order.pk}") for order in (*orders, other)])
    assert due.work() == 0  # not before the month is over
    run()
    found = Document.objects.get(kind="COLLECTIVE_INVOICE")
    assert (found.gross, found.order, found.origins.count()) == (Decimal("30.00"), None, 3)
    assert found.tax == Decimal("4.79")  # once over all, not three times 1.60
    assert Document.objects.get(kind="INVOICE").order == other


def test_a_return_corrects_what_was_billed(laden: Connection) -> None:
    order = books.ordered(laden, 1, books.line("22.50", "0.07", quantity="2"), books.line("50.00"))
    original = issuing.issue(Delivery(order.pk))
    back = special(order, "RETURN", "11.25")
    AfterSaleLine.objects.create(after_sale=back, line=order.lines.get(position=1), quantity=1, amount="11.25")
    due.given_back([back])
    run()
    document = Document.objects.get(kind="CORRECTION")
    assert (document.net, document.tax, document.corrects) == (Decimal("-10.51"), Decimal("-0.74"), original)
    due.given_back([back])
    run()
    assert Document.objects.filter(kind="CORRECTION").count() == 1


def test_a_cancelled_order_gets_a_cancellation_invoice(laden: Connection) -> None:
    order = books.ordered(laden, 1, books.line("22.50", "0.07", quantity="2"), books.line("50.00"))
    issuing.issue(Delivery(order.pk))
    back = special(order, "CANCELLATION", "72.50")
    for line in order.lines.all():
        AfterSaleLine.objects.create(after_sale=back, line=line, quantity=line.quantity, amount=line.gross)
    due.given_back([back])
    run()
    assert kinds() == ["INVOICE", "CANCELLATION"]
    assert Origin.objects.filter(released_by=None).count() == 0


def test_money_without_a_line_is_shared_and_never_more_than_billed(laden: Connection) -> None:
    order = books.ordered(laden, 1, books.line("80.00"), books.line("20.00", "0.07"))
    issuing.issue(Delivery(order.pk))
    gift = special(order, "REFUND", "10.00")
    reversing.after(gift)
    document = Document.objects.get(kind="CORRECTION")
    rows = sorted((row.rate, row.gross) for row in document.taxes.all())
    assert rows == [(Decimal("0.07"), Decimal("-2.00")), (Decimal("0.19"), Decimal("-8.00"))]


def test_another_tax_than_the_shops_is_asked_about(laden: Connection, person: Callable[..., User]) -> None:
    order = books.ordered(laden, 1, books.line("119.00", "0.19"), country="FR")
    books.seller(oss=True)
    assert issuing.issue_many([Delivery(order.pk)]).documents == []
    assert spine.open_cases() == [("document_tax_differs", 1)]
    assert (Document.objects.get().state, Series.objects.count()) == ("DOUBT", 0)
    case = ExceptionCase.objects.get()
    perform(actions.HUB_FIGURES, case, by=person("finance"), data={"why": "Der Shop kennt OSS nicht"})
    document = Document.objects.get()
    assert (document.state, document.gross, document.tax) == ("ISSUED", Decimal("119.00"), Decimal("19.83"))
    assert spine.open_cases() == []


def test_the_shops_rates_hold_where_a_person_says_so(laden: Connection, person: Callable[..., User]) -> None:
    order = books.ordered(laden, 1, books.line("119.00", "0.19"), country="FR")
    books.seller(oss=True)
    issuing.issue_many([Delivery(order.pk)])
    data = {"why": "Vor dem Wechsel bestellt"}
    perform(actions.SHOP_FIGURES, ExceptionCase.objects.get(), by=person("finance"), data=data)
    assert [row.tax_case for row in Document.objects.get().taxes.all()] == ["EU_BELOW_THRESHOLD"]


def test_what_the_law_asks_for_is_there_or_nothing_is_issued(laden: Connection, person: Callable[..., User]) -> None:
    order = books.ordered(laden, 1, books.line("119.00"))
    OrderAddress.objects.update(street="")
    issuing.issue_many([Delivery(order.pk)])
    assert spine.open_kinds() == {"document_incomplete"}
    OrderAddress.objects.update(street="Weg 1")
    perform(actions.ISSUE_AGAIN, ExceptionCase.objects.get(), by=person("finance"), data={})
    assert (kinds(), spine.open_kinds()) == (["INVOICE"], set())


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"total": "118.00"}, "document_sum_differs"),
        ({"country": "AT", "vat_id": "ATU33864708", "rate": "0"}, "document_tax_undecided"),
        ({"rate": "0.16"}, "document_tax_undecided"),
    ],
)
def test_bad_input_is_found_before_the_document(laden: Connection, changes: dict[str, Any], kind: str) -> None:
    rate = changes.pop("rate", "0.19")
    order = books.ordered(laden, 1, books.line("119.00", rate), **changes)
    issuing.issue_many([Delivery(order.pk)])
    assert kind in spine.open_kinds()
    assert Document.objects.filter(state="ISSUED").count() == 0


def test_what_others_issued_is_recorded_as_theirs(laden: Connection, person: Callable[..., User]) -> None:
    order = books.ordered(laden, 1, books.line("119.00"))
    data = {"number": "WC-77", "issued_on": "2026-11-20", "why": "vom Shop ausgestellt"}
    perform(actions.RECORD_ELSEWHERE, order, by=person("finance"), data=data)
    document = Document.objects.get()
    assert (document.issuer, document.number, document.source) == ("SHOP", "WC-77", laden)
    assert document.tax == Decimal("19.00")
    assert issuing.issue_many([Delivery(order.pk)]).documents == []


def test_the_threshold_is_watched_as_documents_go_out(laden: Connection) -> None:
    first = books.ordered(laden, 1, books.line("11900.00"), country="FR")
    assert [row.tax_case for row in issuing.issue(Delivery(first.pk)).taxes.all()] == ["EU_BELOW_THRESHOLD"]
    second = books.ordered(laden, 2, books.line("12.00", "0.20"), country="FR")
    assert [row.tax_case for row in issuing.issue(Delivery(second.pk)).taxes.all()] == ["OSS"]


def test_one_that_fails_holds_up_no_other_and_leaves_no_gap(laden: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [books.ordered(laden, number, books.line("10.00")) for number in (1, 2, 3)]
    due.note(Due(order=order, scope="order") for order in orders)
    real = planning.plan

    def plan(deliveries: Any, day: Any, **more: Any) -> Any:
        if any(one.order_id == orders[1].pk for one in deliveries):
            raise ZeroDivisionError
        return real(deliveries, day, **more)

    monkeypatch.setattr(planning, "plan", plan)
    run()
    assert sorted(one or 0 for one in Document.objects.values_list("sequence", flat=True)) == [1, 2]
    assert spine.open_cases() == [("document_failed", 1)]
    monkeypatch.setattr(planning, "plan", real)
    patiently(lambda: due.again(orders[1]))
    assert (Document.objects.count(), spine.open_cases()) == (3, [])
