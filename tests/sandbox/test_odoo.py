"""The played Odoo on the wire: both interfaces with their traps, and its rules about sales."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox

KEY = {"Authorization": f"bearer {facts.ODOO_KEY}", "X-Odoo-Database": facts.ODOO_DATABASE}


def json2(sandbox: Sandbox, model: str, method: str, headers: dict[str, str] = KEY, **body: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/odoo/json/2/{model}/{method}", json=body, headers=headers, timeout=10)


def rpc(sandbox: Sandbox, model: str, method: str, *args: Any, **named: Any) -> Any:
    credentials = [facts.ODOO_DATABASE, facts.ODOO_UID, facts.ODOO_KEY]
    params = {"service": "object", "method": "execute_kw", "args": [*credentials, model, method, list(args), named]}
    answer = requests.post(
        f"{sandbox.url}/odoo/jsonrpc", json={"jsonrpc": "2.0", "id": 5, "params": params}, timeout=10
    )
    assert answer.status_code == 200
    return answer.json()


def new_sale(sandbox: Sandbox, **values: Any) -> int:
    partner = rpc(sandbox, "res.partner", "create", {"name": "Erika", "ref": "K-1"})["result"]
    line = {"product_id": 1, "product_uom_qty": 2, "price_unit": 39.95, "tax_id": [[6, 0, [2]]]}
    if sandbox.world.switch("odoo_version") == "19":
        line["tax_ids"] = line.pop("tax_id")
    given = {"partner_id": partner, "client_order_ref": "H-1", "order_line": [[0, 0, line]], **values}
    number: int = rpc(sandbox, "sale.order", "create", given)["result"]
    return number


def test_json_2_gives_plain_values_and_real_statuses(sandbox: Sandbox) -> None:
    assert json2(sandbox, "res.company", "search_read", fields=["name"]).json() == [
        {"id": 1, "name": "Sandkasten Tee GmbH"}
    ]
    created = json2(sandbox, "res.partner", "create", vals_list=[{"name": "a"}, {"name": "b"}])
    assert created.json() == [1, 2]
    assert json2(sandbox, "res.partner", "search", domain=[["name", "=", "b"]]).json() == [2]


@pytest.mark.parametrize(
    ("model", "method", "body", "status"),
    [
        ("no.model", "search_read", {}, 404),
        ("res.partner", "no_method", {}, 404),
        ("res.partner", "search_read", {"ids": [1]}, 422),
        ("res.partner", "search_read", {"filter": []}, 422),
        ("res.partner", "create", {}, 422),
        ("res.partner", "create", {"vals_list": [{}]}, 422),
        ("res.partner", "read", {"ids": [99], "fields": ["name"]}, 404),
        ("res.partner", "search_read", {"domain": [["colour", "=", 1]]}, 500),
        ("res.partner", "search_read", {"fields": ["colour"]}, 500),
        ("res.partner", "create", {"vals_list": [{"name": "a", "colour": 1}]}, 500),
        ("res.partner", "create", {"vals_list": [{"name": "a", "country_id": 99}]}, 404),
    ],
)
def test_json_2_states_what_is_wrong(
    sandbox: Sandbox, model: str, method: str, body: dict[str, Any], status: int
) -> None:
    answer = json2(sandbox, model, method, **body)
    assert answer.status_code == status
    assert set(answer.json()) == {"name", "message", "arguments", "context", "debug"}
    assert sandbox.world.store.rows("res.partner") == []


def test_json_2_wants_its_key(sandbox: Sandbox) -> None:
    assert json2(sandbox, "res.company", "search_read", headers={}).status_code == 401
    assert json2(sandbox, "res.company", "search_read", headers={**KEY, "Authorization": "bearer x"}).status_code == 401


def test_before_19_there_is_no_json_2(sandbox: Sandbox) -> None:
    sandbox.world.turn(odoo_version="17")
    answer = json2(sandbox, "res.company", "search_read")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_json_rpc_hides_errors_behind_200(sandbox: Sandbox) -> None:
    answer = rpc(sandbox, "res.partner", "read", [99], ["name"])
    assert answer["error"]["data"]["name"] == "odoo.exceptions.MissingError"
    assert "result" not in answer
    private = rpc(sandbox, "sale.order", "_create_invoices", [1])
    assert private["error"]["data"]["name"] == "odoo.exceptions.AccessError"


def test_nothing_is_false_and_relations_are_pairs(sandbox: Sandbox) -> None:
    parent = rpc(sandbox, "res.partner", "create", {"name": "Firma", "country_id": 1})["result"]
    child = rpc(sandbox, "res.partner", "create", {"name": "Käthe", "parent_id": parent, "type": "delivery"})["result"]
    (row,) = rpc(sandbox, "res.partner", "read", [child], ["ref", "parent_id", "display_name", "country_id"])["result"]
    assert row == {
        "id": child,
        "ref": False,
        "parent_id": [parent, "Firma"],
        "display_name": "Firma, Käthe",
        "country_id": False,
    }
    (found,) = rpc(sandbox, "res.partner", "read", [parent], ["child_ids", "country_id"])["result"]
    assert found == {"id": parent, "child_ids": [child], "country_id": [1, "Deutschland"]}


@pytest.mark.parametrize("version", ["17", "19"])
def test_the_taxes_of_a_line_changed_their_name(sandbox: Sandbox, version: str) -> None:
    sandbox.world.turn(odoo_version=version)
    names = rpc(sandbox, "sale.order.line", "fields_get", ["tax_id", "tax_ids"], ["type"])["result"]
    assert list(names) == ["tax_ids" if version == "19" else "tax_id"]
    sale = rpc(sandbox, "sale.order", "read", [new_sale(sandbox)], ["amount_total", "amount_tax", "state"])["result"]
    assert sale == [{"id": 1, "amount_total": 79.9, "amount_tax": 12.76, "state": "draft"}]


def test_a_reference_is_not_unique(sandbox: Sandbox) -> None:
    assert new_sale(sandbox) != new_sale(sandbox)
    assert rpc(sandbox, "sale.order", "search_count", [["client_order_ref", "=", "H-1"]])["result"] == 2


def test_a_second_confirmation_is_refused(sandbox: Sandbox) -> None:
    number = new_sale(sandbox)
    assert rpc(sandbox, "sale.order", "action_confirm", [number])["result"] is True
    again = rpc(sandbox, "sale.order", "action_confirm", [number])
    assert again["error"]["data"]["name"] == "odoo.exceptions.UserError"
    (picking,) = sandbox.world.store.rows("stock.picking")
    assert (picking["state"], picking["sale_id"]) == ("assigned", number)


def test_a_cancellation_without_the_context_is_a_wizard_that_does_nothing(sandbox: Sandbox) -> None:
    number = new_sale(sandbox)
    rpc(sandbox, "sale.order", "action_confirm", [number])
    assert rpc(sandbox, "sale.order", "action_cancel", [number])["result"]["res_model"] == "sale.order.cancel"
    assert sandbox.world.store.rows("sale.order")[0]["state"] == "sale"
    context = {"disable_cancel_warning": True}
    assert rpc(sandbox, "sale.order", "action_cancel", [number], context=context)["result"] is True
    assert sandbox.world.store.rows("sale.order")[0]["state"] == "cancel"
    assert sandbox.world.store.rows("stock.picking")[0]["state"] == "cancel"


def test_a_confirmed_sale_is_not_deleted(sandbox: Sandbox) -> None:
    number = new_sale(sandbox)
    rpc(sandbox, "sale.order", "action_confirm", [number])
    assert "error" in rpc(sandbox, "sale.order", "unlink", [number])


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ([["code", "=", "DE"]], ["DE"]),
        (["|", ["code", "=", "DE"], ["code", "=", "AT"]], ["DE", "AT"]),
        (["!", ["code", "in", ["DE", "AT", "CH"]]], ["FR"]),
        (["&", ["id", ">", 1], "|", ["name", "ilike", "SCHW"], ["name", "like", "reich"]], ["AT", "CH", "FR"]),
        ([["id", "in", [3, 1]], ["code", "!=", "DE"]], ["CH"]),
        ([["code", "not in", ["DE"]], ["name", "=ilike", "frankREICH"]], ["FR"]),
        ([["code", "=", False]], []),
    ],
)
def test_domains_are_read_as_odoo_reads_them(sandbox: Sandbox, domain: list[Any], found: list[str]) -> None:
    rows = rpc(sandbox, "res.country", "search_read", domain, ["code"])["result"]
    assert [row["code"] for row in rows] == found


def test_lists_are_ordered_and_cut(sandbox: Sandbox) -> None:
    rows = rpc(sandbox, "res.country", "search_read", [], ["code"], 1, 2, "code desc")["result"]
    assert [row["code"] for row in rows] == ["DE", "CH"]


def test_archived_records_are_hidden_unless_asked_for(sandbox: Sandbox) -> None:
    sandbox.world.store.rows("product.product")[0]["active"] = False
    domain = [["default_code", "=", "TK-100"]]
    assert rpc(sandbox, "product.product", "search", domain)["result"] == []
    assert rpc(sandbox, "product.product", "search", domain, context={"active_test": False})["result"] == [1]
    assert rpc(sandbox, "product.product", "search", [*domain, ["active", "=", False]])["result"] == [1]


def test_a_wrong_write_changes_nothing(sandbox: Sandbox) -> None:
    number = new_sale(sandbox)
    lines = [[5, 0, 0], [0, 0, {"product_id": 999}]]
    assert "error" in rpc(sandbox, "sale.order", "write", [number], {"origin": "x", "order_line": lines})
    sale = sandbox.world.store.rows("sale.order")[0]
    assert (sale.get("origin"), sale["amount_total"]) == (None, 79.9)


def test_login_is_a_number_or_false(sandbox: Sandbox) -> None:
    for key, expected in ((facts.ODOO_KEY, facts.ODOO_UID), ("wrong", False)):
        params = {
            "service": "common",
            "method": "authenticate",
            "args": [facts.ODOO_DATABASE, facts.ODOO_LOGIN, key, {}],
        }
        answer = requests.post(f"{sandbox.url}/odoo/jsonrpc", json={"id": 1, "params": params}, timeout=10)
        assert answer.json()["result"] is expected or answer.json()["result"] == expected
