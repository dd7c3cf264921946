"""Every list as a file: CSV a row at a time, XLSX over a temporary file, never the whole of it in memory.

A list declares its columns once as a ``Sheet``; the page gives its rows as they are filtered.  What the person may not see
on the page is masked in the file, and who took which list with which filter is on record.

Formula injection (OWASP, CSV injection): a text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import IO, Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, gettext, override

from integration_hub.kernel.text import say
from integration_hub.models import origin
from integration_hub.models.activity import note

from .masking import MASK
from .pages import person
from .words import learn, number

PERSONAL = "orders.see_personal_data"
ASKED = "export"
CHUNK = 2000
MOST_XLSX = 100_000  # rows; a spreadsheet holds a million, but nobody waits for it
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Value = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """A column: its heading, what stands in it, whether only those see it who may see personal data."""

    label: Any
    value: Value
    personal: bool = False

    def through(self, words: Value) -> Column:
        """The same column with what stands in it said in words."""
        return replace(self, value=lambda row: None if (found := self.value(row)) is None else words(found))


@dataclass(frozen=True)
class Sheet:
    """A list that can be exported; ``code`` names the file and stands in the record."""

    code: str
    title: Any
    columns: tuple[Column, ...]

    @property
    def personal(self) -> bool:
        """Whether it holds personal data for those who may see them."""
        return any(one.personal for one in self.columns)


SHEETS: dict[str, Sheet] = {}


def sheet(code: str, title: Any, *columns: Column) -> Sheet:
    """Declare a list's columns; each code once."""
    if code in SHEETS:
        raise ValueError(f"the sheet {code} is declared twice")
    SHEETS[code] = Sheet(code, title, columns)
    learn({f"sheet:{code}": title})
    return SHEETS[code]


def column(label: Any, path: str, *, personal: bool = False) -> Column:
    """The attribute at this path; nothing where a part of the path is nothing."""
    parts = path.split(".")

    def value(row: Any) -> Any:
        for part in parts:
            if row is None:
                return None
            row = attrgetter(part)(row)
        return row

    return Column(label, value, personal)


def choice(label: Any, name: str) -> Column:
    """A field with choices, in the reader's words."""
    return Column(label, lambda row: getattr(row, f"get_{name}_display")())


def asked(request: HttpRequest, made: Sheet, rows: QuerySet[Any] | Iterable[Any]) -> HttpResponseBase | None:
    """The file, if the address asks for one (``?export=csv`` or ``xlsx``); None if it asks for the page, which then offers it."""
    vars(request)["exportable"] = True  # for hub/exports.html
    wanted = request.GET.get(ASKED)
    if wanted == "csv":
        answer: HttpResponseBase = _csv(request, made, rows)
    elif wanted == "xlsx":
        if _too_many(rows):
            return _refused(request)
        answer = _xlsx(request, made, rows)
    else:
        return None
    _record(request, made, wanted)
    answer["Content-Disposition"] = f'attachment; filename="{made.code}-{timezone.localdate():%Y-%m-%d}.{wanted}"'
    return answer


def _too_many(rows: QuerySet[Any] | Iterable[Any]) -> bool:
    return isinstance(rows, QuerySet) and rows.order_by()[: MOST_XLSX + 1].count() > MOST_XLSX


def _refused(request: HttpRequest) -> HttpResponseRedirect:
    """Back to the list with a word: a file that silently ends early would be worse than none."""
    text = gettext("More than %(most)s rows are too many for XLSX. Take CSV, or narrow the list by its filters.")
    messages.error(request, text % {"most": number(MOST_XLSX)})
    query = request.GET.copy()
    query.pop(ASKED)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


def _record(request: HttpRequest, made: Sheet, wanted: str) -> None:
    query = request.GET.copy()
    query.pop(ASKED)
    by = person(request)
    personal = made.personal and by.has_perm(PERSONAL)
    if personal:
        origin.took(made.code)
    text = say("Exported as %(format)s: %(what)s", format=wanted.upper(), what=f"sheet:{made.code}")
    note(
        by,
        "exports.taken",
        text,
        by=by,
        data={
            "list": made.code,
            "filters": query.urlencode()[:1000],
            "personal": personal,
        },
    )


def _values(request: HttpRequest, made: Sheet, rows: QuerySet[Any] | Iterable[Any]) -> Iterator[list[Any]]:
    personal = person(request).has_perm(PERSONAL)
    source = rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows
    for row in source:
        yield [_value(one, row, personal=personal) for one in made.columns]


def _value(one: Column, row: Any, *, personal: bool) -> Any:
    found = one.value(row)
    return MASK if one.personal and not personal and found not in (None, "") else found


def safe(value: Any) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Echo:
    """What is written comes back, so that a row can be sent as soon as it is made."""

    def write(self, line: str) -> str:
        return line


def _csv(request: HttpRequest, made: Sheet, rows: QuerySet[Any] | Iterable[Any]) -> StreamingHttpResponse:
    """With the separators of the reader's language, so that a double click opens it in a spreadsheet."""
    lines = _lines(request, made, rows, get_language() or "de")
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")


def _lines(request: HttpRequest, made: Sheet, rows: QuerySet[Any] | Iterable[Any], language: str) -> Iterator[str]:
    writer, german = csv.writer(_Echo(), delimiter=";" if language == "de" else ","), language == "de"
    with override(language):  # rows are made when the middlewares have long finished
        yield "\ufeff" + writer.writerow([safe(one.label) for one in made.columns])
        for values in _values(request, made, rows):
            yield writer.writerow([_plain(value, german=german) for value in values])


def _plain(value: Any, *, german: bool) -> str:
    """A cell of CSV; our own numbers stay numbers, whatever sign they have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Decimal):
        return format(value, "f").replace(".", "," if german else ".")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    return str(value) if isinstance(value, int | date) else safe(value)


def _xlsx(request: HttpRequest, made: Sheet, rows: QuerySet[Any] | Iterable[Any]) -> FileResponse:
    """openpyxl's write-only mode keeps its rows in a file; the answer reads another one."""
    from openpyxl import Workbook  # noqa: PLC0415  20 MB that only who takes a spreadsheet needs

    book = Workbook(write_only=True)
    page = book.create_sheet(str(made.title)[:31].translate(str.maketrans("[]:*?/\\", "       ")))
    page.append([_cell(page, str(one.label)) for one in made.columns])
    for values in _values(request, made, rows):
        page.append([_cell(page, value) for value in values])
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, content_type=_XLSX)


def _cell(page: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None)  # a spreadsheet knows no time zones
    if value is None or isinstance(value, bool | int | Decimal | date):
        return value
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  as above

    cell = WriteOnlyCell(page, value=_printable(safe(value)))
    cell.data_type = "s"  # text, whatever it looks like
    return cell


def _printable(text: str) -> str:
    """Without the control characters that XML does not know."""
    return "".join(char for char in text if char >= " " or char in "\t\n\r")[:32_000]
