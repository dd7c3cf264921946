"""Connections on the screen: settings in, secrets never out, tests in words, processes with care."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from exceptions.models import CaseState, ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.connectors import registry
from integration_hub.kernel.errors import Misconfigured, NotNow
from integration_hub.kernel.text import say
from integration_hub.messaging import cases, checks, polling, pump, switches
from integration_hub.messaging.switches import Setting
from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand, ProcessSwitch, User
from integration_hub.models.connection import ConnectionState
from inventory.models import Variant
from orders import catchup, services
from orders.models import Order
from orders.states import ORDER_TO_ERP
from tests import standin
from tests.dashboards.filled import Filled, deliver

pytestmark = pytest.mark.django_db

SECRET = "a-very-secret-word"


@pytest.fixture
def integrator(person: Callable[..., User]) -> User:
    return person("integrator")


@pytest.fixture
def client(integrator: User) -> Client:
    signed_in = Client()
    signed_in.force_login(integrator)
    return signed_in


def settings_of_woo(**changes: Any) -> dict[str, Any]:
    base = {
        "name": "Laden",
        "slug": "woo",
        "role": "SHOP",
        "mode": "TEST",
        "config_url": "https://shop.example.com",
        "config_consumer_key": "ck_1",
        "config_consumer_secret": SECRET,
        "config_webhook_secret": SECRET,
        "config_ready_statuses": "processing\non-hold\n\nprocessing",
        "config_shipped_status": "completed",
        "config_tracking": "note",
        "config_currency": "",
        "config_prices": "",
        "config_weight_unit": "",
    }
    return base | changes


def test_the_form_of_a_system_is_made_from_its_settings(client: Client) -> None:
    assert client.post("/connections/new/woocommerce/", settings_of_woo()).status_code == 302
    made = Connection.objects.get(slug="woo")
    assert made.config["ready_statuses"] == ["processing", "on-hold"]
    assert made.secrets["consumer_secret"] == SECRET
    assert made.connector().config.ready_statuses == ("processing", "on-hold")
    assert made.polls.count() == len(polling.streams(made))
    assert Activity.objects.get(action="connections.made").subject_id == made.pk


@pytest.mark.parametrize("kind", sorted(registry()))
def test_every_system_of_the_house_has_a_form(kind: str, client: Client) -> None:
    page = client.get(f"/connections/new/{kind}/")
    assert page.status_code == 200
    options = {f"config_{item.name}" for item in registry()[kind].options()}
    assert options == {field.name for field in page.context["form"].settings()}
    assert page.context["form"].fields["role"].choices


def test_a_system_without_its_secrets_is_not_saved(client: Client) -> None:
    answer = client.post("/connections/new/woocommerce/", settings_of_woo(config_consumer_secret=""))
    assert answer.status_code == 422
    assert not Connection.objects.exists()


@pytest.mark.parametrize("slug", ["Laden", "la den", "", "läden", "laden_1"])
def test_a_short_name_must_fit_into_an_address(slug: str, client: Client) -> None:
    assert client.post("/connections/new/woocommerce/", settings_of_woo(slug=slug)).status_code == 422


def test_a_short_name_is_taken_once_and_never_changed(client: Client, shop: Connection) -> None:
    assert client.post("/connections/new/woocommerce/", settings_of_woo(slug="laden")).status_code == 422
    client.post(f"/connections/{shop.pk}/settings/", {"name": "Neu", "slug": "other", "role": "SHOP", "mode": "TEST"})
    shop.refresh_from_db()
    assert (shop.name, shop.slug) == ("Neu", "laden")


def test_secrets_never_come_out_and_empty_keeps_them(client: Client, integrator: User) -> None:
    client.post("/connections/new/woocommerce/", settings_of_woo())
    made = Connection.objects.get(slug="woo")
    changed = settings_of_woo(
        config_consumer_key="", config_consumer_secret="", config_webhook_secret="changed-one", name="Neu"
    )
    client.post(f"/connections/{made.pk}/settings/", changed)
    made.refresh_from_db()
    assert made.secrets == {"consumer_key": "ck_1", "consumer_secret": SECRET, "webhook_secret": "changed-one"}
    note = Activity.objects.get(action="connections.changed")
    assert set(note.data["fields"]) == {"name", "webhook_secret"}
    pages = [client.get(f"/connections/{made.pk}/{rest}").content.decode() for rest in ("", "settings/")]
    pages.append(client.get("/activity/").content.decode())
    refused = client.post(f"/connections/{made.pk}/settings/", changed | {"name": ""})
    pages.append(refused.content.decode())
    assert refused.status_code == 422
    for secret in (SECRET, "changed-one", "ck_1"):
        assert not any(secret in page for page in pages)
    assert SECRET not in json.dumps(list(Activity.objects.values_list("data", "text")))


def test_an_unchanged_form_is_no_change(client: Client) -> None:
    client.post("/connections/new/woocommerce/", settings_of_woo())
    made = Connection.objects.get(slug="woo")
    same = settings_of_woo(config_consumer_key="", config_consumer_secret="", config_webhook_secret="")
    client.post(f"/connections/{made.pk}/settings/", same)
    assert not Activity.objects.filter(action="connections.changed").exists()


def test_a_test_says_in_words_what_it_found(client: Client, shop: Connection) -> None:
    page = client.post(f"/connections/{shop.pk}/do/connections.check/", follow=True)
    assert [item["ok"] for item in page.context["check"].data["findings"]] == [True]
    standin.WORLD.broken = Misconfigured(say("No."))
    page = client.post(f"/connections/{shop.pk}/do/connections.check/", follow=True)
    assert [item["ok"] for item in page.context["check"].data["findings"]] == [False]


def test_a_defect_while_testing_is_a_finding_and_no_crash(
    client: Client, shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: standin.StandinShop) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(standin.StandinShop, "check", broken)
    page = client.post(f"/connections/{shop.pk}/do/connections.check/", follow=True)
    assert (page.status_code, page.context["check"].data["findings"][0]["ok"]) == (200, False)


def test_what_works_again_is_used_again(filled: Filled, integrator: User) -> None:
    error = Misconfigured(say("The system refuses our credentials or rights (%(status)s).", status=401))
    cases.connection_misconfigured(filled.erp, error)
    OutboundCommand.objects.filter(state="PARKED").update(
        state="DUE", maybe_sent=False, due_at=timezone.now() + timedelta(hours=1)
    )
    filled.erp.refresh_from_db()
    perform(checks.CHECK, filled.erp, by=integrator)
    filled.erp.refresh_from_db()
    assert filled.erp.state == ConnectionState.ACTIVE
    assert ExceptionCase.objects.get(kind="connection_misconfigured").state == CaseState.SOLVED
    pump.drain()
    assert not OutboundCommand.objects.exclude(state="DONE").exists()


def test_a_test_that_fails_changes_nothing(filled: Filled, integrator: User) -> None:
    cases.connection_misconfigured(filled.erp, Misconfigured(say("No.")))
    filled.world.broken = Misconfigured(say("Still no."))
    perform(checks.CHECK, filled.erp, by=integrator)
    filled.erp.refresh_from_db()
    assert filled.erp.state == ConnectionState.MISCONFIGURED


def test_a_misconfigured_connection_is_tested_from_its_case(filled: Filled, integrator: User) -> None:
    cases.connection_misconfigured(filled.erp, Misconfigured(say("No.")))
    case = ExceptionCase.objects.get(kind="connection_misconfigured")
    perform(checks.CHECK_FROM_CASE, case, by=integrator)
    case.refresh_from_db()
    filled.erp.refresh_from_db()
    assert (case.state, filled.erp.state) == (CaseState.SOLVED, ConnectionState.ACTIVE)


def test_a_paused_connection_keeps_what_arrives_and_goes_on_after(joined: Connection, client: Client) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    address = f"/connections/{joined.pk}/do/"
    client.post(f"{address}connections.pause/", {"why": "the shop moves house"})
    deliver(standin.order(1))
    pump.drain()
    assert (InboundEvent.objects.get().state, Order.objects.count()) == ("DUE", 0)
    client.post(f"{address}connections.resume/")
    pump.drain()
    assert (InboundEvent.objects.get().state, Order.objects.count()) == ("DONE", 1)
    assert Activity.objects.get(action="connections.pause").why == "the shop moves house"


def test_pausing_needs_a_reason(joined: Connection, client: Client) -> None:
    client.post(f"/connections/{joined.pk}/do/connections.pause/", {"why": ""})
    joined.refresh_from_db()
    assert joined.state == ConnectionState.ACTIVE


def switch(client: Client, shop: Connection, erp: Connection, **changes: str) -> Any:
    base = {"target": str(erp.pk), "since": "2026-11-01T00:00", "enabled": "on"} | changes
    data = {f"{ORDER_TO_ERP}-{name}": value for name, value in base.items()}
    return client.post(f"/connections/{shop.pk}/processes/{ORDER_TO_ERP}/", data, follow=True)


def test_orders_from_before_are_taken_up_when_the_process_starts(
    client: Client, shop: Connection, erp: Connection, world: standin.World
) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    for number, placed in ((1, "2026-10-31T10:00:00Z"), (2, "2026-11-02T10:00:00Z"), (3, "2026-11-03T10:00:00Z")):
        deliver(standin.order(number, placed_at=placed))
    pump.drain()
    assert set(Order.objects.values_list("state", flat=True)) == {"RECORDED"}
    switch(client, shop, erp)
    pump.drain(lanes=("catchup", "out"))
    assert dict(Order.objects.values_list("external_id", "state")) == {
        "1": "RECORDED",
        "2": "ACCEPTED",
        "3": "ACCEPTED",
    }
    switch(client, shop, erp, since="2026-10-01T00:00")
    pump.drain(lanes=("catchup", "out"))
    assert len(world.sales) == 3
    assert not pump.is_due("catchup")


def test_one_bad_order_holds_up_no_other(
    client: Client, shop: Connection, erp: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    for number in (1, 2, 3):
        deliver(standin.order(number))
    pump.drain()
    bad, real = Order.objects.get(external_id="2").pk, services.reconsider

    def reconsider(order_id: int) -> Order:
        if order_id == bad:
            raise KeyError
        return real(order_id)

    monkeypatch.setattr(services, "reconsider", reconsider)
    monkeypatch.setattr(catchup, "BATCH", 1)
    switch(client, shop, erp)
    pump.drain(lanes=("catchup",))
    assert sorted(Order.objects.values_list("state", flat=True)) == ["ACCEPTED", "ACCEPTED", "RECORDED"]
    assert ExceptionCase.objects.get().kind == "take_up_failed"


def test_test_and_live_systems_are_never_joined(client: Client, shop: Connection, erp: Connection) -> None:
    Connection.objects.filter(pk=erp.pk).update(mode="LIVE")
    switch(client, shop, erp)
    assert not ProcessSwitch.objects.exists()


def test_a_running_process_keeps_its_systems_in_one_mode(client: Client, joined: Connection, erp: Connection) -> None:
    for connection in (joined, erp):
        data = {"name": "x", "role": connection.role, "mode": "LIVE", "config_url": ""}
        assert client.post(f"/connections/{connection.pk}/settings/", data).status_code == 422


def test_a_process_goes_only_to_the_kind_of_system_it_needs(shop: Connection, integrator: User) -> None:
    process = switches.process_of(ORDER_TO_ERP)
    assert process
    with pytest.raises(NotNow):
        switches.put(shop, process, Setting(True, shop, timezone.now()), by=integrator)


def test_a_process_is_switched_off_and_says_so(client: Client, joined: Connection, erp: Connection) -> None:
    switch(client, joined, erp, enabled="")
    assert not ProcessSwitch.objects.get(process=ORDER_TO_ERP).enabled
    assert Activity.objects.get(action="connections.switched").data["target"] == "erp"


@pytest.mark.parametrize("changes", [{"target": ""}, {"target": "0"}, {"since": "tomorrow"}, {"since": ""}])
def test_half_a_form_switches_nothing(
    changes: dict[str, str], client: Client, shop: Connection, erp: Connection
) -> None:
    switch(client, shop, erp, **changes)
    assert not ProcessSwitch.objects.exists()


def test_the_page_shows_the_address_for_webhooks_and_what_the_system_cannot(client: Client, filled: Filled) -> None:
    page = client.get(f"/connections/{filled.shop.pk}/")
    assert "http://testserver/webhooks/laden/" in page.content.decode()
    assert page.context["share"] == {"of": 6, "polled": 0, "percent": 0}
    erp = client.get(f"/connections/{filled.erp.pk}/")
    assert (erp.context["webhook"], erp.context["share"]) == ("", None)


def test_a_connection_of_an_unknown_system_can_still_be_looked_at(client: Client, shop: Connection) -> None:
    Connection.objects.filter(pk=shop.pk).update(kind="of-yesterday")
    assert client.get("/connections/").status_code == 200
    assert client.get(f"/connections/{shop.pk}/").status_code == 200
    assert client.get(f"/connections/{shop.pk}/settings/").status_code == 404
