"""A played Lexware Office: vouchers, their list, posting categories, the profile."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from integration_hub.kernel import codec
from tests.connectors.world import Reply

GOODS, COMMUNITY, TRAVEL = (f"8f8664a{number}-fd86-11e1-a21f-0800200c9a66" for number in (8, 9, 0))
CATEGORIES = [
    {"id": GOODS, "name": "Warenverkäufe", "type": "income", "contactRequired": False, "splitAllowed": True},
    {"id": COMMUNITY, "name": "ig. Lieferung", "type": "income", "contactRequired": False, "splitAllowed": True},
    {"id": TRAVEL, "name": "Reise MA", "type": "outgo", "contactRequired": False, "splitAllowed": True},
]
CREATED = "2026-11-20T10:00:00.000+01:00"


class Office:
    """Keeps the vouchers; refuses what does not add up, as the real one does with 406."""

    def __init__(self) -> None:
        self.vouchers: list[dict[str, Any]] = []

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return request.method == "POST"

    def made(self) -> Any:
        return [{name: value for name, value in one.items() if name != "createdDate"} for one in self.vouchers]

    def answer(self, request: requests.PreparedRequest) -> Reply:
        if not str(request.headers.get("Authorization", "")).startswith("Bearer "):
            return 401, {}, json.dumps({"message": "Unauthorized"})
        parts = urlsplit(str(request.url))
        path, query = parts.path.removeprefix("/v1"), parse_qs(parts.query)
        if request.method == "POST" and path == "/vouchers":
            return self._create(codec.load_object(request.body or b""))
        if path == "/voucherlist":
            return self._list(query)
        if path.startswith("/vouchers/"):
            found = [one for one in self.vouchers if one["id"] == path.rsplit("/", 1)[1]]
            return said(found[0]) if found else (404, {}, "{}")
        known: dict[str, Any] = {
            "/profile": {"organizationId": "aa93e8a8", "companyName": "Teehaus GmbH"},
            "/posting-categories": CATEGORIES,
        }
        return said(known[path]) if path in known else (404, {}, "{}")

    def _create(self, body: dict[str, Any]) -> Reply:
        items = body["voucherItems"]
        if sum(one["amount"] for one in items) != body["totalGrossAmount"]:
            return issue("voucherItems", "totals_do_not_match")
        if sum(one["taxAmount"] for one in items) != body["totalTaxAmount"]:
            return issue("voucherItems", "totals_do_not_match")
        if {one["categoryId"] for one in items} - {one["id"] for one in CATEGORIES}:
            return issue("categoryId", "missing_entity")
        number = f"66196c43-baf3-4335-bfee-{len(self.vouchers):012}"
        self.vouchers.append({"voucherStatus": "open", **body, "id": number, "createdDate": CREATED, "version": 1})
        stub = {"id": number, "resourceUri": f"https://api.lexware.io/v1/vouchers/{number}", "version": 1}
        return said(stub, 201)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        if not {"voucherType", "voucherStatus"} <= query.keys():
            return 400, {}, json.dumps({"status": 400, "message": "voucherType and voucherStatus are needed"})
        rows = [
            {"id": one["id"], "voucherType": one["type"], "voucherNumber": one["voucherNumber"]}
            for one in self.vouchers
            if one["type"] in query["voucherType"] and one["voucherNumber"] in query.get("voucherNumber", [])
        ]
        return said({"content": rows, "first": True, "last": True, "totalElements": len(rows), "number": 0})


def said(found: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, codec.dumps(found) if _plain(found) else json.dumps(found)


def _plain(found: Any) -> bool:
    """Whether amounts stand in it, which are exact only as our codec writes them."""
    return isinstance(found, dict) and any(isinstance(value, Decimal) for value in found.values())


def issue(source: str, key: str) -> Reply:
    issues = [{"i18nKey": key, "source": source, "type": "validation_failure", "additionalData": None, "args": None}]
    return 406, {}, json.dumps({"IssueList": issues})
