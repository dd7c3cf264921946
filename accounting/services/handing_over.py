"""The audit export: one ZIP with a table a file and the description that audit software reads; memory stays bounded."""

from __future__ import annotations

import zipfile
from typing import IO, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from ..models import Seller
from .audit_tables import TABLES, AuditTable, Type
from .cockpit import moments
from .reports import Span

_COPY = "COPY ({sql}) TO STDOUT WITH (FORMAT csv, DELIMITER ';', FORCE_QUOTE *)"
_DIGITS = {Type.MONEY: "4", Type.RATE: "5", Type.WHOLE: "0"}
IN_MEMORY = 8 * 1024 * 1024


def write(span: Span, to: IO[bytes]) -> None:
    """All tables as they were at one moment."""
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        pack(span, to)


def pack(span: Span, to: IO[bytes]) -> None:
    """The ZIP, in the transaction of the caller."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in TABLES:
            with packed.open(table.file, "w", force_zip64=True) as file:
                _fill(table, span, file)
        packed.writestr("index.xml", index(span))


def _fill(table: AuditTable, span: Span, file: IO[bytes]) -> None:
    names = ";".join(f'"{name}"' for name, _type in table.columns)
    file.write(f"{names}\n".encode())
    database.ensure_connection()
    with database.connection.cursor() as cursor, cursor.copy(_COPY.format(sql=table.sql), _params(span)) as copied:
        for chunk in copied:
            file.write(chunk)


def _params(span: Span) -> dict[str, Any]:
    start, end = moments(span.first, span.last)
    return {"first": span.first, "last": span.last, "start": start, "end": end}


def index(span: Span) -> bytes:
    """The description (index.xml)."""
    root = Element("DataSet")
    SubElement(root, "Version").text = "1.0"
    seller = Seller.objects.filter(valid_from__lte=span.last).first() or Seller.objects.first()
    supplier = SubElement(root, "DataSupplier")
    SubElement(supplier, "Name").text = seller.name if seller else "-"
    SubElement(supplier, "Location").text = f"{seller.postal_code} {seller.city}" if seller else "-"
    SubElement(supplier, "Comment").text = f"Integration Hub, {timezone.now():%Y-%m-%dT%H:%M:%SZ}"
    media = SubElement(root, "Media")
    SubElement(media, "Name").text = "Integration Hub"
    for table in TABLES:
        _describe(media, table, span)
    indent(root)
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE DataSet SYSTEM "gdpdu-01-08-2002.dtd">\n'
    return head + tostring(root, encoding="unicode").encode() + b"\n"


def _describe(media: Element, table: AuditTable, span: Span) -> None:
    found = SubElement(media, "Table")
    SubElement(found, "URL").text = table.file
    SubElement(found, "Name").text = table.file.removesuffix(".csv")
    SubElement(found, "Description").text = table.title
    validity = SubElement(SubElement(found, "Validity"), "Range")
    SubElement(validity, "From").text = span.first.isoformat()
    SubElement(validity, "To").text = span.last.isoformat()
    SubElement(found, "UTF8")
    SubElement(found, "DecimalSymbol").text = "."
    SubElement(found, "DigitGroupingSymbol").text = ","
    SubElement(SubElement(found, "Range"), "From").text = "2"
    columns = SubElement(found, "VariableLength")
    SubElement(columns, "ColumnDelimiter").text = ";"
    SubElement(columns, "RecordDelimiter").text = "\n"
    SubElement(columns, "TextEncapsulator").text = '"'
    for place, (name, kind) in enumerate(table.columns):
        _column(SubElement(columns, "VariableColumn" if place else "VariablePrimaryKey"), name, kind)


def _column(found: Element, name: str, kind: Type) -> None:
    SubElement(found, "Name").text = name
    if kind == Type.TEXT:
        SubElement(found, "AlphaNumeric")
    elif kind == Type.DATE:
        SubElement(SubElement(found, "Date"), "Format").text = "YYYY-MM-DD"
    else:
        SubElement(SubElement(found, "Numeric"), "Accuracy").text = _DIGITS[kind]
