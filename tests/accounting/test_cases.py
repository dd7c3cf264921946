"""The worked cases of the books (1 to 10) to the cent, in SKR03 and in SKR04."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounting.events import Chart
from accounting.models import Posting
from integration_hub.models import Connection
from orders.models import Order
from payments import writeoffs
from tests.accounting import ledger, papers
from tests.accounting.test_money import sound
from tests.payments.provider import capture, tell
from tests.payments.test_payouts import entry

pytestmark = pytest.mark.django_db

IN_SKR04 = {
    "8400": "4400", "8300": "4300", "1776": "3806", "1771": "3801", "1361": "1461", "8320": "4320", "1767": "3817",
    "8125": "4125", "8120": "4120", "1718": "3272", "1796": "3786", "1200": "1800", "10001": "10001",
}  # fmt: skip


@pytest.fixture(params=["03", "04"])
def books(request: pytest.FixtureRequest, psp: Connection, bank: Connection, ordered: Callable[..., Order]) -> Case:
    ledger.keep(Chart(request.param))
    return Case(request.param, psp, bank, ordered)


class Case:
    """One worked case: orders, documents and money, then the balances."""

    def __init__(self, chart: str, psp: Connection, bank: Connection, ordered: Callable[..., Order]) -> None:
        self.chart, self.psp, self.bank, self.ordered = chart, psp, bank, ordered
        self._made: dict[int, Order] = {}

    def order(self, number: int, total: str) -> Order:
        if number not in self._made:
            self._made[number] = self.ordered(number, total=total)
        return self._made[number]

    def sell(self, number: int, total: str, *lines: Any, **more: Any) -> Any:
        return papers.issue(f"RE-2026-{number}", lines, order=self.order(number, total), **more)

    def pay(self, number: int, amount: str, id: str = "", **more: Any) -> None:
        tell(self.psp, capture(id or f"ch_{number}", amount, fee="0", order=f"laden:{number}", **more))

    def refund(self, id: str, amount: str, of: str) -> None:
        tell(self.psp, entry(id, "REFUND", f"-{amount}", parent=of))

    def comes_to(self, **wanted: str) -> None:
        """The balances after the case, SKR03 accounts as ``a8400``."""
        ledger.post()
        number = {name: name if self.chart == "03" else IN_SKR04[name] for name in IN_SKR04}
        assert ledger.balances() == {number[name[1:]]: Decimal(amount) for name, amount in wanted.items()}
        assert sum(ledger.balances().values(), Decimal(0)) == 0
        assert sound()


DE19, DE7 = ("DOMESTIC", "19"), ("DOMESTIC", "7")


def test_case_1_a_sale_paid_by_card(books: Case) -> None:
    books.sell(1001, "49.99", ("Kanne", "49.99", *DE19))
    books.pay(1001, "49.99")
    books.comes_to(a8400="-42.01", a1776="-7.98", a1361="49.99")
    assert {line.belegfeld1 for line in Posting.objects.all()} == {"RE-2026-1001"}


MIXED = (
    ("Kanne", "89.90", *DE19), ("Rabatt", "-8.99", *DE19, {"kind": "DISCOUNT"}),
    ("Versand", "4.66", *DE19, {"kind": "SHIPPING"}), ("Bücher", "25.00", *DE7),
    ("Rabatt", "-2.50", *DE7, {"kind": "DISCOUNT"}), ("Versand", "1.29", *DE7, {"kind": "SHIPPING"}),
)  # fmt: skip


def test_case_2_two_rates_with_discount_and_shipping_pro_rata(books: Case) -> None:
    books.sell(1002, "109.36", *MIXED)
    books.pay(1002, "109.36")
    books.comes_to(a8400="-71.91", a1776="-13.66", a8300="-22.23", a1771="-1.56", a1361="109.36")
    assert Posting.objects.filter(side="HEAD", event="DEBTOR").count() == 2  # one row per rate


def test_case_3_a_distance_sale_to_austria(books: Case) -> None:
    books.sell(1003, "60.00", ("Kanne", "60.00", "OSS", "20"), country="AT")
    books.pay(1003, "60.00")
    books.comes_to(a8320="-50.00", a1767="-10.00", a1361="60.00")
    row = Posting.objects.get(side="HEAD", event="DEBTOR")
    assert (row.tax_key, row.eu_id, row.eu_rate) == ("240", "AT", Decimal("0.20"))


def test_case_4_a_supply_to_a_business_in_austria_paid_by_transfer(books: Case) -> None:
    books.sell(1004, "200.00", ("Kanne", "200.00", "EU_B2B", "0"), country="AT", buyer_vat_id="ATU33864707")
    line = {"key": "1", "amount": "200.00", "name": "Firma", "text": "RE-2026-1004 Bestellung 1004"}
    tell(books.bank, {"number": "1", "opening": "0", "closing": "200.00", "lines": [line]}, topic="statement")
    books.comes_to(a8125="-200.00", a1200="200.00")
    assert Posting.objects.get(side="HEAD", event="DEBTOR").eu_id == "ATU33864707"


def test_case_5_an_export_to_switzerland(books: Case) -> None:
    books.sell(1005, "150.00", ("Kanne", "150.00", "EXPORT", "0"), country="CH")
    books.pay(1005, "150.00")
    books.comes_to(a8120="-150.00", a1361="150.00")


def test_case_6_a_single_purpose_voucher_is_taxed_when_it_is_issued(books: Case) -> None:
    books.sell(1006, "50.00", ("Gutschein G-77", "50.00", "VOUCHER_SINGLE", "19", {"kind": "VOUCHER"}))
    books.pay(1006, "50.00")
    redeemed = ("Gutschein G-77", "-50.00", "VOUCHER_SINGLE", "19", {"kind": "VOUCHER"})
    books.sell(1007, "0.00", ("Kanne", "50.00", *DE19), redeemed)
    books.comes_to(a1361="50.00", a1776="-7.98", a8400="-42.02")


def test_case_7_a_multi_purpose_voucher_is_taxed_when_it_is_redeemed(books: Case) -> None:
    books.sell(88, "100.00", ("Gutschein G-88", "100.00", "VOUCHER_MULTI", "0", {"kind": "VOUCHER"}))
    books.pay(88, "100.00")
    redeemed = ("Gutschein G-88", "-80.00", "VOUCHER_MULTI", "0", {"kind": "VOUCHER"})
    books.sell(1008, "80.00", ("Kanne", "80.00", *DE19), redeemed)
    books.comes_to(a1361="100.00", a1796="-20.00", a8400="-67.23", a1776="-12.77")


def test_case_8_part_of_it_goes_back(books: Case) -> None:
    sold = books.sell(1002, "109.36", *MIXED)
    books.pay(1002, "109.36")
    books.refund("re_31", "11.25", "ch_1002")
    papers.issue("RK-31", [("Buch", "-11.25", *DE7)], order=sold.order, kind="CORRECTION", corrects=sold)
    books.comes_to(a8400="-71.91", a1776="-13.66", a8300="-11.72", a1771="-0.82", a1361="98.11")
    head = Posting.objects.get(side="HEAD", text__startswith="Korrektur")
    assert (head.credit, head.belegfeld1, head.text) == (
        Decimal("11.25"),
        "RE-2026-1002",
        "Korrektur RK-31 zu RE-2026-1002",
    )


def test_case_9_cancelled_before_shipping_after_an_advance(books: Case) -> None:
    advance = books.sell(1009, "59.50", ("Anzahlung", "59.50", *DE19, {"kind": "ADVANCE"}), kind="ADVANCE_INVOICE")
    books.pay(1009, "59.50")
    books.comes_to(a1361="59.50", a1718="-50.00", a1776="-9.50")
    books.refund("re_1009", "59.50", "ch_1009")
    back = ("Anzahlung", "-59.50", *DE19, {"kind": "ADVANCE"})
    papers.issue("ST-1009", [back], order=advance.order, kind="CANCELLATION", corrects=advance)
    books.comes_to()


def test_case_9b_a_final_invoice_deducts_the_advance(books: Case) -> None:
    books.sell(1011, "59.50", ("Anzahlung", "59.50", *DE19, {"kind": "ADVANCE"}), kind="ADVANCE_INVOICE")
    books.pay(1011, "59.50")
    deducted = ("Anzahlung", "-59.50", *DE19, {"kind": "ADVANCE"})
    papers.issue(
        "RE-2026-2011", [("Kanne", "119.00", *DE19), deducted], order=books.order(1011, "119.00"), kind="FINAL_INVOICE"
    )
    books.comes_to(a1361="59.50", a8400="-100.00", a1776="-19.00", a10001="59.50")


def test_case_10_goods_come_back(books: Case) -> None:
    sold = books.sell(1001, "49.99", ("Kanne", "49.99", *DE19))
    books.pay(1001, "49.99")
    books.refund("re_32", "49.99", "ch_1001")
    papers.issue("RK-32", [("Kanne", "-49.99", *DE19)], order=sold.order, kind="CORRECTION", corrects=sold)
    books.comes_to()


def test_case_11_given_up_at_the_rate_of_the_invoice(books: Case, person: Any) -> None:

    sold = books.sell(1012, "12.00", ("Kanne", "12.00", *DE19))
    books.pay(1012, "9.00")
    spoken = writeoffs.request(sold.order, by=person("finance"), why="not worth a reminder")
    assert spoken.state == "DONE"
    ledger.post()
    balances = ledger.balances()
    lost = "2406" if books.chart == "03" else "6936"
    assert (balances[lost], balances.get("10001")) == (Decimal("2.52"), None)
    assert sound()
