"""What a detail shows, to whom, and the actions that can be carried out over it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from exceptions.models import CaseState, ExceptionCase
from integration_hub.backoffice.masking import MASK
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, InboundEvent
from inventory.models import Variant
from orders.models import Order
from tests.api.conftest import Caller
from tests.exceptions import scene

pytestmark = pytest.mark.django_db


def act(client: Client, url: str, code: str, **data: Any) -> Any:
    return client.post(f"{url}actions/{code}/", json.dumps(data), content_type="application/json")


def test_an_order_shows_all_that_belongs_to_it(caller: Caller, reported: Order) -> None:
    found = caller("operations").get(f"/api/v1/orders/{reported.pk}/").json()
    assert (found["channel"], found["number"], found["reference"]) == ("laden", "#1", "laden:1")
    assert (found["total"], found["total_tax"]) == ("28.7000", "4.5800")
    assert [line["sku"] for line in found["lines"]] == ["TK-100", ""]
    assert {address["role"]: address["postal_code"] for address in found["addresses"]} == {
        "BILLING": "20457",
        "SHIPPING": "",
    }
    assert [(sale["erp"], sale["number"]) for sale in found["sales"]] == [("erp", "VK-#1")]
    assert (found["shipments"], found["exceptions"]) == ([], [])
    codes = [action["code"] for action in found["actions"]]
    assert codes == [
        "orders.retry",
        "orders.cancel",
        "orders.announce_return",
        "orders.exchange",
        "orders.grant_discount",
    ]


def test_a_held_order_names_its_exceptions(caller: Caller, reported: Order) -> None:
    held = Order.objects.get(state="HELD")
    (case,) = caller("operations").get(f"/api/v1/orders/{held.pk}/").json()["exceptions"]
    assert (case["kind"], case["id"]) == ("unknown_product", ExceptionCase.objects.get().pk)
    assert "TK-100-B" in case["title"]


def test_personal_data_is_for_those_who_may_see_it(caller: Caller, reported: Order) -> None:
    url = f"/api/v1/orders/{reported.pk}/"
    seen, hidden = caller("finance").get(url), caller("integrator").get(url)
    for secret in ("Erika", "Hafenstra", "kunde1@example.com", "20457"):
        assert secret in seen.content.decode()
        assert secret not in hidden.content.decode()
    assert hidden.json()["addresses"][0]["country"] == "DE"
    assert hidden.json()["buyer"]["email"] == MASK
    assert hidden.json()["addresses"][0]["phone"] == ""


def test_customers_are_masked_and_cannot_be_tried_out(caller: Caller, reported: Order) -> None:
    marketing = caller("marketing")
    row = marketing.get("/api/v1/customers/").json()["results"][0]
    assert (row["name"], row["email"]) == (MASK, MASK)
    assert row["code"].startswith("HUB-")
    assert marketing.get("/api/v1/customers/?email=kunde1@example.com").status_code == 403
    assert caller("finance").get("/api/v1/customers/?email=kunde1@example.com").json()["results"][0]["name"] != MASK


def test_an_exception_describes_its_fixes_and_a_fix_works(caller: Caller, reported: Order) -> None:
    pot = Variant.objects.get()
    url = f"/api/v1/exceptions/{ExceptionCase.objects.get().pk}/"
    client = caller("operations")
    found = client.get(url).json()
    assert (found["size"], found["connection"], found["role"]) == (1, "laden", "operations")
    assert [(item["type"], item["label"]) for item in found["subjects"]] == [("order", "Laden #2")]
    fix = found["actions"][0]
    assert (fix["code"], fix["permitted"], fix["hindrance"]) == ("orders.map_product", True, "")
    fields = {field["name"]: field for field in fix["fields"]}
    assert fields["variant"]["kind"] == "choice"
    assert [choice["value"] for choice in fields["variant"]["choices"]] == [str(pot.pk)]
    done = act(client, url, "orders.map_product", sku="TK-100")
    assert (done.status_code, done.json()["result"] != "") == (200, True)
    pump.drain()
    assert ExceptionCase.objects.get().state == CaseState.SOLVED
    assert Order.objects.get(external_id="2").state == "ACCEPTED"


def test_a_form_filled_in_wrongly_says_where(caller: Caller, reported: Order) -> None:
    url = f"/api/v1/exceptions/{ExceptionCase.objects.get().pk}/"
    client = caller("operations")
    short = act(client, url, "exceptions.dismiss", reason="NOT_NEEDED", why="no")
    assert short.status_code == 400
    assert [error["pointer"] for error in short.json()["errors"]] == ["#/why"]
    assert act(client, url, "orders.map_product", variant={"a": 1}).json()["errors"][0]["pointer"] == "#/variant"
    assert act(client, url, "orders.map_product", sku="no such").status_code == 400
    assert client.post(f"{url}actions/exceptions.dismiss/", "[]", content_type="application/json").status_code == 400


def test_an_action_asks_for_its_own_permission_and_for_its_time(caller: Caller, reported: Order) -> None:
    url = f"/api/v1/exceptions/{ExceptionCase.objects.get().pk}/"
    auditor, client = caller("auditor"), caller("operations")
    offered = {item["code"]: item for item in auditor.get(url).json()["actions"]}
    assert not any(item["permitted"] or item["fields"] for item in offered.values())
    assert act(auditor, url, "exceptions.dismiss", reason="NOT_NEEDED", why="not needed").status_code == 403
    assert act(client, url, "exceptions.dismiss", reason="NOT_NEEDED", why="not needed").status_code == 200
    late = act(client, url, "exceptions.dismiss", reason="NOT_NEEDED", why="not needed")
    assert (late.status_code, late.json()["type"]) == (409, "urn:hub:problem:not-now")
    assert act(client, url, "orders.no_such").status_code == 404
    assert ExceptionCase.objects.get().closed_by.username == "operations"  # type: ignore[union-attr]


def test_an_order_is_run_again_over_the_api_and_it_is_written_down(caller: Caller, reported: Order) -> None:
    held = Order.objects.get(state="HELD")
    Variant.objects.create(sku="TK-100-B", title="Teekanne blau")
    answer = act(caller("operations"), f"/api/v1/orders/{held.pk}/", "orders.retry")
    assert answer.status_code == 200
    held.refresh_from_db()
    assert held.state == "ACCEPTED"
    assert Activity.objects.filter(action="orders.retry", subject_id=held.pk, actor__username="operations").exists()


def test_a_connection_shows_its_health_and_never_a_secret(caller: Caller, reported: Order, shop: Connection) -> None:
    InboundEvent.objects.create(
        connection=shop,
        door="POLL",
        topic="x",
        object_id="9",
        digest=b"1",
        body=b"{}",
        received_at="2026-11-20T10:00:00Z",
    )
    InboundEvent.objects.create(
        connection=shop, door="POLL", topic="x", object_id="8", digest=b"1", body=b"{}", state="PARKED"
    )
    Connection.objects.filter(pk=shop.pk).update(
        state="PAUSED", state_reason={"msgid": "Paused by a person", "params": {}}
    )
    answer = caller("integrator").get("/api/v1/connections/laden/")
    found = answer.json()
    assert (found["state"], found["reason"] != "") == ("PAUSED", True)
    health = found["health"]
    assert (health["events"]["waiting"], health["events"]["parked"]) == (1, 1)
    assert health["events"]["age_seconds"] > 0
    assert health["open_exceptions"] == 1
    assert health["last_event_at"]
    assert [poll["stream"] for poll in health["polls"]] == ["orders", "sweep"]
    assert "s3cret" not in answer.content.decode()
    assert not {"config", "sealed", "secrets"} & found.keys()
    assert caller("operations").get("/api/v1/connections/none/").status_code == 404


def test_the_fate_of_an_event_names_why_nothing_came_of_it(caller: Caller, reported: Order, shop: Connection) -> None:
    event = InboundEvent.objects.get(object_id="1")
    client = caller("operations")
    found = client.get(f"/api/v1/events/{event.pk}/").json()
    assert (found["state"], found["order"]["id"]) == ("DONE", reported.pk)
    parked = InboundEvent.objects.create(
        connection=shop,
        door="WEBHOOK",
        topic="order.updated",
        object_id="",
        digest=b"2",
        body=b"{",
        state="PARKED",
        reason={"msgid": "The message cannot be read: %(what)s", "params": {"what": "not JSON"}},
        reason_code="unreadable",
    )
    found = client.get(f"/api/v1/events/{parked.pk}/").json()
    assert (found["state"], found["reason_code"], found["order"]) == ("PARKED", "unreadable", None)
    assert "not JSON" in found["reason"]
    assert "body" not in found


def test_what_is_accepted_is_what_was_seen(caller: Caller, joined: Connection) -> None:
    case = scene.wrong_total(8)
    client, url = caller("finance"), f"/api/v1/exceptions/{case.pk}/"
    (accept,) = [action for action in client.get(url).json()["actions"] if action["code"] == "orders.accept"]
    seen = next(field["initial"] for field in accept["fields"] if field["name"] == "seen")
    stale = act(client, url, "orders.accept", why="voucher of the fair", seen="0" * 64)
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:hub:problem:changed")
    assert act(client, url, "orders.accept", why="voucher of the fair").status_code == 400
    assert act(client, url, "orders.accept", why="voucher of the fair", seen=seen).status_code == 200
    case.refresh_from_db()
    assert case.state == CaseState.SOLVED
