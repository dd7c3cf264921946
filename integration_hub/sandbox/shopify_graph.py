"""Orders as Shopify's GraphQL types: dicts over the stored REST-shaped record, connections as functions."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .graphql import GraphqlError
from .store import Record

Node = dict[str, Any]
MAX_PAGE = 250
_TERM = re.compile(r"(\w+):\s*(>=|<=|>|<)?\s*(?:'([^']*)'|\"([^\"]*)\"|(\S+))")


def gid(kind: str, number: Any) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(text: Any, kind: str) -> int:
    """The number of a global id of this kind; 0 for anything else."""
    match = re.fullmatch(rf"gid://shopify/{kind}/(\d{{1,18}})", str(text))
    return int(match[1]) if match else 0


def utc(text: str | None) -> str | None:
    """GraphQL states moments in UTC, webhooks in the shop's zone."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if text else None


def _same(row: Any) -> Any:
    return row


def connection(
    kind: str,
    rows: Sequence[Any],
    view: Callable[[Any], Node] = _same,
    key: Callable[[Any], str] = lambda row: str(row["id"]),
) -> Callable[..., Node]:
    """A connection over rows in their order; only the rows of the page asked for are put into their view."""

    def page(first: int | None = None, after: str | None = None, reverse: bool = False, **_: Any) -> Node:
        ordered = list(reversed(rows)) if reverse else rows
        size, start = min(first or 50, MAX_PAGE), 0
        if after:
            wanted = uncursor(after)
            start = next((place for place, row in enumerate(ordered, 1) if key(row) == wanted), len(ordered))
        chosen = ordered[start : start + size]
        nodes, cursors = [view(row) for row in chosen], [_cursor(key(row)) for row in chosen]
        info = {
            "__typename": "PageInfo",
            "hasNextPage": start + size < len(ordered),
            "hasPreviousPage": start > 0,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        }
        edges = [
            {"__typename": f"{kind}Edge", "node": node, "cursor": cursor}
            for node, cursor in zip(nodes, cursors, strict=True)
        ]
        return {"__typename": f"{kind}Connection", "nodes": nodes, "edges": edges, "pageInfo": info}

    return page


def uncursor(cursor: str) -> str:
    """What a cursor stands for; Shopify's error for one that is none."""
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        raise GraphqlError("Invalid cursor for current pagination sort.") from None


def _cursor(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def listed(kind: str, nodes: Sequence[Node]) -> Callable[..., list[Node]]:
    """A plain list that takes ``first``."""

    def cut(first: int | None = None, **_: Any) -> list[Node]:
        return list(nodes[:first])

    return cut


def matches(row: Record, query: str | None) -> bool:
    """Shopify's search syntax as far as times, ids, names and tags go; words like AND are read over."""
    return all(_matches(row, *term) for term in _TERM.findall(query or ""))


def _matches(row: Record, name: str, compare: str, *values: str) -> bool:
    value = next(filter(None, values), "")
    if name in ("updated_at", "created_at", "processed_at"):
        return _in_time(utc(row[name]) or "", compare, value)
    if name == "id":
        return _in_time(str(row["id"]).zfill(20), compare, value.zfill(20))
    if name == "name":
        return bool(row["name"].lstrip("#") == value.lstrip("#"))
    if name == "return_status":  # asked for as NOT no_return
        return bool(row.get("return_status", "no_return") != value)
    if name == "tag":
        return value in [tag.strip() for tag in row["tags"].split(",")]
    return True


def _in_time(found: str, compare: str, wanted: str) -> bool:
    if "T" in wanted:
        moment = datetime.fromisoformat(wanted)
        wanted = (
            (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    results = {">=": found >= wanted, ">": found > wanted, "<=": found <= wanted, "<": found < wanted}
    return results.get(compare, found.startswith(wanted))


def bag(money: Mapping[str, Any] | None) -> Node | None:
    """A MoneyBag from a ``*_set`` of the REST shape."""
    if money is None:
        return None
    return {"__typename": "MoneyBag"} | {
        name: {"__typename": "MoneyV2", "amount": money[rest]["amount"], "currencyCode": money[rest]["currency_code"]}
        for name, rest in (("shopMoney", "shop_money"), ("presentmentMoney", "presentment_money"))
    }


def plain_bag(amount: Any, currency: str) -> Node:
    money = {"amount": str(amount), "currency_code": currency}
    found = bag({"shop_money": money, "presentment_money": money})
    return found or {}


def tax_lines(rows: Sequence[Record]) -> list[Node]:
    return [
        {
            "__typename": "TaxLine",
            "title": row["title"],
            "rate": row["rate"],
            "ratePercentage": round(row["rate"] * 100, 4),
            "priceSet": bag(row["price_set"]),
            "channelLiable": False,
            "source": "",
        }
        for row in rows
    ]


def allocations(rows: Sequence[Record]) -> list[Node]:
    application = {"__typename": "DiscountCodeApplication", "index": 0, "allocationMethod": "ACROSS"}
    return [
        {
            "__typename": "DiscountAllocation",
            "allocatedAmountSet": bag(row["amount_set"]),
            "discountApplication": application,
        }
        for row in rows
    ]


def address(row: Record | None) -> Node | None:
    if row is None:
        return None
    names = {
        "firstName": "first_name",
        "lastName": "last_name",
        "name": "name",
        "company": "company",
        "address1": "address1",
        "address2": "address2",
        "city": "city",
        "zip": "zip",
        "province": "province",
        "provinceCode": "province_code",
        "country": "country",
        "countryCode": "country_code",
        "countryCodeV2": "country_code",
        "phone": "phone",
    }
    return {"__typename": "MailingAddress", **{name: row[rest] for name, rest in names.items()}}


def customer(row: Record | None) -> Node | None:
    if row is None:
        return None
    name = f"{row['first_name']} {row['last_name']}"
    mail = {"__typename": "CustomerEmailAddress", "emailAddress": row["email"]}
    return {
        "__typename": "Customer",
        "id": row["admin_graphql_api_id"],
        "legacyResourceId": str(row["id"]),
        "email": row["email"],
        "defaultEmailAddress": mail,
        "defaultPhoneNumber": None,
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "displayName": name,
        "phone": row["phone"],
        "tags": [],
    }


def attributes(rows: Sequence[Record]) -> list[Node]:
    return [{"__typename": "Attribute", "key": row["name"], "value": row["value"]} for row in rows]
