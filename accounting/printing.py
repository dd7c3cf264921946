"""A document as PDF/A-3 (ISO 19005-3, level B) with the structured invoice inside: what Factur-X and ZUGFeRD call hybrid.

Pure Python: fpdf2 writes PDF/A-3 with embedded fonts (Roboto, Apache 2.0) and an sRGB profile; the XMP carries the extension
schema of Factur-X 1.0, section 6.  The XML is what counts where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import escape

import font_roboto
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from . import einvoice, wording
from .models import Document, DocumentLine
from .states import REVERSING, DocumentKind

XML_NAME = "factur-x.xml"
_LEFT, _WIDTH, _GREY = 20.0, 170.0, 110
_COLUMNS = ((10, "L"), (78, "L"), (18, "R"), (26, "R"), (14, "R"), (24, "R"))


class Page(FPDF):
    """A4 with the seller's data at the foot of each page."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4", enforce_compliance="PDF/A-3B")
        self.document = document
        self.set_margins(_LEFT, 18, 20)
        self.set_auto_page_break(auto=True, margin=34)
        self.add_font("Roboto", "", font_roboto.font_files["Roboto"])
        self.add_font("Roboto", "B", font_roboto.font_files["RobotoBold"])
        self.set_title(f"{wording.title(document)} {document.number}")
        self.set_author(document.seller["name"])
        self.set_lang(document.language)
        self.set_font("Roboto", size=10)

    def footer(self) -> None:
        """Who the seller is, and the page's number."""
        self.set_y(-28)
        self.set_font("Roboto", size=7)
        self.set_text_color(_GREY)
        top = self.get_y()
        for at, lines in enumerate(_foot(self.document)):
            self.set_xy(_LEFT + at * 58, top)
            self.multi_cell(56, 3.4, "\n".join(lines), align="L")
        self.set_xy(_LEFT, -10)
        page = wording.word(self.document, "page")
        self.cell(_WIDTH, 4, f"{page} {self.page_no()}/{{nb}}", align="R")
        self.set_text_color(0)


def render(document: Document, xml: bytes) -> bytes:
    """The PDF's bytes."""
    page = Page(document)
    page.set_xmp_metadata(_xmp(document))
    page.embed_file(
        bytes=xml,
        basename=XML_NAME,
        mime_type="text/xml",
        desc="Factur-X/ZUGFeRD Invoice",
        associated_file_relationship="Alternative",
        compress=True,
        modification_date=document.issued_at,
        creation_date=document.issued_at,
    )
    page.set_creation_date(document.issued_at)
    page.add_page()
    _head(page, document)
    _lines(page, document, list(document.lines.all()))
    _sums(page, document)
    _notes(page, document)
    return bytes(page.output())


def _foot(document: Document) -> Sequence[Sequence[str]]:
    seller = document.seller
    tax = [f"{wording.word(document, name)}: {seller[name]}" for name in ("tax_number", "vat_id") if seller.get(name)]
    bank = [
        text
        for text in (
            seller.get("bank"),
            seller.get("iban") and f"IBAN {seller['iban']}",
            seller.get("bic") and f"BIC {seller['bic']}",
        )
        if text
    ]
    return (
        [seller["name"], seller["street"], f"{seller['postal_code']} {seller['city']}", seller.get("register", "")],
        [*tax, seller.get("managers", ""), seller.get("email", ""), seller.get("phone", "")],
        bank,
    )


def _head(page: Page, document: Document) -> None:
    seller = document.seller
    page.set_font("Roboto", "B", 14)
    page.cell(_WIDTH, 8, seller["name"], align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_y(45)
    page.set_font("Roboto", size=7)
    page.set_text_color(_GREY)
    sender = " · ".join((seller["name"], seller["street"], f"{seller['postal_code']} {seller['city']}"))
    page.cell(85, 4, sender, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_text_color(0)
    page.set_font("Roboto", size=10)
    page.multi_cell(85, 5, "\n".join(_address(document.buyer)), align="L")
    _facts(page, document)
    page.set_xy(_LEFT, max(page.get_y(), 95))
    page.set_font("Roboto", "B", 13)
    page.cell(_WIDTH, 9, f"{wording.title(document)} {document.number}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(2)


def _address(found: dict[str, str]) -> list[str]:
    city = f"{found.get('postal_code', '')} {found.get('city', '')}".strip()
    parts = (
        found.get("company"),
        found.get("name"),
        found.get("street"),
        found.get("street2"),
        city,
        found.get("country"),
    )
    return [part for part in parts if part]


def _facts(page: Page, document: Document) -> None:
    """Number, dates, order: what the letter's right side says."""
    supplied = wording.day(document, document.supplied_on)
    if document.supplied_from and document.supplied_from != document.supplied_on:
        supplied = f"{wording.day(document, document.supplied_from)} – {supplied}"
    advance = document.kind == DocumentKind.ADVANCE_INVOICE
    rows = [
        ("number", document.number),
        ("date", wording.day(document, document.issued_on)),
        ("received" if advance else "supplied", supplied),
        ("order", document.order.number if document.order else ""),
        ("due", wording.day(document, document.due_on)),
        ("buyer_vat_id", document.buyer_vat_id),
    ]
    top = 49.0
    for name, value in rows:
        if value:
            page.set_xy(125, top)
            page.cell(32, 5, wording.word(document, name))
            page.cell(33, 5, value, align="R")
            top += 5
    page.set_y(top)


def _lines(page: Page, document: Document, lines: Sequence[DocumentLine]) -> None:
    page.set_font("Roboto", "B", 8.5)
    heads = ("position", "article", "quantity", "price", "rate", "amount")
    _row(page, [wording.word(document, name) for name in heads])
    page.set_font("Roboto", size=8.5)
    for line in lines:
        _row(page, _cells(document, line))


def _cells(document: Document, line: DocumentLine) -> list[str]:
    title = line.title + (f"\n{line.sku}" if line.sku else "")
    if line.discount:
        title += f"\n{wording.word(document, 'discount')} {wording.money(document, line.discount)}"
    amount = line.gross if document.prices_include_tax else line.net
    return [
        str(line.position),
        title,
        wording.number(document, line.quantity),
        wording.money(document, line.unit_price),
        f"{wording.number(document, Decimal(line.rate) * 100)} %",
        wording.money(document, amount),
    ]


def _row(page: Page, cells: Sequence[str]) -> None:
    """One row, as high as its description, with a hair line below; never broken over two pages."""
    width = _COLUMNS[1][0]
    text = page.multi_cell(width, 4.4, cells[1], dry_run=True, output="LINES", align="L")
    height = 4.4 * (len(text) if isinstance(text, list) else 1) + 1.6
    if page.get_y() + height > page.page_break_trigger:
        page.add_page()
    top, left = page.get_y(), _LEFT
    for (wide, align), cell in zip(_COLUMNS, cells, strict=True):
        page.set_xy(left, top)
        page.multi_cell(wide, 4.4, cell, align=align)
        left += wide
    page.set_draw_color(200)
    page.line(_LEFT, top + height - 0.8, _LEFT + _WIDTH, top + height - 0.8)
    page.set_xy(_LEFT, top + height)


def _sums(page: Page, document: Document) -> None:
    taxes = list(document.taxes.all())
    if page.get_y() + 6 * (len(taxes) * 2 + 4) > page.page_break_trigger:
        page.add_page()
    page.ln(2)
    for row in taxes:
        rate = f"{wording.number(document, Decimal(row.rate) * 100)} %" + (
            f" {row.country}" if row.tax_case == "OSS" else ""
        )
        _sum(page, f"{wording.word(document, 'net')} ({rate})", wording.money(document, row.net))
        if row.rate:
            _sum(page, f"{wording.word(document, 'tax')} {rate}", wording.money(document, row.tax))
    page.set_font("Roboto", "B", 10)
    name = "refund" if document.kind in REVERSING else "gross"
    _sum(page, wording.word(document, name), wording.money(document, document.gross))
    page.set_font("Roboto", size=8.5)
    if document.prepaid:
        _sum(page, wording.word(document, "prepaid"), wording.money(document, -document.prepaid))
        _sum(page, wording.word(document, "payable"), wording.money(document, document.payable))


def _sum(page: Page, label: str, value: str) -> None:
    page.set_x(_LEFT + 80)
    page.cell(60, 5.4, label)
    page.cell(30, 5.4, value, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _notes(page: Page, document: Document) -> None:
    page.ln(4)
    page.set_font("Roboto", size=9)
    for text in (*wording.notes(document), wording.terms(document)):
        page.multi_cell(_WIDTH, 4.8, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _xmp(document: Document) -> str:
    """XMP with PDF/A's identification and the extension schema by which readers find the XML."""
    moment = document.issued_at.isoformat(timespec="seconds") if document.issued_at else ""
    title, author = escape(f"{wording.title(document)} {document.number}"), escape(document.seller["name"])
    described = "".join(
        f"<rdf:li rdf:parseType='Resource'><pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text"
        f"</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{text}"
        "</pdfaProperty:description></rdf:li>"
        for name, text in _FX
    )
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema><pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>{described}</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"><fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{XML_NAME}</fx:DocumentFileName><fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>
</rdf:RDF></x:xmpmeta>"""


_FX = (
    ("DocumentFileName", "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "The actual version of the Factur-X XML schema"),
    ("ConformanceLevel", "The conformance level of the embedded Factur-X data"),
)


def both(document: Document) -> tuple[bytes, bytes]:
    """The XML and the PDF that carries it."""
    xml = einvoice.build(document)
    return xml, render(document, xml)
