"""The control room: faults as told, webhooks lost, doubled and out of order, and a page to play with."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox

from .across import polled
from .play import Door, control, odoo, shopify, state, until_idle, woo


def subscribed(sandbox: Sandbox, door: Door, shop: str) -> None:
    control(sandbox, "subscribe", shop=shop, url=door.url, secret="s")


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_lost_webhooks_are_lost(sandbox: Sandbox, door: Door, shop: str) -> None:
    subscribed(sandbox, door, shop)
    control(sandbox, "faults", target="webhooks", lost_rate=1)
    control(sandbox, "orders", shop=shop, count=3, trouble="missing_address")
    until_idle(sandbox)
    found = state(sandbox)["webhooks"]
    assert set(found) == {f"{shop}.lost"}
    assert found[f"{shop}.lost"] >= 6
    assert door.hooks() == []


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_doubled_webhooks_come_twice_with_the_same_bytes_and_ids(sandbox: Sandbox, door: Door, shop: str) -> None:
    subscribed(sandbox, door, shop)
    control(sandbox, "faults", target="webhooks", duplicate_rate=1)
    control(sandbox, "orders", shop=shop)
    found = door.wait(4)
    name = "x-wc-webhook-topic" if shop == "woo" else "x-shopify-topic"
    pairs = {item.headers[name] for item in found}
    for topic in pairs:
        first, second = [item for item in door.wait(2 * len(pairs)) if item.headers[name] == topic]
        assert first.body == second.body
        assert first.headers == second.headers


def test_reordered_webhooks_come_out_of_order(sandbox: Sandbox, door: Door) -> None:
    subscribed(sandbox, door, "shopify")
    control(sandbox, "faults", target="webhooks", reorder_window=0.5)
    ids = control(sandbox, "orders", shop="shopify", count=15)["ids"]
    until_idle(sandbox)
    order = [item.body for item in door.hooks() if item.headers["x-shopify-topic"] == "orders/create"]
    seen = [next(number for number in ids if str(number).encode() in body) for body in order]
    assert seen != sorted(seen)
    assert sorted(seen) == ids


def test_shopify_tries_again_with_the_same_id_and_then_gives_the_subscription_up(sandbox: Sandbox, door: Door) -> None:
    sandbox.world.turn(shopify_retry_seconds=0.002)
    door.status = 500
    subscribed(sandbox, door, "shopify")
    control(sandbox, "orders", shop="shopify")
    until_idle(sandbox)
    ids = [item.headers["x-shopify-webhook-id"] for item in door.hooks()]
    assert {ids.count(number) for number in ids} == {9}
    topics = {row["topic"] for row in state(sandbox)["subscriptions"]}
    assert "orders/create" not in topics
    assert "orders/cancelled" in topics


def test_a_subscription_is_replaced_not_doubled(sandbox: Sandbox, door: Door) -> None:
    for shop in ("woo", "shopify"):
        subscribed(sandbox, door, shop)
        subscribed(sandbox, door, shop)
    rows = [row["topic"] for row in state(sandbox)["subscriptions"]]
    assert len(set(rows)) == len(rows) == 4 + 14


def test_a_relative_address_is_the_hubs(sandbox: Sandbox) -> None:
    control(sandbox, "subscribe", shop="woo", url="/webhooks/laden/", secret="s")
    assert sandbox.world.store.rows("woo.webhooks")[0]["delivery_url"] == "http://127.0.0.1:8000/webhooks/laden/"


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("faults", {"target": "moon", "latency_ms": 1}),
        ("faults", {"target": "odoo", "gravity": 1}),
        ("faults", {"target": "odoo", "error_rate": "much"}),
        ("orders", {"shop": "moon"}),
        ("orders", {"shop": "woo", "trouble": "bad weather"}),
        ("orders", {"shop": "woo", "count": 100_000}),
        ("switches", {"gravity": 1}),
        ("subscribe", {"shop": "woo", "url": "http://shop.example/", "secret": "s"}),
        ("woo/orders/5", {"action": "cancel"}),
        ("woo/orders/5", {"action": "dance"}),
        ("shopify/orders/5", {"action": "cancel"}),
        ("odoo/ship", {"order": "S99999"}),
    ],
)
def test_nonsense_is_refused_in_words(sandbox: Sandbox, what: str, given: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.url}/control/{what}", json=given, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_other_sites_cannot_pull_levers(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/control/pause"
    assert requests.post(url, headers={"Origin": "http://evil.example"}, timeout=10).status_code == 404
    assert requests.post(url, headers={"Origin": sandbox.url}, timeout=10).status_code == 200
    assert state(sandbox)["switches"]["ordering"] is False
    control(sandbox, "resume")
    assert state(sandbox)["switches"]["ordering"] is True


def test_latency_delays_and_a_reset_ends_it(sandbox: Sandbox) -> None:
    control(sandbox, "faults", target="odoo", latency_ms=300)
    began = time.monotonic()
    odoo(sandbox).poll("products", None, None)
    assert time.monotonic() - began >= 0.3
    assert state(sandbox)["faults"]["in_force"]["odoo"]["latency_ms"] == 300
    control(sandbox, "reset")
    assert state(sandbox)["faults"] == {"in_force": {}, "struck": {}}


def test_rates_strike_about_as_often_as_told(sandbox: Sandbox) -> None:
    control(sandbox, "faults", target="odoo", error_rate=0.3)
    headers = {"Authorization": f"bearer {facts.ODOO_KEY}"}
    with requests.Session() as session:
        url = f"{sandbox.url}/odoo/json/2/res.company/search_count"
        statuses = [session.post(url, json={"domain": []}, headers=headers, timeout=10).status_code for _ in range(200)]
    assert 35 <= statuses.count(503) <= 85
    assert statuses.count(200) == 200 - statuses.count(503)
    assert state(sandbox)["faults"]["struck"] == {"odoo.error_rate": statuses.count(503)}


def test_a_sale_is_shipped_and_cancelled_when_told(sandbox: Sandbox) -> None:
    sandbox.world.store.add("sale.order", {"name": "S1", "state": "sale", "client_order_ref": "H-1"})
    assert control(sandbox, "odoo/ship", order="H-1") == {"parcels": 0, "open": 0}
    control(sandbox, "odoo/cancel", order="S1")
    assert sandbox.world.store.rows("sale.order")[0]["state"] == "cancel"


def test_doubles_are_named(sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.world.store.add("sale.order", {"name": "S1", "state": "sale", "client_order_ref": "H-1"})
    assert state(sandbox)["doubles"] == {"H-1": [1, 2]}


def test_an_empty_world_goes_on_with_new_ids(sandbox: Sandbox) -> None:
    (first,) = control(sandbox, "orders", shop="woo", webhooks=False)["ids"]
    control(sandbox, "reset", records=True)
    assert state(sandbox)["woo"]["orders"] == 0
    (second,) = control(sandbox, "orders", shop="woo", webhooks=False)["ids"]
    assert second > first


def test_a_shopify_order_is_cancelled(sandbox: Sandbox) -> None:
    (number,) = control(sandbox, "orders", shop="shopify", webhooks=False)["ids"]
    control(sandbox, f"shopify/orders/{number}", action="cancel")
    (item,) = shopify(sandbox).poll("orders", None, None).deliveries
    (report,) = shopify(sandbox).parse(item)
    assert getattr(report, "stage", None) == "CANCELLED"


def test_the_page_shows_what_is_played_and_its_buttons_work(sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.url}/", timeout=10).text
    assert f"{sandbox.url}/woo" in page
    assert facts.ODOO_KEY in page
    assert 'aria-label="TK-100 in the ERP" value="990"' in page
    form = {"shop": "woo", "trouble": "unknown_sku"}
    answer = requests.post(f"{sandbox.url}/control/orders", data=form, timeout=10)
    assert (answer.url, answer.status_code) == (f"{sandbox.url}/", 200)
    requests.post(f"{sandbox.url}/control/faults", data={"target": "odoo", "error_rate": "0.5"}, timeout=10)
    found = state(sandbox)
    assert found["orders"]["woo"] == {"placed": 1, "wrong": 1}
    assert found["faults"]["in_force"]["odoo"]["error_rate"] == 0.5


def test_orders_come_by_themselves_until_paused() -> None:
    with Sandbox(seed=1, order_every=0.01) as sandbox:
        for _ in range(100):
            if state(sandbox)["list"]:
                break
            time.sleep(0.05)
        control(sandbox, "pause")
        count = len(state(sandbox)["list"])
        time.sleep(0.6)
        assert count >= 1
        assert len(state(sandbox)["list"]) == count


def test_the_program_keeps_its_world_over_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        options = ["--port", "0", "--state", str(tmp_path), "--order-every", "0"]
        command = [sys.executable, "-m", "integration_hub.sandbox", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as program:
            assert program.stdout is not None
            url = program.stdout.readline().split()[-1]
            answer = requests.post(f"{url}/control/orders", json={"shop": "woo", "count": 2}, timeout=10)
            seen += answer.json()["ids"]
            program.terminate()
            assert program.wait(timeout=10) == 0
    assert seen == [1001, 1002, 1003, 1004]


def test_twice_as_many_of_a_line_keep_every_sum_to_the_cent(sandbox: Sandbox) -> None:
    for number in control(sandbox, "orders", shop="woo", count=20)["ids"]:
        control(sandbox, f"woo/orders/{number}", action="double")
    reports = polled(woo(sandbox))
    assert len(reports) == 20
    for report in reports:
        assert sum(line.net + line.tax for line in report.lines) == report.total
        assert sum(line.tax for line in report.lines) == report.total_tax
        assert report.lines[0].quantity >= 2


def test_the_books_show_orders_sales_and_what_was_acknowledged(sandbox: Sandbox, door: Door) -> None:
    subscribed(sandbox, door, "woo")
    control(sandbox, "receipts")
    (number,) = control(sandbox, "orders", shop="woo")["ids"]
    until_idle(sandbox)
    found = requests.get(f"{sandbox.url}/control/books", timeout=10).json()
    assert found["woo"][str(number)]["total"] == str(sandbox.woo.shop.order(number)["total"])
    assert found["receipts"] == sorted({hashlib.sha256(hook.body).hexdigest() for hook in door.hooks()})
    pulse = requests.get(f"{sandbox.url}/control/pulse", timeout=10).json()
    assert (pulse["open_parcels"], pulse["woo"], pulse["shopify"]) == (0, 4, 0)


def test_a_colleague_counts_and_an_empty_world_is_full_again(sandbox: Sandbox) -> None:
    found = control(sandbox, "odoo/stock", sku="TK-100", quantity=7)
    assert found["TK-100"]["WH/Stock"] == {"quantity": 7.0, "reserved": 0.0}
    control(sandbox, "odoo/stock", sku="TK-100", quantity=0)
    shown = requests.get(f"{sandbox.url}/control/odoo/stock", timeout=10).json()
    assert "WH/Stock" not in shown["TK-100"]
    for sku in ("VERSAND", "nothing"):
        assert (
            requests.post(f"{sandbox.url}/control/odoo/stock", json={"sku": sku, "quantity": 1}, timeout=10).status_code
            == 400
        )
    control(sandbox, "reset", records=True)
    shown = requests.get(f"{sandbox.url}/control/odoo/stock", timeout=10).json()
    assert shown["TK-100"]["WH/Stock"]["quantity"] == 990
