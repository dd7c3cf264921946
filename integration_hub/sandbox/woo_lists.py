"""Lists as WooCommerce's REST interface gives them: filters, bounds in time, order, fields, pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from .http import Request, Response, json_response
from .store import Record
from .woo_order import SITE_OFFSET, gmt
from .woo_shop import invalid

ORDER_BY = {"date": "date_created_gmt", "modified": "date_modified_gmt", "id": "id"}
BOUNDS = (
    ("modified_after", "date_modified_gmt", True),
    ("after", "date_created_gmt", True),
    ("before", "date_created_gmt", False),
)


def listed(request: Request, rows: list[Record], show: Callable[[Record], Record]) -> Response:
    """One page of the rows that the query asks for."""
    query = request.query
    if "include" in query:
        wanted = set(query["include"].split(","))
        rows = [row for row in rows if str(row["id"]) in wanted]
    rows = _within(request, rows)
    column = ORDER_BY.get(query.get("orderby", "date"))
    if column is None:
        raise invalid("orderby")
    rows.sort(key=lambda row: (row[column], row["id"]), reverse=query.get("order", "desc") == "desc")
    return paged(request, rows, lambda row: _chosen(show(row), query.get("_fields", "")))


def paged(request: Request, rows: list[Record], show: Callable[[Record], Record]) -> Response:
    """One page of these rows in their order."""
    per_page, page = _number(request, "per_page", 10), _number(request, "page", 1)
    if not 1 <= per_page <= 100:
        raise invalid("per_page")
    pages = -(-len(rows) // per_page)
    headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
    if page < pages:
        headers["Link"] = f'<{request.url}?page={page + 1}&per_page={per_page}>; rel="next"'
    chosen = [show(row) for row in rows[(page - 1) * per_page : page * per_page]]
    return json_response(chosen, 200, headers)


def _chosen(shown: Record, names: str) -> Record:
    """Only the fields asked for, all of them where none is named."""
    wanted = set(filter(None, names.split(",")))
    return {name: value for name, value in shown.items() if not wanted or name in wanted}


def _number(request: Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdigit() or not int(value):
        raise invalid(name)
    return int(value)


def _within(request: Request, rows: list[Record]) -> list[Record]:
    """Later than ``modified_after`` or ``after``, earlier than ``before``; none of them includes its moment."""
    for name, column, later in BOUNDS:
        if (bound := _bound(request, name)) is not None:
            rows = [row for row in rows if row[column] != bound and (row[column] > bound) == later]
    return rows


def _bound(request: Request, name: str) -> str | None:
    """A moment of the query in UTC: shop-local without a zone, unless ``dates_are_gmt`` says otherwise."""
    value = request.query.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(name) from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    elif request.query.get("dates_are_gmt", "false") not in ("true", "1"):
        moment -= SITE_OFFSET
    return gmt(moment)
