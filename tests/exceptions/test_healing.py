"""What mends itself is kept with its proof, once, and can neither be changed nor invented."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from exceptions import healing
from exceptions.models import ExceptionCase, Healing, How
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.text import say
from integration_hub.messaging import healed, pump
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand
from inventory.models import Variant
from inventory.services import push
from orders.models import Order
from payments import chores
from payments.models import Transaction, Unassigned
from tests import spine, standin
from tests.conftest import make_connection
from tests.exceptions import scene
from tests.inventory import stocked
from tests.payments import provider
from tests.payments.provider import Till, capture, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Till:
    provider.TILL = Till()
    return provider.TILL


def test_a_case_that_closes_by_itself_has_a_proof(joined: Connection) -> None:
    scene.teapot()
    case = scene.incomplete_address(7)
    scene.report(standin.order(7, updated_at="2026-11-20T11:00:00Z"))
    pump.drain()
    found = Healing.objects.get()
    event = InboundEvent.objects.latest("pk")
    assert (found.how, found.case, found.since) == (How.CAUSE_GONE, case, case.first_seen_at)
    assert found.proof["step"]
    assert found.proof.get("event") in (event.pk, None)


def test_what_a_person_brought_about_is_no_self_healing(joined: Connection, at_screen: Callable[..., Client]) -> None:
    case, variant = scene.unknown_product(1), scene.teapot()
    at_screen("operations").post(f"/exceptions/{case.pk}/do/orders.map_product/", {"sku": variant.sku})
    assert ExceptionCase.objects.get().state == "SOLVED"
    assert not Healing.objects.exists()


def test_a_retry_that_solves_it_was_a_persons(joined: Connection, at_screen: Callable[..., Client]) -> None:
    case, variant = scene.unknown_product(1), scene.teapot()
    Variant.objects.filter(pk=variant.pk).update(sku="TK-100-B")  # nobody is told of it
    at_screen("operations", "anna").post(f"/exceptions/{case.pk}/do/exceptions.retry/")
    case.refresh_from_db()
    assert (case.state, case.closed_by and case.closed_by.username) == ("SOLVED", "anna")
    assert not Healing.objects.exists()


def test_an_error_that_passes_is_counted_with_its_tries(joined: Connection, world: standin.World) -> None:
    scene.teapot()
    fails = [RetryLater("no answer"), RetryLater("no answer")]

    def sometimes(_command: object) -> None:
        if fails:
            raise fails.pop()

    world.before = sometimes
    scene.report(standin.order(1))
    for _time in range(4):
        pump.drain()
        OutboundCommand.objects.filter(state="DUE").update(due_at=spine.LONG_AGO)
    found = Healing.objects.get(how=How.INTERMITTENT)
    command = OutboundCommand.objects.get(verb="sale.write")
    assert found.proof == {
        "command": command.pk,
        "attempts": list(Attempt.objects.order_by("pk").values_list("pk", flat=True)[:3]),
    }
    assert not ExceptionCase.objects.exists()
    assert healing.counts(1) == {"INTERMITTENT": 1}


def test_a_small_drift_is_levelled_and_kept(joined: Connection, erp: Connection, world: standin.World) -> None:
    main, pot = stocked.place(source=erp), stocked.article()
    stocked.sells(joined, main, drift_threshold=5)
    stocked.listed(joined, pot)
    stocked.switch(joined, push.STOCK_TO_SHOP, erp)
    stocked.put(pot, main, 10)
    stocked.run()
    world.shelf.compares = False
    world.shelf.shown["TK-100", ""] = stocked.qty(12)
    stocked.put(pot, main, 9)
    stocked.run()
    found = Healing.objects.get(how=How.DRIFT)
    assert (found.number, list(found.proof["levels"].values())) == (1, [["10", "12"]])
    assert not ExceptionCase.objects.filter(kind="stock_drift").exists()


def test_once_is_once(joined: Connection) -> None:
    for _time in range(2):
        healing.record(How.DRIFT, "x:1", say("x"), proof={"rows": [1]}, connection=joined)
    assert Healing.objects.count() == 1


def test_nothing_is_healed_without_a_proof(joined: Connection) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Healing.objects.create(how=How.DRIFT, key="x", proof={})


def test_the_record_can_only_grow(joined: Connection) -> None:
    healing.record(How.DRIFT, "x:1", say("x"), proof={"rows": [1]}, connection=joined)
    for change in (lambda: Healing.objects.update(number=9), lambda: Healing.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_payment_that_came_before_its_order(joined: Connection, till: Till) -> None:
    scene.teapot()
    psp = make_connection("standin-provider", "stripe", "PAYMENT")
    tell(psp, capture(order="laden:7"))
    Unassigned.objects.update(since=timezone.now() - timedelta(minutes=1))
    scene.report(standin.order(7))
    pump.drain()
    chores.find_orders()
    found = Healing.objects.get(how=How.LATE)
    assert (found.subject, found.proof["transaction"]) == (Transaction.objects.get(), Transaction.objects.get().pk)
    assert found.proof["allocations"][0][1] == Order.objects.get().pk


@pytest.mark.parametrize(
    ("statuses", "renewed"), [([401, 200, 201], True), ([200], False), ([401], False), ([], False), ([401, 500], False)]
)
def test_a_renewed_token_is_seen_in_the_exchanges(
    statuses: list[int], renewed: bool, joined: Connection, erp: Connection
) -> None:
    scene.teapot()
    scene.report(standin.order(1))
    pump.drain()
    command = OutboundCommand.objects.get(verb="sale.write")
    exchanges = [{"method": "POST", "url": "x", "status": status} for status in statuses]
    attempt = Attempt.objects.create(
        command=command, number=9, started_at=timezone.now(), ms=3, outcome="DONE", exchanges=exchanges
    )
    healed.token_renewed(command, attempt)
    rows = Healing.objects.filter(how=How.TOKEN)
    assert [row.proof for row in rows] == ([{"command": command.pk, "attempt": attempt.pk}] if renewed else [])


def test_the_page_counts_and_shows(joined: Connection, at_screen: Callable[..., Client]) -> None:
    scene.teapot()
    scene.incomplete_address(7)
    scene.report(standin.order(7, updated_at="2026-11-20T11:00:00Z"))
    pump.drain()
    client = at_screen("operations")
    page = client.get("/exceptions/healed/")
    (gone,) = [line for line in page.context["figures"] if line["code"] == "CAUSE_GONE"]
    assert gone["counts"] == [1, 1, 1]
    assert "the cause went away" in page.content.decode()
    assert client.get("/exceptions/healed/?how=TOKEN").context["rows"] == []
    assert at_screen("marketing").get("/exceptions/healed/").status_code == 403
