"""What a document says in words, in German and English: the law's phrases and the labels of the page.

Not the catalogue of the screens: a document keeps its buyer's language, whatever the reader of the hub has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from .models import Document
from .states import DocumentKind, TaxCase

_KINDS: Mapping[str, tuple[str, str]] = {
    DocumentKind.INVOICE: ("Rechnung", "Invoice"),
    DocumentKind.PARTIAL_INVOICE: ("Teilrechnung", "Partial invoice"),
    DocumentKind.COLLECTIVE_INVOICE: ("Sammelrechnung", "Collective invoice"),
    DocumentKind.ADVANCE_INVOICE: ("Anzahlungsrechnung", "Advance payment invoice"),
    DocumentKind.FINAL_INVOICE: ("Schlussrechnung", "Final invoice"),
    DocumentKind.SMALL_INVOICE: ("Rechnung", "Invoice"),
    DocumentKind.CORRECTION: ("Rechnungskorrektur", "Invoice correction"),
    DocumentKind.CANCELLATION: ("Stornorechnung", "Cancellation invoice"),
}
# section 14 (4) no. 8 and 14a UStG: the note on an exemption or on who owes the tax
_REASONS: Mapping[str, tuple[str, str]] = {
    TaxCase.EU_B2B: (
        "Steuerfreie innergemeinschaftliche Lieferung (§ 4 Nr. 1b, § 6a UStG)",
        "Tax-exempt intra-community supply (Art. 138 Directive 2006/112/EC)",
    ),
    TaxCase.EU_B2B_SERVICE: ("Steuerschuldnerschaft des Leistungsempfängers", "Reverse charge"),
    TaxCase.DOMESTIC_REVERSE_CHARGE: (
        "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG)",
        "Reverse charge (section 13b UStG)",
    ),
    TaxCase.EXPORT: (
        "Steuerfreie Ausfuhrlieferung (§ 4 Nr. 1a, § 6 UStG)",
        "Tax-exempt export (Art. 146 Directive 2006/112/EC)",
    ),
    TaxCase.SMALL_BUSINESS: (
        "Steuerfrei als Leistung eines Kleinunternehmers (§ 19 UStG)",
        "Exempt from VAT, small business (section 19 UStG)",
    ),
    TaxCase.EXEMPT: ("Steuerfrei (§ 4 UStG)", "Exempt from VAT (section 4 UStG)"),
    TaxCase.ZERO_RATED: ("Steuersatz 0 % (§ 12 Abs. 3 UStG)", "Zero rate (section 12 (3) UStG)"),
    TaxCase.VOUCHER_MULTI: (
        "Mehrzweck-Gutschein: Besteuerung bei Einlösung (§ 3 Abs. 15 UStG)",
        "Multi-purpose voucher: taxed when redeemed (Art. 30b Directive 2006/112/EC)",
    ),
    TaxCase.NOT_TAXABLE: (
        "Im Inland nicht steuerbar (§ 3a Abs. 2 UStG), Steuerschuldnerschaft des Leistungsempfängers",
        "Not taxable in Germany, reverse charge",
    ),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "customer": ("Kunde", "Customer"),
    "number": ("Nummer", "Number"),
    "date": ("Datum", "Date"),
    "order": ("Auftrag", "Order"),
    "supplied": ("Lieferdatum", "Date of supply"),
    "received": ("Zahlungseingang", "Payment received"),
    "due": ("Zahlbar bis", "Due date"),
    "buyer_vat_id": ("Ihre USt-IdNr.", "Your VAT ID"),
    "position": ("Pos.", "No."),
    "article": ("Bezeichnung", "Description"),
    "quantity": ("Menge", "Quantity"),
    "price": ("Einzelpreis", "Unit price"),
    "rate": ("USt", "VAT"),
    "amount": ("Betrag", "Amount"),
    "net": ("Nettobetrag", "Net amount"),
    "tax": ("Umsatzsteuer", "VAT"),
    "gross": ("Gesamtbetrag", "Total"),
    "prepaid": ("Bereits bezahlt", "Already paid"),
    "payable": ("Zu zahlen", "Amount due"),
    "refund": ("Gutzuschreibender Betrag", "Amount to be credited"),
    "discount": ("inkl. Rabatt", "incl. discount"),
    "page": ("Seite", "Page"),
    "tax_number": ("Steuernummer", "Tax number"),
    "vat_id": ("USt-IdNr.", "VAT ID"),
    "delivery": ("Lieferanschrift", "Delivery address"),
}


def _in(language: str, pair: tuple[str, str]) -> str:
    return pair[0] if language == "de" else pair[1]


def word(document: Document, name: str) -> str:
    """A label of the page."""
    return _in(document.language, _WORDS[name])


def title(document: Document) -> str:
    """What the document is called."""
    return _in(document.language, _KINDS[document.kind])


def reason(case: TaxCase, language: str) -> str:
    """The note that the law wants for this case; empty where none is."""
    return _in(language, _REASONS[case]) if case in _REASONS else ""


def notes(document: Document) -> list[str]:
    """The sentences below the sums: notes on tax, what is corrected and why."""
    found = {reason(TaxCase(row.tax_case), document.language): None for row in document.taxes.all()}
    texts = [text for text in found if text]
    if document.corrects:
        texts.insert(0, _about(document))
    return texts


def _about(document: Document) -> str:
    original = document.corrects
    assert original is not None  # noqa: S101  the caller looked
    when = day(document, original.issued_on)
    said = _in(
        document.language,
        (
            f"{title(document)} zur Rechnung {original.number} vom {when}",
            f"{title(document)} of invoice {original.number} of {when}",
        ),
    )
    return f"{said}: {document.why}" if document.why else said


def terms(document: Document) -> str:
    """How it is or was paid (BT-20)."""
    by = document.payment_method
    if document.gross <= 0:
        return _in(document.language, ("Der Betrag wird erstattet.", "The amount will be refunded."))
    if document.payable <= 0:
        return _in(
            document.language,
            (f"Bereits bezahlt{f' per {by}' if by else ''}.", f"Already paid{f' by {by}' if by else ''}."),
        )
    if document.due_on:
        when = day(document, document.due_on)
        return _in(document.language, (f"Zahlbar bis {when} ohne Abzug.", f"Payable by {when} without deduction."))
    return _in(document.language, ("Zahlbar sofort ohne Abzug.", "Payable at once without deduction."))


def _locale(document: Document) -> str:
    return "de_DE" if document.language == "de" else "en_GB"


def day(document: Document, value: date | None) -> str:
    """A day as the document's language writes it."""
    return (
        format_date(value, "dd.MM.yyyy" if document.language == "de" else "d MMM yyyy", _locale(document))
        if value
        else ""
    )


def money(document: Document, amount: Decimal) -> str:
    return str(format_currency(amount, document.currency, locale=_locale(document)))


def number(document: Document, value: Decimal) -> str:
    return str(format_decimal(value.normalize(), locale=_locale(document)))
