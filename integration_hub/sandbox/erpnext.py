"""ERPNext on the wire: ``/api/resource/<DocType>`` and ``/api/method/<path>`` of Frappe, with its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from . import erpnext_desk as desk
from . import erpnext_sales as sales
from . import world as facts
from .erpnext_docs import USER, ZONE, Docs, shown
from .erpnext_furnish import furnish
from .erpnext_schema import CANCELLED, SUBMITTED, FrappeError
from .http import Request, Response, json_response
from .store import Record
from .world import World

_API = "/erpnext/api/"
_NOT_FOUND = b"<!DOCTYPE html><html><head><title>Page Missing or Moved</title></head><body>404</body></html>"
_NOTE = "erpnext.stock.doctype.delivery_note.delivery_note."
_ORDER = "erpnext.selling.doctype.sales_order.sales_order."
READING = frozenset(
    {
        *(
            "frappe.auth.get_logged_user",
            "frappe.client.get_list",
            "frappe.client.get_count",
            "frappe.client.get_time_zone",
        ),
        *("erpnext.accounts.party.get_party_account", f"{_NOTE}make_sales_return", f"{_ORDER}make_delivery_note"),
    }
)


class ErpNext:
    """The played ERP."""

    name = "erpnext"
    prefix = "/erpnext/"

    def __init__(self, world: World) -> None:
        self.world = world
        self.docs = Docs(world)
        furnish(self.docs)
        self._methods: dict[str, Callable[[Record], Any]] = {
            "frappe.auth.get_logged_user": lambda given: USER,
            "frappe.client.get_list": self.docs.query,
            "frappe.client.get_count": lambda given: len(self.docs.query({**given, "limit_page_length": 0})),
            "frappe.client.get_time_zone": lambda given: {"time_zone": str(ZONE)},
            "frappe.client.submit": lambda given: self._moved(given["doc"], SUBMITTED),
            "frappe.client.cancel": lambda given: self._moved(given, CANCELLED),
            "erpnext.accounts.party.get_party_account": lambda given: "1400 - Forderungen - ST",
            "erpnext.controllers.accounts_controller.update_child_qty_rate": lambda given: sales.update_items(
                self.docs, given
            ),
            f"{_NOTE}make_sales_return": lambda given: sales.make_return(self.docs, given["source_name"]),
            f"{_ORDER}make_delivery_note": lambda given: sales.make_note(self.docs, given["source_name"]),
            f"{_ORDER}update_status": lambda given: sales.update_status(self.docs, given["name"], given["status"]),
        }

    def handle(self, request: Request) -> Response:
        """Anything under /api/ is answered in JSON; the rest is a website."""
        if not request.path.startswith(_API):
            return Response(404, _NOT_FOUND, {"Content-Type": "text/html; charset=utf-8"})
        try:
            self._authorise(request)
            with self.docs.transaction():
                return self._answer(request, request.path.removeprefix(_API))
        except FrappeError as error:
            return _error(error)
        except (
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
        ) as error:  # a defect there, as strange input makes them
            return _error(FrappeError(type(error).__name__, str(error), 500))

    def writes(self, request: Request) -> bool:
        if not request.path.startswith(_API) or request.method == "GET":
            return False
        return request.path.removeprefix(f"{_API}method/") not in READING

    def failure(self, status: int, retry_after: int) -> Response:
        """What stands before ERPNext answers: nginx."""
        kept = {"Content-Type": "text/html"} | ({"Retry-After": str(retry_after)} if retry_after else {})
        return Response(status, f"<html><head><title>{status}</title></head></html>".encode(), kept)

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise FrappeError("PermissionError", "Login to access", 403)
        if scheme.lower() != "token" or token != f"{facts.ERPNEXT_KEY}:{facts.ERPNEXT_SECRET}":
            raise FrappeError("AuthenticationError", "Invalid API credentials", 401)

    def _answer(self, request: Request, path: str) -> Response:
        kind, _, rest = path.partition("/")
        given = request.json() if request.body else dict(request.query)
        if kind == "method":
            return self._method(rest, given)
        if kind != "resource":
            raise FrappeError("DoesNotExistError", "Not found", 404)
        doctype, _, name = unquote(rest).partition("/")
        return self._resource(request.method, doctype, name, given)

    def _method(self, name: str, given: Record) -> Response:
        if name not in self._methods:
            words = f"Failed to get method for command {name} with No module named '{name.rpartition('.')[0]}'"
            raise FrappeError("ValidationError", words)
        found = self._methods[name](given)
        return json_response({} if found is None else {"message": found})

    def _resource(self, method: str, doctype: str, name: str, given: Record) -> Response:
        if method == "GET" and not name:
            filters: Record = {key: json.loads(given[key]) for key in ("fields", "filters") if key in given}
            return json_response({"data": self.docs.query({**given, **filters, "doctype": doctype})})
        if method == "GET":
            return json_response({"data": shown(self.docs.get(doctype, name))})
        if method == "POST" and not name:
            return json_response({"data": shown(desk.insert(self.docs, doctype, given))})
        if method == "PUT" and name:
            return json_response({"data": shown(desk.update(self.docs, doctype, name, given))})
        if method == "DELETE" and name:
            desk.delete(self.docs, doctype, name)
            return json_response({"data": "ok"}, 202)
        raise FrappeError("ValidationError", "Method not allowed", 405)

    def _moved(self, given: Record, docstatus: int) -> Record:
        changes = {"docstatus": docstatus, "modified": given.get("modified")}
        return shown(desk.update(self.docs, given["doctype"], given["name"], changes))


def _error(error: FrappeError) -> Response:
    """What a request that failed is answered with: the class, and the words for the screen as JSON in JSON."""
    message = json.dumps(
        {"message": f"<strong>{error.message}</strong>", "title": "Message", "indicator": "red", "raise_exception": 1}
    )
    body = {
        "exception": f"frappe.exceptions.{error.kind}: {error.message}",
        "exc_type": error.kind,
        "exc": json.dumps([f"Traceback (most recent call last):\nfrappe.exceptions.{error.kind}: {error.message}\n"]),
        "_server_messages": json.dumps([message]),
    }
    return json_response(body, error.status)
