"""The orders that a WooCommerce shop says were placed in a span of time, with what is needed to compare them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Listed

from ._woocommerce_api import PER_PAGE, V3, Api
from ._woocommerce_order import UNFINISHED, status_of
from .base import Listing

SECOND = timedelta(seconds=1)
DEAD = frozenset({"cancelled", "failed"})


def orders_placed(api: Api, start: datetime, end: datetime, token: str | None) -> Listing:
    """One page.  An order deleted for good while we page moves the rest up by one; the next comparison sees it."""
    page = _page(token)
    items, more = api.items(f"{V3}/orders", _window(start, end, page))
    rows = [_listed(item) for item in items if status_of(item) not in UNFINISHED]
    return Listing(rows, str(page + 1) if more and items else None)


def _window(start: datetime, end: datetime, page: int) -> Mapping[str, Any]:
    return {
        "status": "any",
        "orderby": "id",
        "order": "asc",
        "per_page": PER_PAGE,
        "page": page,
        "after": _stamp(start - SECOND),  # both bounds are exclusive there
        "before": _stamp(end),
        "dates_are_gmt": "true",
        "_fields": "id,number,status,total,currency,date_modified_gmt",
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(token: str | None) -> int:
    if token is not None and not (token.isascii() and token.isdigit() and len(token) < 7):
        raise unreadable("unknown token %(token)s", token=token)
    return int(token or 1)


def _listed(item: Object) -> Listed:
    order_id = fields.identifier(item, "id")
    return Listed(
        external_id=order_id,
        number=fields.identifier(item, "number", required=False) or order_id,
        total=fields.amount(item, "total"),
        currency=fields.currency(item, "currency"),
        live=status_of(item) not in DEAD,
        updated_at=fields.moment(item, "date_modified_gmt"),
    )
