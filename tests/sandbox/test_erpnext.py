"""The played ERPNext on the wire: Frappe's addresses, its errors, and the rules about orders that a hub can trip over."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox

from .play import control, state

KEY = {"Authorization": f"token {facts.ERPNEXT_KEY}:{facts.ERPNEXT_SECRET}", "Accept": "application/json"}


def call(sandbox: Sandbox, method: str, path: str, headers: dict[str, str] = KEY, **more: Any) -> requests.Response:
    return requests.request(method, f"{sandbox.url}/erpnext/api/{path}", headers=headers, timeout=10, **more)


def made(sandbox: Sandbox, doctype: str, **values: Any) -> Any:
    answer = call(sandbox, "POST", f"resource/{doctype}", json=values)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def new_order(sandbox: Sandbox, **changes: Any) -> Any:
    if not state(sandbox)["erpnext"]["customers"]:
        made(sandbox, "Customer", customer_name="Erika", customer_type="Individual")
    row = {"item_code": "TK-100", "qty": 2, "rate": 39.95, "item_tax_template": "Umsatzsteuer 19 % - ST"}
    taxes = [
        {"charge_type": "On Net Total", "account_head": "1776 - Umsatzsteuer 19 % - ST", "included_in_print_rate": 1}
    ]
    order = {"customer": "Erika", "company": "Sandkasten Tee GmbH", "transaction_date": "2026-11-21", "po_no": "H-1"}
    return made(
        sandbox, "Sales Order", **{**order, "delivery_date": "2026-11-21", "items": [row], "taxes": taxes, **changes}
    )


def moved(sandbox: Sandbox, doctype: str, name: str, docstatus: int) -> requests.Response:
    return call(sandbox, "PUT", f"resource/{doctype}/{name}", json={"docstatus": docstatus})


def test_a_document_has_its_rows_and_all_amounts(sandbox: Sandbox) -> None:
    order = new_order(sandbox)
    assert (order["name"], order["status"], order["grand_total"]) == ("SAL-ORD-2026-00001", "Draft", 79.9)
    assert (order["total_taxes_and_charges"], order["net_total"]) == (12.76, 67.14)
    assert order["items"][0]["parent"] == order["name"]
    assert moved(sandbox, "Sales Order", order["name"], 1).json()["data"]["status"] == "To Deliver and Bill"


def test_lists_by_address_and_by_method_are_the_same(sandbox: Sandbox) -> None:
    new_order(sandbox)
    asked = {"fields": json.dumps(["name", "po_no"]), "filters": json.dumps([["po_no", "is", "set"]])}
    by_address = call(sandbox, "GET", "resource/Sales Order", params=asked).json()["data"]
    body = {"doctype": "Sales Order", "fields": ["name", "po_no"], "filters": [["po_no", "=", "h-1"]]}
    by_method = call(sandbox, "POST", "method/frappe.client.get_list", json=body).json()["message"]
    assert by_address == by_method == [{"name": "SAL-ORD-2026-00001", "po_no": "H-1"}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "resource/Sales Order/NIX", None, 404, "DoesNotExistError"),
        ("GET", "resource/Nonsense", None, 404, "DoesNotExistError"),
        ("POST", "resource/Customer", {"customer_name": "x"}, 417, "MandatoryError"),
        (
            "POST",
            "resource/Item",
            {"item_code": "TK-100", "item_group": "x", "stock_uom": "Nos"},
            409,
            "DuplicateEntryError",
        ),
        (
            "POST",
            "resource/Address",
            {"address_type": "Billing", "address_line1": "x", "city": "y", "country": "Nirgends"},
            417,
            "LinkValidationError",
        ),
        ("POST", "method/frappe.client.get_list", {"doctype": "Sales Order", "fields": ["colour"]}, 417, "DataError"),
        ("POST", "method/frappe.client.get_list", {"doctype": "Sales Order Item"}, 403, "PermissionError"),
        ("POST", "method/frappe.nothing", {}, 417, "ValidationError"),
        ("PUT", "resource/Item/TK-100", {"modified": "2001-01-01 00:00:00"}, 417, "TimestampMismatchError"),
        ("PUT", "resource/Item/TK-100", {"docstatus": 1}, 417, "DocstatusTransitionError"),
    ],
)
def test_errors_name_their_class_and_say_it_in_json_in_json(
    sandbox: Sandbox, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    answer = call(sandbox, method, path, json=body)
    assert (answer.status_code, answer.json()["exc_type"]) == (status, kind)
    (message,) = json.loads(answer.json()["_server_messages"])
    assert json.loads(message)["message"]


def test_without_the_right_token_nothing_is_told(sandbox: Sandbox) -> None:
    assert call(sandbox, "GET", "resource/Item", headers={}).status_code == 403
    assert call(sandbox, "GET", "resource/Item", headers={"Authorization": "token a:b"}).status_code == 401


def test_a_refused_step_leaves_nothing_behind(sandbox: Sandbox) -> None:
    """The note is over the order's quantity: neither stock nor order has changed."""
    order = new_order(sandbox)
    moved(sandbox, "Sales Order", order["name"], 1)
    make = "method/erpnext.selling.doctype.sales_order.sales_order.make_delivery_note"
    note = call(sandbox, "POST", make, json={"source_name": order["name"]}).json()["message"]
    note["items"][0]["qty"] = 5
    draft = made(sandbox, "Delivery Note", **{name: value for name, value in note.items() if name != "doctype"})
    answer = moved(sandbox, "Delivery Note", draft["name"], 1)
    assert (answer.status_code, answer.json()["exc_type"]) == (417, "OverAllowanceError")
    shelf = control_get(sandbox)["TK-100"]["Hauptlager - ST"]
    assert shelf == {"quantity": 1000.0, "reserved": 2.0}


def control_get(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.url}/control/erpnext/stock", timeout=10).json()


def test_what_has_not_left_cannot_come_back(sandbox: Sandbox) -> None:
    moved(sandbox, "Sales Order", new_order(sandbox)["name"], 1)
    answer = requests.post(f"{sandbox.url}/control/erpnext/return", json={"order": "H-1"}, timeout=10)
    assert (answer.status_code, answer.json()["error"][:9]) == (400, "KeyError:")


def test_an_order_with_a_note_cannot_be_cancelled(sandbox: Sandbox) -> None:
    order = new_order(sandbox)
    moved(sandbox, "Sales Order", order["name"], 1)
    control(sandbox, "erpnext/ship", order="H-1")
    assert moved(sandbox, "Sales Order", order["name"], 2).json()["exc_type"] == "LinkExistsError"
    assert state(sandbox)["erpnext"]["parcels"] == 1


def test_what_is_due_leaves_by_itself(sandbox: Sandbox) -> None:
    sandbox.world.turn(erpnext_ship_after=0.01, erpnext_partial_every=1)
    moved(sandbox, "Sales Order", new_order(sandbox)["name"], 1)
    sandbox.levers.ship_due()
    sandbox.levers.ship_due()
    held = state(sandbox)["erpnext"]
    assert (held["parcels"], held["returns"]) == (2, 0)
    control(sandbox, "erpnext/return", order="H-1", sku="TK-100", pieces=1)
    assert state(sandbox)["erpnext"]["returns"] == 1


def test_the_page_shows_orders_and_shelves(sandbox: Sandbox) -> None:
    new_order(sandbox, po_no="<b>H-1</b>")
    page = requests.get(f"{sandbox.url}/", timeout=10).text
    assert "&lt;b&gt;H-1&lt;/b&gt;" in page
    assert 'aria-label="TK-100 in ERPNext"' in page


def test_an_empty_world_can_be_asked_for(sandbox: Sandbox) -> None:
    new_order(sandbox)
    control(sandbox, "reset", records=True)
    assert state(sandbox)["erpnext"]["sales"] == {}
    assert new_order(sandbox)["name"] == "SAL-ORD-2026-00002"
