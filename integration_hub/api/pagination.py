"""Pages by cursor: the same cost on page one and page one thousand, no count, and no row twice or never.

The cursor holds the last row's place in the chosen ordering and its id, so ties (10,000 orders of one import second) and
rows that come or go meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_CURSOR = 500


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: in which ordering, after which value and id, and which way to read."""

    ordering: str
    value: str
    pk: int
    back: bool = False

    def encoded(self) -> str:
        said = codec.dumps([self.ordering, self.value, self.pk, self.back])
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def decoded(text: str) -> Cursor:
    """Raises ValidationError for what we did not write."""
    try:
        padded = text[:MAX_CURSOR].encode("ascii") + b"=" * (-len(text[:MAX_CURSOR]) % 4)
        ordering, value, pk, back = codec.loads(base64.urlsafe_b64decode(padded))
    except (Rejected, ValueError, TypeError, binascii.Error):
        raise _broken() from None
    if not (isinstance(ordering, str) and isinstance(value, str) and isinstance(back, bool)) or type(pk) is not int:
        raise _broken()
    return Cursor(ordering, value, pk, back)


def _broken() -> ValidationError:
    return ValidationError({"cursor": [_("This is no cursor of ours.")]})


class Keyset(BasePagination):
    """``?cursor=&page_size=&ordering=``; a viewset lists its ``orderings`` (the first is the default), else ``-id``.

    An ordering is a field that is never null, with ``-`` for the largest first; the id breaks ties the same way.
    """

    page: Sequence[Any]
    before: str | None = None
    after: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size, allowed = _size(request), getattr(view, "orderings", ("-id",))
        ordering = request.query_params.get("ordering") or allowed[0]
        if ordering not in allowed:
            raise ValidationError({"ordering": [_("Choose one of: %(names)s") % {"names": ", ".join(allowed)}]})
        cursor = decoded(given) if (given := request.query_params.get("cursor")) else None
        if cursor and cursor.ordering != ordering:
            raise _broken()
        rows = list(_from(queryset, ordering, cursor)[: size + 1])
        return self._cut(rows, size, cursor, ordering, request)

    def _cut(self, rows: list[Any], size: int, cursor: Cursor | None, ordering: str, request: Request) -> list[Any]:
        more, rows = len(rows) > size, rows[:size]
        back = bool(cursor and cursor.back)
        rows = rows[::-1] if back else rows
        if rows and (more or back):
            self.after = _link(request, ordering, rows[-1], back=False)
        if rows and cursor and (more or not back):
            self.before = _link(request, ordering, rows[0], back=True)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.after, "previous": self.before, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        names = ["next", "previous", "results"]
        return {
            "type": "object",
            "required": names,
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orderings = list(getattr(view, "orderings", ("-id",)))
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}
        return [
            _parameter("cursor", "Where to go on: follow the links `next` and `previous`.", {"type": "string"}),
            _parameter("page_size", "Rows on a page.", size),
            _parameter("ordering", "What comes first.", {"type": "string", "enum": orderings, "default": orderings[0]}),
        ]


def _parameter(name: str, words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": schema}


def _size(request: Request) -> int:
    given = request.query_params.get("page_size", "")
    if not given:
        return PAGE_SIZE
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given)):
        raise ValidationError({"page_size": [_("A whole number above zero is needed.")]})
    return min(int(given), MAX_PAGE_SIZE)


def _from(queryset: QuerySet[Any], ordering: str, cursor: Cursor | None) -> QuerySet[Any]:
    field, falling = ordering.removeprefix("-"), ordering.startswith("-") != bool(cursor and cursor.back)
    order = [F(name).desc() if falling else F(name).asc() for name in dict.fromkeys((field, "pk"))]
    if field == "id":
        order = order[:1]
    return (queryset.filter(_beyond(queryset.model, field, cursor, falling)) if cursor else queryset).order_by(*order)


def _beyond(model: type[Model], field: str, cursor: Cursor, falling: bool) -> Q:
    """``field <= value AND (field < value OR id < pk)``: the first half is what the index is read by."""
    side = "lt" if falling else "gt"
    if field == "id":
        return Q(**{f"pk__{side}": cursor.pk})
    try:
        value = model._meta.get_field(field).to_python(cursor.value)  # type: ignore[union-attr]
    except DjangoValidationError as error:
        raise _broken() from error
    return Q(**{f"{field}__{side}e": value}) & (Q(**{f"{field}__{side}": value}) | Q(**{f"pk__{side}": cursor.pk}))


def _link(request: Request, ordering: str, row: Any, *, back: bool) -> str:
    value = getattr(row, ordering.removeprefix("-"))
    text = value.isoformat() if isinstance(value, datetime.datetime) else str(value)
    return replace_query_param(request.build_absolute_uri(), "cursor", Cursor(ordering, text, row.pk, back).encoded())
