"""Two interfaces, one call: which one is used, and whose error is whose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from tests.connectors.world import everything, outside

from .mine import Erp, connector, sale


def rpc_error(name: str, message: str) -> tuple[int, dict[str, str], str]:
    data = {"name": name, "message": message, "debug": "Traceback", "arguments": [message], "context": {}}
    return 200, {}, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "x", "data": data}})


def json2_error(name: str, message: str, status: int) -> tuple[int, dict[str, str], str]:
    return status, {}, json.dumps({"name": name, "message": message, "debug": "", "arguments": [], "context": {}})


def paths(it: Any) -> list[str]:
    return [exchange.url.removeprefix("https://erp.example.test/odoo") for exchange in it.http.exchanges]


def test_json_2_is_preferred() -> None:
    it = connector()
    with outside(Erp("19")):
        it.find(sale())
    assert paths(it) == ["/json/2/sale.order/search_read"]


def test_json_rpc_takes_over_where_json_2_is_not_there_and_is_remembered() -> None:
    it = connector()
    with outside(Erp("17")):
        it.find(sale())
        it.find(sale())
    assert paths(it) == ["/json/2/sale.order/search_read", "/jsonrpc", "/jsonrpc", "/jsonrpc"]


def test_a_chosen_interface_is_not_left() -> None:
    with outside(Erp("17")), pytest.raises(Misconfigured) as caught:
        connector(transport="json2").find(sale())
    assert caught.value.code == "no_json2"


@pytest.mark.parametrize("version", ["17", "19"])
@pytest.mark.parametrize("wrong", [{"api_key": "wrong-api-key"}, {"database": "other"}])
def test_wrong_credentials_are_for_the_integrator(version: str, wrong: dict[str, str]) -> None:
    with outside(Erp(version)), pytest.raises(Misconfigured):
        connector(**wrong).find(sale())


@pytest.mark.parametrize(
    ("name", "message", "kind", "code"),
    [
        ("odoo.exceptions.UserError", "Nicht erlaubt", Rejected, "refused"),
        ("odoo.exceptions.ValidationError", "The VAT number is not valid", Rejected, "refused"),
        ("odoo.exceptions.MissingError", "Record does not exist", Rejected, "refused"),
        ("builtins.ValueError", "Invalid field 'x' on model 'sale.order'", Rejected, "refused"),
        ("odoo.exceptions.AccessError", "You are not allowed", Misconfigured, "refused_rights"),
        ("odoo.exceptions.AccessDenied", "Access Denied", Misconfigured, "refused_credentials"),
        ("odoo.http.SessionExpiredException", "Session expired", Misconfigured, "refused_credentials"),
        ("psycopg2.OperationalError", 'FATAL: database "x" does not exist', Misconfigured, "unknown_database"),
        ("psycopg2.OperationalError", "could not connect to server", RetryLater, "their_fault"),
        ("psycopg2.errors.SerializationFailure", "could not serialize access", RetryLater, "their_conflict"),
        ("psycopg2.errors.DeadlockDetected", "deadlock detected", RetryLater, "their_conflict"),
    ],
)
def test_odoos_errors_are_ours_over_both_interfaces(name: str, message: str, kind: type[HubError], code: str) -> None:
    with everything(rpc_error(name, message)), pytest.raises(kind) as caught:
        connector(transport="jsonrpc").find(sale())
    assert caught.value.code == code
    with everything(json2_error(name, message, 422)), pytest.raises(kind) as caught:
        connector(transport="json2").find(sale())
    assert caught.value.code == code


def test_odoos_own_words_reach_the_person() -> None:
    with (
        everything(rpc_error("odoo.exceptions.UserError", "Der Kunde ist gesperrt.")),
        pytest.raises(Rejected) as caught,
    ):
        connector(transport="jsonrpc").find(sale())
    assert "Der Kunde ist gesperrt." in str(caught.value)


def test_an_error_of_an_early_json_2_is_a_plain_string() -> None:
    with everything((422, {}, '"missing a required argument"')), pytest.raises(Rejected) as caught:
        connector(transport="json2").find(sale())
    assert "missing a required argument" in str(caught.value)


def test_a_wrong_key_is_one_whatever_the_body_says() -> None:
    with everything((401, {}, '"Invalid apikey"')), pytest.raises(Misconfigured):
        connector(transport="json2").find(sale())


def test_an_unknown_model_is_no_reason_to_change_the_interface() -> None:
    answer = json2_error("werkzeug.exceptions.NotFound", "the model 'sale.order' does not exist", 404)
    it = connector()
    with everything(answer), pytest.raises(Rejected):
        it.find(sale())
    assert len(it.http.exchanges) == 1


def test_an_answer_without_result_is_none_and_not_a_crash() -> None:
    with everything((200, {}, '{"jsonrpc": "2.0", "id": 1}')), pytest.raises(Misconfigured):
        connector(transport="jsonrpc").find(sale())


@pytest.mark.parametrize("row", ['{"id": 1}', '{"name": "S1"}', "7", "null", '"x"'])
def test_records_without_what_was_asked_for_are_not_guessed(row: str) -> None:
    with everything((200, {}, f"[{row}]")), pytest.raises(RetryLater) as caught:
        connector(transport="json2").find(sale())
    assert caught.value.code == "not_an_api"
    assert not caught.value.maybe_written


def test_a_proxys_page_instead_of_an_answer_is_tried_again() -> None:
    with everything((200, {}, "<html>Wartung</html>")), pytest.raises(RetryLater):
        connector().find(sale())


def test_the_key_travels_in_the_header_only() -> None:
    it = connector(transport="json2")
    with outside(Erp()):
        it.find(sale())
    assert it.config.api_key not in it.http.exchanges[0].request
