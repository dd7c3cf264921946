"""What would change is found out by doing and undoing; what one more try would be about is said before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from exceptions import explaining, preview
from exceptions.actions import DISMISS, RETRY
from exceptions.explaining import Area
from exceptions.models import ExceptionCase, Job
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import NotNow, Rejected
from integration_hub.messaging import checks, pump
from integration_hub.messaging import connections as settings
from integration_hub.models import Activity, Connection, OutboundCommand, User
from inventory.models import Listing, MappingStep
from orders.actions import MAP_PRODUCT
from orders.models import Order
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
Person = Callable[..., User]


def stand() -> tuple[Any, ...]:
    """Everything a fix may touch."""
    return (
        list(Order.objects.order_by("pk").values_list("state", flat=True)),
        OutboundCommand.objects.count(),
        Activity.objects.count(),
        MappingStep.objects.count(),
        Listing.objects.count(),
        Job.objects.count(),
        list(ExceptionCase.objects.order_by("pk").values_list("state", "size")),
    )


def test_a_fix_is_tried_and_leaves_no_trace(joined: Connection, person: Person) -> None:
    case, variant, anna = scene.unknown_product(1, 2, 3), scene.teapot(), person("operations", "anna")
    before = stand()
    seen = preview.of(MAP_PRODUCT, case, by=anna, data={"sku": variant.sku})
    assert stand() == before
    assert (seen.tried, seen.total, seen.free) == (3, 3, 3)
    assert dict(seen.writes) == {("sale.write", "Erp"): 3}
    assert (seen.solved, seen.remain, seen.opened) == (("Product TK-100-B is unknown",), (), ())
    perform(MAP_PRODUCT, case, by=anna, data={"sku": variant.sku})
    assert OutboundCommand.objects.filter(verb="sale.write").count() == 3  # as it was said


def test_of_many_only_the_first_are_tried(joined: Connection, person: Person) -> None:
    case, variant = scene.unknown_product(*range(1, 26)), scene.teapot()
    before = stand()
    seen = preview.of(MAP_PRODUCT, case, by=person("operations"), data={"sku": variant.sku})
    assert (seen.tried, seen.total, seen.free, stand()) == (20, 25, 20, before)


def test_another_trouble_that_comes_to_light_is_said(joined: Connection, person: Person) -> None:
    scene.report(scene.with_sku(1, "TK-100-B") | {"total": "99.00"})
    pump.drain()
    case = ExceptionCase.objects.get(kind="unknown_product")
    seen = preview.of(MAP_PRODUCT, case, by=person("operations"), data={"sku": scene.teapot().sku})
    assert seen.free == 0
    assert any("disagrees" in title for title in (*seen.remain, *seen.opened))


def test_a_retry_can_be_tried_too(joined: Connection, person: Person) -> None:
    case = scene.unknown_product(1)
    seen = preview.of(RETRY, case, by=person("operations"), data={})
    assert (seen.free, seen.remain) == (0, ("Product TK-100-B is unknown",))


def test_what_asks_another_system_is_not_tried(joined: Connection, person: Person) -> None:
    with pytest.raises(NotNow):
        preview.of(checks.CHECK_FROM_CASE, scene.unknown_product(1), by=person("integrator"), data={})


def test_the_page_shows_it_and_keeps_what_was_typed(joined: Connection, at_screen: AtScreen) -> None:
    case, variant = scene.unknown_product(1), scene.teapot()
    client = at_screen("operations")
    page = client.post(f"/exceptions/{case.pk}/try/orders.map_product/", {"sku": variant.sku}).content.decode()
    assert "nothing is done yet" in page
    assert "Tried with 1 of 1: 1 would run on" in page
    assert f'value="{variant.sku}"' in page
    assert client.post(f"/exceptions/{case.pk}/try/orders.map_product/", {"sku": "X"}).status_code == 422
    assert at_screen("auditor").post(f"/exceptions/{case.pk}/try/{DISMISS.code}/", {}).status_code == 403
    assert Order.objects.get().state == "HELD"


@pytest.fixture
def refused(joined: Connection, world: standin.World) -> ExceptionCase:
    """The ERP refuses an order."""
    scene.teapot()

    def no(_command: object) -> None:
        raise Rejected("customer is locked")

    world.before = no
    scene.report(standin.order(1))
    pump.drain()
    world.before = None
    return ExceptionCase.objects.get(kind="target_refused")


def outlook(case: ExceptionCase) -> explaining.Outlook:
    return explaining.outlook(case, case.subjects.get())


def test_nothing_has_changed(refused: ExceptionCase) -> None:
    found = outlook(refused)
    assert found.changed == ()
    assert [text.msgid for text in found.writes][1:] == ["exactly what was sent last (try %(number)s)"]


def test_new_credentials_count_as_a_change(refused: ExceptionCase, erp: Connection, person: Person) -> None:
    settings.keep(erp, plain={}, config={}, secrets={"secret": "another"}, by=person("integrator"))
    assert [fact.area for fact in outlook(refused).changed] == [Area.SETTINGS]


def test_what_others_got_through_counts_as_a_change(refused: ExceptionCase) -> None:
    scene.report(standin.order(2))
    pump.drain()
    assert [fact.area for fact in outlook(refused).changed] == [Area.TARGET]


def test_what_is_written_is_not_repeated(refused: ExceptionCase, joined: Connection) -> None:
    OutboundCommand.objects.filter(pk=refused.data["command"]).update(maybe_sent=True)
    assert any("may have arrived" in text.msgid for text in outlook(refused).kept)


def test_a_new_mapping_counts_with_its_version(joined: Connection, person: Person) -> None:
    case, variant = scene.unknown_product(1), scene.teapot()
    for _time in range(2):
        MappingStep.objects.create(connection=joined, sku="TK-100-B", after=variant, how="PERSON")
    facts = [fact for fact in outlook(case).changed if fact.area == Area.MAPPING]
    assert [str(fact.text.params["version"]) for fact in facts] == ["2", "1"]


def test_the_page_says_so(refused: ExceptionCase, at_screen: AtScreen) -> None:
    page = at_screen("operations").get(f"/exceptions/{refused.pk}/").content.decode()
    assert "If it is processed again" in page
    assert "the same try will most likely end the same way" in page
