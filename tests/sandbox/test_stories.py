"""Our connectors against the played world, over real HTTP: in, across, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integration_hub.connectors.base import Connector
from integration_hub.kernel.errors import Misconfigured, Rejected, Unauthentic
from integration_hub.kernel.messages import (
    OrderGone,
    SaleReport,
    SubscriptionReport,
    TellAccepted,
    TellCancelled,
    TellShipped,
)
from integration_hub.kernel.states import OrderStage, SaleStage
from integration_hub.sandbox.app import Sandbox
from tests.connectors.soundness import assert_lines_add_up, assert_sound

from .across import SECRETS, SHOPS, as_sale, parcel_of, parsed, polled
from .play import Door, control, odoo, shopify, state, woo


def test_orders_are_sound_and_their_lines_sum_up_to_the_total(sandbox: Sandbox, shop: str) -> None:
    ids = control(sandbox, "orders", shop=shop, count=60, webhooks=False)["ids"]
    reports = polled(SHOPS[shop](sandbox))
    assert sorted(int(report.external_id) for report in reports) == ids
    for report in reports:
        assert_sound(report)
        assert_lines_add_up(report)
        assert sum(line.gross for line in report.lines) == report.total, report
        assert sum(line.tax for line in report.lines) == report.total_tax, report
    assert {report.stage for report in reports} == {OrderStage.READY, OrderStage.PENDING}
    assert any(report.buyer.vat_id for report in reports)
    assert any(not report.buyer.external_id for report in reports)
    assert any(line.discount for report in reports for line in report.lines)


def test_polling_finds_only_what_changed_since(sandbox: Sandbox, shop: str) -> None:
    control(sandbox, "orders", shop=shop, count=3, days_ago=3, webhooks=False)
    recent = control(sandbox, "orders", shop=shop, count=2, webhooks=False)["ids"]
    since = datetime.now(UTC) - timedelta(minutes=15)
    assert sorted(int(report.external_id) for report in polled(SHOPS[shop](sandbox), since)) == recent


def test_a_webhook_verifies_and_says_the_same_as_the_poll(sandbox: Sandbox, door: Door, shop: str) -> None:
    control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop])
    (number,) = control(sandbox, "orders", shop=shop)["ids"]
    it = SHOPS[shop](sandbox)
    told = [parsed(it, item) for request in door.wait(2) for item in it.receive(request)]
    (asked,) = polled(it)
    assert [report.external_id for report in told[:2]] == [str(number)] * 2
    assert told[0].lines == asked.lines
    assert replace(told[0], payment=asked.payment) == asked
    with pytest.raises(Unauthentic):
        it.receive(replace(door.hooks()[0], body=door.hooks()[0].body + b" "))


@pytest.mark.parametrize("version", ["17", "19"])
def test_every_ordinary_order_goes_into_the_erp_to_the_cent(sandbox: Sandbox, shop: str, version: str) -> None:
    sandbox.world.turn(odoo_version=version)
    control(sandbox, "orders", shop=shop, count=25, webhooks=False)
    erp = odoo(sandbox)
    for report in polled(SHOPS[shop](sandbox)):
        written = erp.send(as_sale(report, f"H-{report.external_id}"))
        sale = sandbox.world.store.get("sale.order", int(written.external_id))
        assert sale is not None
        assert Decimal(str(sale["amount_total"])) == report.total
        assert sale["state"] == "sale"
    assert state(sandbox)["doubles"] == {}


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("unknown_sku", "unknown_product_in_erp"),
        ("unknown_tax_rate", "tax_rate_unknown"),
        ("totals_disagree", "totals_disagree"),
    ],
)
def test_faulty_orders_are_refused_by_name(sandbox: Sandbox, shop: str, trouble: str, code: str) -> None:
    control(sandbox, "orders", shop=shop, trouble=trouble, webhooks=False)
    (report,) = polled(SHOPS[shop](sandbox))
    with pytest.raises(Rejected) as caught:
        odoo(sandbox).send(as_sale(report, "H-1"))
    assert caught.value.code == code


def test_an_order_without_place_says_so(sandbox: Sandbox, shop: str) -> None:
    control(sandbox, "orders", shop=shop, trouble="missing_address", webhooks=False)
    (report,) = polled(SHOPS[shop](sandbox))
    assert (report.billing.postal_code, report.billing.city) == ("", "")
    assert report.billing.street


def test_a_currency_that_is_none_is_rejected_and_not_guessed(sandbox: Sandbox, shop: str) -> None:
    (number,) = control(sandbox, "orders", shop=shop, webhooks=False)["ids"]
    player = sandbox.woo.shop if shop == "woo" else sandbox.shopify.shop
    player.spoil_currency(number)
    it = SHOPS[shop](sandbox)
    (item,) = it.poll("orders", None, None).deliveries
    with pytest.raises(Rejected):
        it.parse(item)


def test_status_goes_back_and_is_written_once_when_sent_twice(sandbox: Sandbox, shop: str) -> None:
    control(sandbox, "orders", shop=shop, webhooks=False)
    it = SHOPS[shop](sandbox)
    (order,) = polled(it)
    accepted = TellAccepted(reference="H-1", order_id=order.external_id, sale_number="S00001", erp="Odoo")
    shipped = TellShipped(reference="H-1", order_id=order.external_id, parcel=parcel_of(order), complete=True)
    for command in (accepted, shipped):
        assert it.find(command) is None
        assert not it.send(command).was_there
        assert it.send(command).was_there
        assert it.find(command) is not None
    found = state(sandbox)
    assert found["woo"]["notes"] == (2 if shop == "woo" else 0)
    assert found["shopify"]["fulfillments"] == (1 if shop == "shopify" else 0)
    (after,) = polled(it)
    assert after.stage is OrderStage.COMPLETED
    assert after.updated_at >= order.updated_at


def test_a_cancelled_sale_is_told_to_the_shop_once(sandbox: Sandbox, shop: str) -> None:
    (number,) = control(sandbox, "orders", shop=shop, webhooks=False)["ids"]
    it = SHOPS[shop](sandbox)
    command = TellCancelled(reference="H-1", order_id=str(number), reason="nicht lieferbar")
    assert not it.send(command).was_there
    assert it.send(command).was_there


def test_tracking_goes_into_the_plugin_or_into_a_note_without_it(sandbox: Sandbox) -> None:
    control(sandbox, "orders", shop="woo", count=2, webhooks=False)
    it = woo(sandbox, tracking="shipment_tracking")
    for place, order in enumerate(polled(it)):
        control(sandbox, "switches", woo_tracking_plugin=not place)
        command = TellShipped(
            reference=f"H-{place}", order_id=order.external_id, parcel=parcel_of(order), complete=False
        )
        it.send(command)
        it.send(command)
    found = state(sandbox)["woo"]
    assert (found["trackings"], found["notes"]) == (1, 1)


def test_our_own_write_comes_back_as_an_echo(sandbox: Sandbox, door: Door, shop: str) -> None:
    (number,) = control(sandbox, "orders", shop=shop, webhooks=False)["ids"]
    it = SHOPS[shop](sandbox)
    (order,) = polled(it)
    control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop])
    it.send(TellShipped(reference="H-1", order_id=str(number), parcel=parcel_of(order), complete=True))
    report = parsed(it, it.receive(door.wait(1)[0])[0])
    assert report.external_id == str(number)
    assert report.stage is OrderStage.COMPLETED


def test_parcels_of_the_erp_come_back_by_themselves(sandbox: Sandbox) -> None:
    sandbox.world.turn(odoo_ship_after=0.01, odoo_partial_every=1)
    control(sandbox, "orders", shop="woo", count=8, webhooks=False)
    erp = odoo(sandbox)
    for report in polled(woo(sandbox)):
        erp.send(as_sale(report, f"H-{report.external_id}"))
    for picking in sandbox.world.store.rows("stock.picking"):
        picking["due"] = "2026-01-01 00:00:00"
    sandbox.ship_due()
    stages = [report.stage for report in _sales(erp)]
    assert set(stages) == {SaleStage.PARTLY_SHIPPED, SaleStage.SHIPPED}
    for picking in sandbox.world.store.rows("stock.picking"):
        picking["due"] = picking["due"] and "2026-01-01 00:00:00"
    sandbox.ship_due()
    reports = _sales(erp)
    assert {report.stage for report in reports} == {SaleStage.SHIPPED}
    assert all(shipment.tracking_number.startswith("00340434") for report in reports for shipment in report.shipments)


def _sales(erp: Connector) -> list[SaleReport]:
    found = [report for item in erp.poll("sales", None, None).deliveries for report in erp.parse(item)]
    return [report for report in found if isinstance(report, SaleReport)]


def test_what_is_gone_for_good_is_found_by_the_sweep(sandbox: Sandbox, door: Door) -> None:
    control(sandbox, "subscribe", shop="woo", url=door.url, secret=SECRETS["woo"])
    ids = [str(number) for number in control(sandbox, "orders", shop="woo", count=3, webhooks=False)["ids"]]
    control(sandbox, f"woo/orders/{ids[0]}", action="delete", force=True)
    control(sandbox, f"woo/orders/{ids[1]}", action="delete")
    it = woo(sandbox)
    topics = sorted(request.headers["x-wc-webhook-topic"] for request in door.wait(2))
    assert topics == ["order.deleted", "order.updated"]  # of the one in the bin; the other told nobody
    (told,) = [request for request in door.hooks() if request.headers["x-wc-webhook-topic"] == "order.deleted"]
    assert it.parse(it.receive(told)[0]) == (OrderGone(external_id=ids[1]),)
    assert list(it.gone(ids)) == ids[:2]


def test_shopify_says_which_orders_it_does_not_hold(sandbox: Sandbox) -> None:
    ids = [str(number) for number in control(sandbox, "orders", shop="shopify", count=2, webhooks=False)["ids"]]
    assert list(shopify(sandbox).gone([*ids, "6200407299999"])) == ["6200407299999"]


def test_webhooks_are_watched(sandbox: Sandbox, door: Door, shop: str) -> None:
    it = SHOPS[shop](sandbox)
    before = [report for item in it.poll("webhooks", None, None).deliveries for report in it.parse(item)]
    control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop])
    after = [report for item in it.poll("webhooks", None, None).deliveries for report in it.parse(item)]
    assert not any(report.active for report in before if isinstance(report, SubscriptionReport))
    assert all(report.active for report in after if isinstance(report, SubscriptionReport))
    assert len(after) >= 4


def test_the_connection_tests_are_content(sandbox: Sandbox, door: Door) -> None:
    for shop, make in SHOPS.items():
        control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop])
        assert [str(item.text) for item in make(sandbox).check() if not item.ok] == []
    assert [str(item.text) for item in odoo(sandbox).check() if not item.ok] == []


def test_wrong_keys_are_for_the_integrator(sandbox: Sandbox) -> None:
    for it in (
        woo(sandbox, consumer_secret="cs_wrong_secret"),
        shopify(sandbox, access_token="shpat_wrong_token"),
        odoo(sandbox, api_key="wrong-api-key"),
    ):
        with pytest.raises(Misconfigured):
            it.poll(it.streams[0].name, None, None)
