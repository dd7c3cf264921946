"""The page of a case: what it shows to whom, what can be done there, and what happens then."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exceptions.models import CaseState, ExceptionCase
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Command
from integration_hub.kernel.text import say
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, User
from inventory.models import Variant
from orders.models import Order
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]


def read(client: Client, case: ExceptionCase) -> str:
    answer = client.get(f"/exceptions/{case.pk}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def do(client: Client, case: ExceptionCase, code: str, **data: Any) -> Any:
    answer = client.post(f"/exceptions/{case.pk}/do/{code}/", data, follow=True)
    case.refresh_from_db()
    return answer


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_the_page_says_what_happened_what_it_blocks_and_what_to_do(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    page = read(at_screen("operations"), scene.unknown_product(1, 2, 3))
    for said in (
        "Product TK-100-B is unknown",
        "A product for TK-100-B",
        "No product has this number",
        "Writing these orders to the ERP",
        "Teekanne 1,0 l",
        "similar",
        "3 orders wait for this and run on",
        "Solve and process 3 again",
        "€86.10",
        'href="/orders/',
    ):
        assert said in page


def test_the_fix_lets_all_affected_orders_run_on(joined: Connection, world: standin.World, at_screen: AtScreen) -> None:
    variant, case = scene.teapot(), scene.unknown_product(1, 2, 3)
    client = at_screen("operations")
    assert told(do(client, case, "orders.map_product", sku="TK-100")) == [
        "TK-100-B is TK-100 from now on; 3 orders run on"
    ]
    assert case.state == CaseState.SOLVED
    now = client.get(f"/exceptions/{case.pk}/progress/").json()
    assert (now["released"], now["total"], now["moving"], now["state"]) == (3, 3, True, "SOLVED")
    pump.drain()
    now = client.get(f"/exceptions/{case.pk}/progress/").json()
    assert not now["moving"]
    assert {row["tone"] for row in now["rows"].values()} == {"good"}
    assert Order.objects.filter(state="ACCEPTED", lines__variant=variant).count() == 3
    assert len(world.sales) == 3


def test_a_wrong_form_comes_back_with_what_was_typed(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    answer = do(at_screen("operations"), case, "orders.map_product", sku="NO-SUCH")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "No product has this number." in page
    assert 'value="NO-SUCH"' in page
    assert case.state == CaseState.OPEN


def test_the_address_is_filled_in_and_what_is_missing_is_marked(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    case = scene.incomplete_address(7)
    client = at_screen("operations")
    page = read(client, case)
    assert "Address of order #7 is incomplete: postal code, city" in page
    assert 'value="Hafenstraße 1"' in page
    assert page.count('aria-invalid="true"') == 2
    do(
        client,
        case,
        "orders.correct_address",
        street="Hafenstraße 1",
        postal_code="20457",
        city="Hamburg",
        country="DE",
    )
    assert case.state == CaseState.OPEN  # name or company is wanted too
    whole = {"name": "Erika", "street": "Hafenstraße 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
    do(client, case, "orders.correct_address", **whole)
    assert case.state == CaseState.SOLVED


def test_accepting_needs_a_reason_and_keeps_it(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    case = scene.wrong_total(8)
    client = at_screen("finance", "finn")
    assert do(client, case, "orders.accept", why="").status_code == 422
    shown = re.search('name="seen" value="([0-9a-f]{64})"', read(client, case))
    assert shown
    do(client, case, "orders.accept", why="voucher of the fair", seen=shown[1])
    assert (case.state, case.closed_by) == (CaseState.SOLVED, User.objects.get(username="finn"))
    assert "voucher of the fair" in read(client, case)


def test_figures_that_changed_while_the_page_was_open_are_not_accepted(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    case = scene.wrong_total(8)
    answer = do(at_screen("finance"), case, "orders.accept", why="voucher of the fair", seen="0" * 64)
    assert case.state == CaseState.OPEN
    assert "The figures have changed since you looked. Look at them again, then decide." in told(answer)


def test_a_person_without_the_permission_is_told_so(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.incomplete_address(7)
    finance = at_screen("finance")
    assert "Your role may not do this." in read(finance, case)
    answer = do(finance, case, "orders.correct_address", street="x", city="x", country="DE")
    assert told(answer) == ["You may not do this: Correct the address"]
    assert case.state == CaseState.OPEN


def test_an_auditor_reads_and_changes_nothing(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    auditor = at_screen("auditor")
    page = read(auditor, case)
    for button in ("Process again</button>", "Assign to me", "Close without a fix</button>", "<textarea"):
        assert button not in page
    do(auditor, case, "exceptions.dismiss", reason="TEST", why="does not matter")
    assert case.state == CaseState.OPEN


def test_a_closed_case_can_be_read_and_not_changed(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    client = at_screen("operations")
    do(client, case, "exceptions.dismiss", reason="TEST", why="was a test order")
    page = read(client, case)
    assert "was a test order" in page
    assert "Solve and process" not in page
    assert "Assign to me" not in page
    assert told(do(client, case, "exceptions.take")) == ["This exception is closed."]


def test_taking_assigning_and_commenting(joined: Connection, at_screen: AtScreen, person: Callable[..., User]) -> None:
    case, bert = scene.unknown_product(1), person("operations", "bert")
    client = at_screen("operations", "anna")
    do(client, case, "exceptions.take")
    assert case.assignee is not None
    assert case.assignee.username == "anna"
    do(client, case, "exceptions.assign", to=bert.pk)
    assert case.assignee == bert
    do(client, case, "exceptions.comment", comment="Shop is <b>asked</b>")
    page = read(client, case)
    assert "Shop is &lt;b&gt;asked&lt;/b&gt;" in page
    assert page.count("&lt;b&gt;asked") == 1


def test_an_action_of_another_kind_is_not_to_be_found(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    client = at_screen("operations")
    assert client.post(f"/exceptions/{case.pk}/do/orders.correct_address/").status_code == 404
    assert client.get(f"/exceptions/{case.pk}/do/exceptions.take/").status_code == 405
    assert client.get("/exceptions/99999/").status_code == 404


def test_products_are_found_while_typing_by_those_who_may_map(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    Variant.objects.create(sku="TK-OLD", title="Teekanne", active=False)
    case = scene.unknown_product(1)
    address = f"/exceptions/{case.pk}/lookup/orders.map_product/sku/"
    client = at_screen("operations")
    assert client.get(address, {"q": "tk-1"}).json() == {"found": [{"value": "TK-100", "label": "Teekanne 1,0 l"}]}
    assert client.get(address, {"q": "kanne"}).json()["found"][0]["value"] == "TK-100"
    assert client.get(address, {"q": "T"}).json() == {"found": []}
    assert client.get(f"/exceptions/{case.pk}/lookup/orders.map_product/variant/").status_code == 404
    assert at_screen("finance").get(address, {"q": "tk-1"}).status_code == 403


def test_the_payload_is_masked_for_those_who_may_not_see_personal_data(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    scene.report(standin.order(9, total="99", email="erika@example.com", order_key="wc_order_k3y"))
    pump.drain()
    case = ExceptionCase.objects.get(kind="totals_disagree")
    integrator, operations = read(at_screen("integrator"), case), read(at_screen("operations"), case)
    for personal in ("erika@example.com", "Erika Mustermann", "Hamburg", "Hafenstraße"):
        assert personal.casefold() not in integrator.casefold()
    assert "erika@example.com" in operations
    assert "Erika Mustermann" in operations
    assert "TK-100" in integrator
    assert "wc_order_k3y" not in integrator + operations


def test_who_may_not_see_traffic_gets_no_payload(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.wrong_total(8)
    assert "Message as received" not in read(at_screen("finance"), case)
    assert "Message as received" in read(at_screen("operations"), case)


def test_a_message_that_nobody_understands_is_shown_with_the_case(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.not_understood(5)
    page = read(at_screen("integrator"), case)
    assert "&quot;number&quot;: &quot;#5&quot;" in page
    assert "erika@example.com" not in page
    assert "Klingel" not in page


def test_what_changed_since_the_last_try_of_a_command(
    joined: Connection, world: standin.World, at_screen: AtScreen
) -> None:
    def refuse(_command: Command) -> None:
        raise Rejected(
            say("Customer is blocked"), code="blocked", detail='{"why": "dunning", "email": "erika@example.com"}'
        )

    scene.teapot()
    world.before = refuse
    scene.report(standin.order(1))
    pump.drain()
    case = ExceptionCase.objects.get(kind="target_refused")
    client = at_screen("operations")
    assert "accepted, but not taken by the ERP" in read(client, case)
    do(client, case, "exceptions.retry")
    pump.drain()
    assert "The last two tries sent exactly the same." in read(client, case)
    Order.objects.update(note="Tor 3")
    do(client, case, "exceptions.retry")
    pump.drain()
    page = read(client, case)
    assert "<ins>Tor 3</ins>" in page
    assert page.count("Customer is blocked") >= 3
    assert "dunning" in page
    assert "erika@example.com" in page
    masked = read(at_screen("integrator"), case)
    assert "dunning" in masked
    assert "erika@example.com" not in masked
    assert "Tor 3" not in masked


def test_what_changed_since_an_order_was_held(joined: Connection, at_screen: AtScreen) -> None:
    address = scene.incomplete_address(7)
    case = ExceptionCase.objects.get(kind="unknown_product")
    client = at_screen("operations")
    assert "Nothing yet." in read(client, case)
    whole = {"name": "Erika", "street": "Weg 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
    do(client, address, "orders.correct_address", **whole)
    steps = client.get(f"/exceptions/{case.pk}/").context["changed_steps"]
    assert [step.action for step in steps] == ["orders.correct_address"]


def test_many_affected_objects_are_shown_in_pages(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(*range(1, 56))
    client = at_screen("operations")
    page = client.get(f"/exceptions/{case.pk}/")
    assert (len(page.context["rows"]), page.context["more"]) == (50, True)
    assert len(client.get(f"/exceptions/{case.pk}/affected/").context["rows"]) == 55
    assert client.get(f"/exceptions/{case.pk}/affected/?from=50").context["start"] == 51


def test_the_page_of_a_case_needs_as_many_queries_for_forty_orders_as_for_two(
    joined: Connection, at_screen: AtScreen
) -> None:
    client = at_screen("operations")
    case = scene.unknown_product(1, 2)
    read(client, case)
    with CaptureQueriesContext(database) as few:
        read(client, case)
    scene.unknown_product(*range(3, 41))
    with CaptureQueriesContext(database) as lots:
        read(client, case)
    assert len(lots) == len(few)


def test_every_step_is_in_the_history_with_its_person(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.wrong_total(8)
    client = at_screen("finance", "finn")
    do(client, case, "exceptions.take")
    history = client.get(f"/exceptions/{case.pk}/").context["history"]
    assert history[0].actor == User.objects.get(username="finn")
    assert {"exceptions.take", "exceptions.opened", "orders.reported"} <= {step.action for step in history}
    assert Activity.objects.filter(action="exceptions.take").count() == 1


def test_who_ordered_is_chosen_among_the_candidates(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    scene.report(standin.order(1, customer="7", email="a@example.com"))
    scene.report(standin.order(2, customer="8", email="b@example.com"))
    scene.report(standin.order(3, customer="7", email="b@example.com"))
    pump.drain()
    case = ExceptionCase.objects.get(kind="customer_unclear")
    client = at_screen("operations")
    page = read(client, case)
    assert "a@example.com" in page
    assert "b@example.com" in page
    other = Order.objects.get(number="#2").customer
    assert other is not None
    do(client, case, "orders.choose_customer", customer=other.pk)
    assert case.state == CaseState.SOLVED
    assert Order.objects.get(number="#3").customer == other


def test_the_help_says_more_than_the_page(joined: Connection, at_screen: AtScreen) -> None:
    assert "Say once which product is meant" in read(at_screen("operations"), scene.unknown_product(1))
