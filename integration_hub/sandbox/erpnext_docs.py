"""Documents of the played ERPNext: kept, named, checked for what is mandatory, linked and unique, and asked for in lists."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from .erpnext_schema import CHILD, DOCTYPES, STANDARD, FrappeError, is_child, known, refuse, the
from .store import Record
from .world import World

ZONE = ZoneInfo("Europe/Berlin")
USER = "hub@sandbox.example"
_HTML = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL | re.IGNORECASE)


def table(doctype: str) -> str:
    return f"erpnext.{doctype}"


class Docs:
    """All documents; hold the world's lock around anything that reads and then writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._last = datetime.now(UTC)
        self._before: list[tuple[str, int, Record | None]] = []
        for doctype in DOCTYPES:
            if not is_child(doctype):
                world.store.index(table(doctype), "name")

    def now(self) -> str:
        """A moment in the site's time that no document has yet."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")

    def all(self, doctype: str) -> list[Record]:
        """Documents, or the rows of every document that has such a table; to be read only."""
        if not is_child(doctype):
            return self.world.store.rows(table(doctype))
        return [
            row
            for parent, one in DOCTYPES.items()
            for name, child in one.tables.items()
            if child == doctype
            for doc in self.world.store.rows(table(parent))
            for row in doc.get(name, ())
        ]

    def get(self, doctype: str, name: Any) -> Record:
        """A copy of the document, to be changed and put back."""
        the(doctype)
        found = self.world.store.where(table(doctype), "name", str(name))
        if not found:
            raise FrappeError("DoesNotExistError", f"{doctype} {name} not found", 404)
        return copy.deepcopy(found[0])

    def there(self, doctype: str, name: Any) -> bool:
        return bool(self.world.store.where(table(doctype), "name", str(name)))

    def put(self, doctype: str, doc: Record) -> Record:
        """Keep a document as it is now, at a new time."""
        doc["modified"] = self.now()
        self._remember(doctype, doc)
        self.world.store.put(table(doctype), copy.deepcopy(doc))
        return doc

    def remove(self, doctype: str, doc: Record) -> None:
        self._remember(doctype, doc)
        self.world.store.remove(table(doctype), doc["id"])

    def _remember(self, doctype: str, doc: Record) -> None:
        self._before.append((table(doctype), doc["id"], self.world.store.get(table(doctype), doc["id"])))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, one at a time."""
        with self.world.lock:
            self._before = []
            try:
                yield
            except Exception:
                for name, number, before in reversed(self._before):
                    if before is None:
                        self.world.store.remove(name, number)
                    else:
                        self.world.store.put(name, before)
                raise

    def new(self, doctype: str, given: Mapping[str, Any]) -> Record:
        """A document that is not kept yet, with its rows."""
        kind = the(doctype)
        number = self.world.store.next_id(table(doctype))
        doc: Record = {"id": number, "doctype": doctype, "docstatus": 0, "idx": 0}
        doc |= dict.fromkeys(kind.numbers, 0) | dict.fromkeys(kind.fields - kind.numbers)
        doc |= {name: value for name, value in given.items() if name in kind.fields and value is not None}
        doc |= {"owner": USER, "modified_by": USER, "creation": self.now()}
        doc["name"] = self._name(doctype, doc, number)
        for name in kind.tables:
            doc[name] = self.rows(doc, name, given.get(name) or [])
        return doc

    def rows(self, doc: Record, name: str, given: Any) -> list[Record]:
        """The rows of a table; those that have a name of this document's stay the same rows."""
        doctype = the(doc["doctype"]).tables[name]
        kind, before = the(doctype), {row["name"]: row for row in doc.get(name, ())}
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            raise refuse(f"{name} is no table")
        made = []
        for place, row in enumerate(given, 1):
            old = before.get(str(row.get("name")), {})
            fresh: Record = dict.fromkeys(kind.numbers, 0) | dict.fromkeys(kind.fields - kind.numbers)
            fresh |= {one: value for one, value in old.items() if one in kind.fields}
            fresh |= {one: value for one, value in row.items() if one in kind.fields and value is not None}
            number = self.world.store.next_id(f"erpnext.rows of {doctype}")
            fresh["name"] = old.get("name") or _hash(doctype, number)
            fresh |= {"doctype": doctype, "parent": doc["name"], "parenttype": doc["doctype"], "parentfield": name}
            made.append(
                {**fresh, "idx": place, "docstatus": doc["docstatus"], "modified": doc.get("modified"), "owner": USER}
            )
        return made

    def _name(self, doctype: str, doc: Record, number: int) -> str:
        series = the(doctype).series
        if "{" in series:
            return series.format(number)
        if doctype == "Address":
            return self._free(doctype, f"{doc['address_title'] or 'Address'}-{doc['address_type']}", "-{}")
        if series == "full_name":
            first = doc.get("account_name") or doc.get("warehouse_name") or doc.get("title")
            return f"{first} - ST"
        if series == "title":
            return doctype
        if series:
            name = str(doc.get(series) or "")
            return self._free(doctype, name, " - {}") if doctype == "Customer" else name
        return _hash(doctype, number)

    def _free(self, doctype: str, name: str, more: str) -> str:
        taken, number = name, 0
        while self.there(doctype, taken):
            number += 1
            taken = name + more.format(number)
        return taken

    def check(self, doc: Record) -> None:
        """What Frappe looks at before it keeps anything: names, links, what is mandatory and what is unique."""
        kind = the(doc["doctype"])
        for name in kind.mandatory:
            if doc.get(name) in (None, "", []):
                raise refuse(f"[{doc['doctype']}, {doc['name']}]: {name}", "MandatoryError")
        for one, rows in [(kind, [doc]), *((the(child), doc[name]) for name, child in kind.tables.items())]:
            for row in rows:
                self._check_links(one.links, one.mandatory, row)
        for name in kind.unique:
            if doc.get(name) and any(
                other["name"] != doc["name"] and other.get(name) == doc[name] for other in self.all(doc["doctype"])
            ):
                raise refuse(f"{doc['doctype']} with {name} {doc[name]} already exists", "UniqueValidationError")

    def _check_links(self, links: Mapping[str, str], mandatory: tuple[str, ...], row: Record) -> None:
        for name in mandatory:
            if row.get(name) in (None, "", []):
                raise refuse(f"Value missing for {row['doctype']}: {name}", "MandatoryError")
        for name, target in links.items():
            if row.get(name) and not self.there(target, row[name]):
                place = f"Row #{row['idx']}: " if row.get("parent") else ""
                raise refuse(f"Could not find {place}{name}: {row[name]}", "LinkValidationError")

    def query(self, given: Mapping[str, Any]) -> list[Record]:
        """``frappe.client.get_list``."""
        doctype = str(given.get("doctype"))
        the(doctype)
        parent = DOCTYPES.get(str(given.get("parent")))
        if is_child(doctype) and (parent is None or doctype not in parent.tables.values()):
            raise FrappeError("PermissionError", f"No permission for {doctype}", 403)
        names, filters = given.get("fields") or ["name"], given.get("filters") or []
        order, _, way = str(given.get("order_by") or "modified desc").partition(" ")
        for name in (*names, *map(_filtered, filters), order):
            if name not in known(doctype):
                raise refuse(f"Field not permitted in query: {name}", "DataError")
        rows = [row for row in self.all(doctype) if all(_fits(row, *one[-3:]) for one in filters)]
        rows.sort(
            key=lambda row: (str(row.get(order) or "").casefold(), row.get("id", 0)), reverse=way.strip() == "desc"
        )
        start, length = int(given.get("limit_start") or 0), int(given.get("limit_page_length", 20))
        return [{name: row.get(name) for name in names} for row in rows[start : start + length if length else None]]


def _filtered(one: Any) -> str:
    """The field that a filter is about."""
    if not isinstance(one, list) or len(one) not in (3, 4):
        raise refuse(f"Filter must be a tuple or list (in a list): {one}")
    return str(one[-3])


def _fits(row: Record, name: str, operator: str, value: Any) -> bool:
    held = row.get(name)
    if operator == "is":
        return (held not in (None, "")) is bool(value == "set")
    if operator in ("in", "not in"):
        return any(_compare(held, "=", each) for each in value) is (operator == "in")
    if operator == "like":
        return bool(re.fullmatch(re.escape(str(value)).replace("%", ".*"), str(held or ""), re.DOTALL | re.IGNORECASE))
    return _compare(held, operator, value)


def shown(doc: Record) -> Record:
    """A document as Frappe answers with it: without what only the sandbox keeps."""
    kind = the(doc["doctype"])
    wanted = kind.fields | STANDARD | CHILD | {"doctype"}
    plain = {name: value for name, value in doc.items() if name in wanted}
    return plain | {name: [shown(row) for row in doc.get(name, ())] for name in kind.tables}


def clean(text: str) -> str:
    """As Frappe cleans what comes as HTML."""
    return _HTML.sub("", text)


def _hash(doctype: str, number: int) -> str:
    return hashlib.sha256(f"{doctype} {number}".encode()).hexdigest()[:10]


def _compare(held: Any, operator: str, value: Any) -> bool:
    """As MariaDB compares: numbers as numbers where one side is one, texts without regard to case, nothing as an empty text."""
    numbers = any(isinstance(one, bool | int | float) for one in (held, value))
    first: Any = _number(held) if numbers else str(held or "").casefold()
    second: Any = _number(value) if numbers else str(value or "").casefold()
    found = {"=": first == second, "!=": first != second}
    if operator in found:
        return bool(found[operator])
    if operator not in (">", ">=", "<", "<="):
        raise refuse(f"Operator must be one of =, !=, >, <, >=, <=, like, not like, in, not in, is: {operator}")
    return bool({">": first > second, ">=": first >= second, "<": first < second, "<=": first <= second}[operator])


def _number(value: Any) -> Decimal:
    try:
        return Decimal(str(value or 0))
    except InvalidOperation:
        return Decimal(0)
