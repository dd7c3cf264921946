"""The worked cases of the books, to the cent: what is on the document, by tax case, country and rate."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounting.models import Document, DocumentTax, GoodsTax, IssuingRule
from accounting.services import issuing, reversing
from accounting.services.planning import Delivery
from accounting.services.reversing import Piece
from accounting.states import DocumentKind
from integration_hub.models import Connection
from inventory.models import BundlePart, Variant
from orders.models import Order
from tests.accounting import books

pytestmark = pytest.mark.django_db
Row = tuple[str, str, str, str, str, str]


def issue(order: Order, scope: str = "order") -> Document:
    return issuing.issue(Delivery(order.pk, scope))


def taxes(document: Document) -> list[Row]:
    """Case, country, percent, net, tax, gross."""
    rows = DocumentTax.objects.filter(document=document).order_by("-rate", "tax_case")
    return [
        (
            row.tax_case,
            row.country,
            f"{(row.rate * 100).normalize():f}",
            *(f"{value:.2f}" for value in (row.net, row.tax, row.gross)),
        )
        for row in rows
    ]


def test_1_a_standard_sale_paid_by_card(laden: Connection) -> None:
    document = issue(books.ordered(laden, 1001, books.line("49.99")))
    assert taxes(document) == [("DOMESTIC", "DE", "19", "42.01", "7.98", "49.99")]
    assert (document.kind, document.number[:3], document.payable) == ("INVOICE", "RE-", Decimal(0))


def test_2_mixed_rates_with_coupon_and_shipping_shared_pro_rata(laden: Connection) -> None:
    """10 % off 89.90 and 25.00 leave 80.91 and 22.50; of 5.95 shipping 4.66 go with the one and 1.29 with the other."""
    ship = books.line("5.95", kind="SHIPPING", title="DHL", tax="0.82")
    order = books.ordered(
        laden, 1002, books.line("80.91"), books.line("22.50", "0.07", quantity="2", price="12.50"), ship
    )
    IssuingRule.objects.update(tolerance="0.40")
    document = issue(order)
    assert taxes(document) == [
        ("DOMESTIC", "DE", "19", "71.91", "13.66", "85.57"),
        ("DOMESTIC", "DE", "7", "22.23", "1.56", "23.79"),
    ]
    assert document.gross == Decimal("109.36")
    shares = document.lines.filter(kind="SHIPPING").order_by("-rate")
    assert [str(share.gross.quantize(Decimal("0.01"))) for share in shares] == ["4.66", "1.29"]


def test_3_oss_to_austria(laden: Connection) -> None:
    books.seller(oss=True)
    document = issue(books.ordered(laden, 1003, books.line("60.00", "0.20"), country="AT"))
    assert taxes(document) == [("OSS", "AT", "20", "50.00", "10.00", "60.00")]


def test_4_intra_community_supply(laden: Connection) -> None:
    order = books.ordered(laden, 1004, books.line("200.00", "0"), country="AT", vat_id="ATU33864707", company="A GmbH")
    document = issue(order)
    assert taxes(document) == [("EU_B2B", "AT", "0", "200.00", "0.00", "200.00")]
    assert document.buyer_vat_id == "ATU33864707"


def test_5_export_to_switzerland(laden: Connection) -> None:
    document = issue(books.ordered(laden, 1005, books.line("150.00", "0"), country="CH"))
    assert taxes(document) == [("EXPORT", "DE", "0", "150.00", "0.00", "150.00")]


def test_6_single_purpose_voucher_is_taxed_when_sold_and_not_when_redeemed(laden: Connection) -> None:
    books.article("G-1", kind="VOUCHER_SINGLE")
    sold = issue(books.ordered(laden, 1006, books.line("50.00", sku="G-1")))
    assert taxes(sold) == [("VOUCHER_SINGLE", "DE", "19", "42.02", "7.98", "50.00")]
    IssuingRule.objects.update(voucher_use="SINGLE")
    used = books.line("-50.00", "0", kind="FEE", title="Gutschein G-77")
    redeemed = issue(books.ordered(laden, 1007, books.line("50.00"), used))
    assert taxes(redeemed) == [
        ("DOMESTIC", "DE", "19", "42.02", "7.98", "50.00"),
        ("VOUCHER_SINGLE", "DE", "19", "-42.02", "-7.98", "-50.00"),
    ]
    assert (redeemed.net, redeemed.tax, redeemed.gross) == (0, 0, 0)


def test_7_multi_purpose_voucher_is_taxed_when_redeemed(laden: Connection) -> None:
    sold = issue(books.ordered(laden, 1008, books.line("100.00", "0", kind="GIFT_CARD")))
    assert taxes(sold) == [("VOUCHER_MULTI", "DE", "0", "100.00", "0.00", "100.00")]
    used = books.line("-80.00", "0", kind="FEE", title="Gutschein G-88")
    order = books.ordered(laden, 1009, books.line("80.00"), used, paid=False)
    redeemed = issue(order)
    assert taxes(redeemed) == [("DOMESTIC", "DE", "19", "67.23", "12.77", "80.00")]
    assert (redeemed.prepaid, redeemed.payable) == (Decimal(80), Decimal(0))


def test_8_one_of_two_books_comes_back(laden: Connection) -> None:
    """12.50 less its share of the discount is 11.25; tax 0.74, net 10.51 at the original's rate; shipping stays."""
    ship = books.line("5.95", kind="SHIPPING", title="DHL", tax="0.82")
    order = books.ordered(
        laden, 1002, books.line("80.91"), books.line("22.50", "0.07", quantity="2", price="12.50"), ship
    )
    IssuingRule.objects.update(tolerance="0.40")
    original = issue(order)
    book = original.lines.get(kind="GOODS", rate="0.07")
    document = reversing.correct(original, [Piece(book, Decimal(1), Decimal("11.25"))], why="Widerruf")
    assert taxes(document) == [("DOMESTIC", "DE", "7", "-10.51", "-0.74", "-11.25")]
    assert (document.kind, document.corrects) == (DocumentKind.CORRECTION, original)


def test_9_advance_payment_and_cancellation_before_shipping(laden: Connection) -> None:
    books.rule(laden, trigger="SHIPPED", advances=True)
    order = books.ordered(laden, 1009, books.line("59.50"))
    advance = issue(order, "advance:1")
    assert (advance.kind, taxes(advance)) == ("ADVANCE_INVOICE", [("DOMESTIC", "DE", "19", "50.00", "9.50", "59.50")])
    back = reversing.cancel(advance, why="Storno vor Versand")
    assert taxes(back) == [("DOMESTIC", "DE", "19", "-50.00", "-9.50", "-59.50")]


def test_9b_the_final_invoice_deducts_the_advance_with_its_tax(laden: Connection) -> None:
    books.rule(laden, trigger="SHIPPED", advances=True)
    order = books.ordered(laden, 1009, books.line("59.50"), books.line("10.70", "0.07"))
    issue(order, "advance:1")
    final = issue(order)
    assert (final.kind, final.net, final.tax, final.gross) == ("FINAL_INVOICE", 0, 0, 0)
    kinds = final.lines.values_list("kind", flat=True)
    assert sorted(kinds) == ["ADVANCE", "ADVANCE", "GOODS", "GOODS"]


def test_10_a_return_in_full(laden: Connection) -> None:
    original = issue(books.ordered(laden, 1001, books.line("49.99")))
    line = original.lines.get()
    document = reversing.correct(original, [Piece(line, Decimal(1), Decimal("49.99"))], why="Retoure")
    assert taxes(document) == [("DOMESTIC", "DE", "19", "-42.01", "-7.98", "-49.99")]


def test_a_bundle_over_two_rates_is_shared_by_the_prices_of_its_parts(laden: Connection) -> None:
    books.article("BUCH", price="15.00", currency="EUR", price_includes_tax=True, tax_class="reduced")
    books.article("TEE", price="30.00", currency="EUR", price_includes_tax=True)
    box = books.article("BOX", kind="BUNDLE")
    for part in Variant.objects.filter(sku__in=("BUCH", "TEE")):
        BundlePart.objects.create(bundle=box, part=part, quantity=1)
    GoodsTax.objects.create(tax_class="reduced", level="REDUCED", valid_from="2020-01-01")
    order = books.ordered(laden, 1, books.line("45.00", sku="BOX", tax="5.77"))
    IssuingRule.objects.update(tolerance="6")
    assert taxes(issue(order)) == [
        ("DOMESTIC", "DE", "19", "25.21", "4.79", "30.00"),
        ("DOMESTIC", "DE", "7", "14.02", "0.98", "15.00"),
    ]


def test_small_business_shows_no_tax(laden: Connection) -> None:
    books.seller(small_business=True)
    document = issue(books.ordered(laden, 1, books.line("40.00", "0")))
    assert taxes(document) == [("SMALL_BUSINESS", "DE", "0", "40.00", "0.00", "40.00")]


def test_small_amounts_need_no_buyer(laden: Connection) -> None:
    books.rule(laden, small_amounts=True)
    assert issue(books.ordered(laden, 1, books.line("250.00"))).kind == "SMALL_INVOICE"
    assert issue(books.ordered(laden, 2, books.line("250.01"))).kind == "INVOICE"
    books.seller(oss=True)
    assert issue(books.ordered(laden, 3, books.line("60.00", "0.20"), country="AT")).kind == "INVOICE"


def test_the_order_is_billed_once(laden: Connection) -> None:
    order = books.ordered(laden, 1, books.line("49.99"))
    issue(order)
    assert issuing.issue_many([Delivery(order.pk)]).documents == []
    assert Document.objects.count() == 1
