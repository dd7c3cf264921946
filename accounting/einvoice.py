"""A document as structured invoice: UN/CEFACT CII after EN 16931, as Factur-X / ZUGFeRD (profile EN 16931) or XRechnung 3.0.

Corrections and cancellations are type 384 with negative quantities and name the original (BT-25, BT-26).  What a shop adds to
or takes off a whole order (shipping, fees, discounts, advance payments) are charges and allowances per rate (BG-20, BG-21).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import drafthorse
from drafthorse.models.accounting import ApplicableTradeTax, CategoryTradeTax, TradeAllowanceCharge
from drafthorse.models.document import Document as Cii
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem
from lxml import etree

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

from . import wording
from .models import Document, DocumentLine, DocumentTax
from .states import REVERSING, DocumentKind, LineKind, TaxCase

EN16931 = "urn:cen.eu:en16931:2017"
XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PEPPOL = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_XSD = Path(drafthorse.__file__).parent / "schema" / "Factur-X_1.0.07_EN16931.xsd"
_EXTRA = (LineKind.SHIPPING, LineKind.FEE)
_PIECE = "C62"
ZERO, CENT = Decimal(0), Decimal("0.01")
# UNTDID 5305 category and VATEX code by tax case; a taxed case at a rate of zero is Z
_CATEGORY = {
    TaxCase.EU_B2B: ("K", "VATEX-EU-IC"),
    TaxCase.EU_B2B_SERVICE: ("AE", "VATEX-EU-AE"),
    TaxCase.DOMESTIC_REVERSE_CHARGE: ("AE", "VATEX-EU-AE"),
    TaxCase.EXPORT: ("G", "VATEX-EU-G"),
    TaxCase.SMALL_BUSINESS: ("E", ""),
    TaxCase.EXEMPT: ("E", ""),
    TaxCase.VOUCHER_MULTI: ("E", ""),
    TaxCase.NOT_TAXABLE: ("E", ""),
}
_SALES, _CORRECTED, _ADVANCE, _PARTIAL = "380", "384", "386", "326"


@dataclass
class _Sum:
    """What EN 16931 sums: one category and rate, whatever our cases behind it."""

    category: str
    rate: Decimal
    code: str
    reason: str
    net: Decimal = ZERO
    tax: Decimal = ZERO


def category_of(row: DocumentLine | DocumentTax) -> tuple[str, str]:
    """Category and exemption code."""
    case = TaxCase(row.tax_case)
    return _CATEGORY.get(case) or (("S" if row.rate else "Z"), "")


def build(document: Document, *, xrechnung: bool = False) -> bytes:
    """The XML, valid by the schema; Rejected where it is not, with the first words of the schema's complaint."""
    lines, taxes = list(document.lines.all()), list(document.taxes.all())
    cii = Cii()
    cii.context.guideline_parameter.id = XRECHNUNG if xrechnung else EN16931
    if xrechnung:
        cii.context.business_parameter.id = PEPPOL
    _header(cii, document)
    _parties(cii, document)
    extras = _extras(document, lines)
    items = [line for line in lines if line not in extras]
    for at, line in enumerate(items, 1):
        cii.trade.items.add(_item(at, line))
    for line in extras:
        cii.trade.settlement.allowance_charge.add(_extra(line))
    _settlement(cii, document, _sums(document, taxes))
    _totals(cii, document, items, extras)
    return validated(cii.serialize(schema=None))


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(_XSD))


def validated(xml: bytes) -> bytes:
    """The XML itself where it holds to the schema of the profile EN 16931."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    tree = etree.fromstring(xml, parser)
    schema = _schema()
    if not schema.validate(tree):
        raise Rejected(
            say("The structured invoice breaks its schema."), code="xsd", detail=str(schema.error_log)[:2000]
        )
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def _header(cii: Cii, document: Document) -> None:
    cii.header.id = document.number
    cii.header.type_code = type_code(document)
    cii.header.issue_date_time = document.issued_on
    for text in wording.notes(document):
        note = IncludedNote()
        note.content = text
        cii.header.notes.add(note)


def type_code(document: Document) -> str:
    """UNTDID 1001, of those that XRechnung allows (BR-DE-17)."""
    if document.kind in REVERSING:
        return _CORRECTED
    return _PARTIAL if document.kind == DocumentKind.PARTIAL_INVOICE else _SALES


def _parties(cii: Cii, document: Document) -> None:
    agreement = cii.trade.agreement
    agreement.buyer_reference = document.routing_id or (document.order.number if document.order else document.number)
    _seller(agreement.seller, document)
    _buyer(agreement.buyer, document)
    if document.order:
        agreement.buyer_order.issuer_assigned_id = document.order.number
    ship = document.delivery
    cii.trade.delivery.ship_to.name = ship.get("company") or ship.get("name") or _name(document)
    _address(cii.trade.delivery.ship_to.address, ship)
    cii.trade.delivery.event.occurrence = document.supplied_on


def _seller(party: Any, document: Document) -> None:
    seller = document.seller
    party.name = seller["name"]
    party.contact.person_name = seller.get("contact") or seller["name"]
    if seller.get("phone"):
        party.contact.telephone.number = seller["phone"]
    if seller.get("email"):
        party.contact.email.address = seller["email"]
        party.electronic_address.uri_ID = ("EM", seller["email"])
    _address(party.address, seller)
    for scheme, number in (("FC", seller.get("tax_number")), ("VA", seller.get("vat_id"))):
        if number:
            party.tax_registrations.add(TaxRegistration(id=(scheme, number)))


def _buyer(party: Any, document: Document) -> None:
    buyer = document.buyer
    party.name = _name(document)
    if buyer.get("company") and buyer.get("name"):
        party.contact.person_name = buyer["name"]
    _address(party.address, buyer)
    if buyer.get("email"):
        party.electronic_address.uri_ID = ("EM", buyer["email"])
    if document.buyer_vat_id:
        party.tax_registrations.add(TaxRegistration(id=("VA", document.buyer_vat_id)))


def _name(document: Document) -> str:
    buyer = document.buyer
    return buyer.get("company") or buyer.get("name") or wording.word(document, "customer")


def _address(target: object, found: dict[str, str]) -> None:
    pairs = {
        "postcode": "postal_code",
        "line_one": "street",
        "line_two": "street2",
        "city_name": "city",
        "country_id": "country",
    }
    for theirs, ours in pairs.items():
        if found.get(ours):
            setattr(target, theirs, found[ours])


def _extras(document: Document, lines: Sequence[DocumentLine]) -> list[DocumentLine]:
    """What is a charge or an allowance of the whole; never all lines, as an invoice needs one (BR-16)."""
    if document.kind in REVERSING:
        return []
    found = [line for line in lines if line.kind in _EXTRA or line.net < 0 or (line.net == 0 and line.gross < 0)]
    return found if len(found) < len(lines) else found[1:]


def _item(at: int, line: DocumentLine) -> LineItem:
    item = LineItem()
    item.document.line_id = str(at)
    item.product.name = line.title
    if line.sku:
        item.product.seller_assigned_id = line.sku
    sign = -1 if line.net < 0 else 1
    quantity = abs(line.quantity) or Decimal(1)
    item.agreement.net.amount = (abs(line.net) / quantity).quantize(Decimal("0.0001"))
    item.agreement.net.basis_quantity = (Decimal(1), _PIECE)
    item.delivery.billed_quantity = (sign * quantity, _PIECE)
    item.settlement.trade_tax.type_code = "VAT"
    item.settlement.trade_tax.category_code = category_of(line)[0]
    item.settlement.trade_tax.rate_applicable_percent = _percent(line.rate)
    item.settlement.monetary_summation.total_amount = _cents(line.net)
    return item


def _extra(line: DocumentLine) -> TradeAllowanceCharge:
    charge = TradeAllowanceCharge()
    charge.indicator = line.net >= 0
    charge.actual_amount = _cents(abs(line.net))
    # UNTDID 7161 FC: freight; 5189 95: discount
    charge.reason_code = ("FC" if line.kind == LineKind.SHIPPING else "ABK") if line.net >= 0 else "95"
    charge.reason = line.title
    tax = CategoryTradeTax()
    tax.type_code, tax.category_code = "VAT", category_of(line)[0]
    tax.rate_applicable_percent = _percent(line.rate)
    charge.trade_tax.add(tax)
    return charge


def _sums(document: Document, taxes: Iterable[DocumentTax]) -> list[_Sum]:
    found: dict[tuple[str, Decimal], _Sum] = {}
    for row in taxes:
        category, code = category_of(row)
        rate = Decimal(row.rate).normalize()
        reason = wording.reason(TaxCase(row.tax_case), document.language)
        one = found.setdefault((category, rate), _Sum(category, rate, code, reason))
        one.net, one.tax = one.net + row.net, one.tax + row.tax
    return list(found.values())


def _settlement(cii: Cii, document: Document, sums: Sequence[_Sum]) -> None:
    settlement = cii.trade.settlement
    settlement.currency_code = document.currency
    settlement.payment_reference = document.number
    for one in sums:
        tax = ApplicableTradeTax()
        tax.calculated_amount, tax.basis_amount = _cents(one.tax), _cents(one.net)
        tax.type_code, tax.category_code = "VAT", one.category
        if one.category not in ("S", "Z"):
            tax.exemption_reason = one.reason
            if one.code:
                tax.exemption_reason_code = one.code
        tax.rate_applicable_percent = _percent(one.rate)
        settlement.trade_tax.add(tax)
    settlement.payment_means.add(_means(document))
    terms = PaymentTerms()
    terms.description = wording.terms(document)
    if document.due_on:
        terms.due = document.due_on
    settlement.terms.add(terms)
    if document.corrects:
        settlement.invoice_referenced_document.issuer_assigned_id = document.corrects.number
        settlement.invoice_referenced_document.issue_date_time = document.corrects.issued_on


def _means(document: Document) -> PaymentMeans:
    """68: paid over an online service; 58: to be transferred to our account; 1: not told."""
    means = PaymentMeans()
    if document.payable <= 0:
        means.type_code = "68"
    elif document.seller.get("iban"):
        means.type_code = "58"
        means.payee_account.iban = document.seller["iban"].replace(" ", "")
        means.payee_account.account_name = document.seller["name"]
    else:
        means.type_code = "1"
    return means


def _totals(cii: Cii, document: Document, items: Sequence[DocumentLine], extras: Sequence[DocumentLine]) -> None:
    total = cii.trade.settlement.monetary_summation
    total.line_total = _cents(sum((line.net for line in items), ZERO))
    total.charge_total = _cents(sum((line.net for line in extras if line.net >= 0), ZERO))
    total.allowance_total = _cents(-sum((line.net for line in extras if line.net < 0), ZERO))
    total.tax_basis_total = _cents(document.net)
    total.tax_total = (_cents(document.tax), document.currency)
    total.grand_total = _cents(document.gross)
    if document.prepaid:
        total.prepaid_total = _cents(document.prepaid)
    total.due_amount = _cents(document.payable)


def _cents(amount: Decimal) -> Decimal:
    return Decimal(amount).quantize(CENT)


def _percent(rate: Decimal) -> Decimal:
    return (Decimal(rate) * 100).quantize(CENT)
