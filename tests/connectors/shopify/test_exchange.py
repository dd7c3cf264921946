"""The Shopify connector against a shop in memory: receiving, polling, sweeping, checking."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration_hub.connectors import shopify
from integration_hub.connectors.base import Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater, Unauthentic
from integration_hub.kernel.messages import Ignored, OrderGone, OrderReport, SubscriptionReport
from tests.connectors.world import everything, outside

from . import payloads
from .mine import settings, sign
from .shop import Shop

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{"id": 12}'


def connect(**changes: Any) -> Shopify:
    return Shopify(Shopify.Config(**settings(**changes)), Http())


def classic(body: bytes = BODY, secret: str = "", **headers: str) -> Incoming:
    signature = sign(body, secret) if secret else sign(body)
    return Incoming({"x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": signature, **headers}, body)


def test_the_new_headers_are_known() -> None:
    headers = {"shopify-hmac-sha256": sign(BODY), "shopify-topic": "orders/create", "shopify-resource-id": "12"}
    (delivery,) = connect().receive(Incoming(headers, BODY))
    assert (delivery.topic, delivery.object_id) == ("orders/create", "12")


def test_with_both_kinds_of_headers_the_new_ones_are_meant() -> None:
    new = {"shopify-hmac-sha256": "wrong", "shopify-topic": "orders/paid"}
    with pytest.raises(Unauthentic):
        connect().receive(Incoming({**classic().headers, **new}, BODY))
    new["shopify-hmac-sha256"] = sign(BODY)
    (delivery,) = connect().receive(Incoming({**classic().headers, **new}, BODY))
    assert delivery.topic == "orders/paid"


@pytest.mark.parametrize(
    ("topic", "action", "ours"),
    [
        ("orders/create", "", "orders/create"),
        ("ORDERS_PAID", "", "orders/paid"),
        ("orders", "updated", "orders/updated"),
    ],
)
def test_a_topic_is_known_however_it_is_written(topic: str, action: str, ours: str) -> None:
    headers = {"shopify-hmac-sha256": sign(BODY), "shopify-topic": topic, "shopify-action": action}
    (delivery,) = connect().receive(Incoming(headers, BODY))
    assert delivery.topic == ours


def test_a_new_event_without_the_order_is_a_hint_only() -> None:
    headers = {"shopify-hmac-sha256": sign(BODY), "shopify-topic": "orders/updated"}
    (delivery,) = connect().receive(Incoming(headers, BODY))
    (report,) = connect().parse(delivery)
    assert isinstance(report, Ignored)
    with pytest.raises(Rejected):
        connect().parse(payloads.webhook({"id": 12}))


def test_hand_made_webhooks_have_their_own_secret() -> None:
    with pytest.raises(Unauthentic):
        connect().receive(classic(secret="shop-secret-1"))
    assert connect(notification_secret="shop-secret-1").receive(classic(secret="shop-secret-1"))
    assert connect(notification_secret="shop-secret-1").receive(classic())


def test_a_trial_delivery_stays_one() -> None:
    body = json.dumps(payloads.order()).encode()
    (delivery,) = connect().receive(classic(body, **{"x-shopify-test": "true"}))
    (report,) = connect().parse(delivery)
    assert isinstance(report, OrderReport)
    assert report.is_test


def test_polling_asks_for_what_changed_since() -> None:
    shop = Shop()
    with outside(shop):
        page = connect().poll("orders", NOON, None)
    assert shop.asked[0] == ("Orders", {"after": None, "query": "updated_at:>='2026-11-21T12:00:00Z'"})
    (delivery,) = page.deliveries
    assert (delivery.topic, delivery.object_id, page.token) == ("order.polled", "820982911946154508", None)


def test_polling_goes_on_where_the_last_page_ended() -> None:
    shop = Shop()
    shop.orders = [payloads.node(payloads.order(id=number)) for number in (1, 2)]
    with outside(shop):
        first = connect().poll("orders", None, None)
        second = connect().poll("orders", None, first.token)
    assert [delivery.object_id for delivery in (*first.deliveries, *second.deliveries)] == ["1", "2"]
    assert (first.token, second.token) == ("1", None)


def test_an_order_with_more_lines_than_a_page_comes_whole() -> None:
    shop = Shop()
    shop.orders[0]["lineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "1"}
    with outside(shop):
        (delivery,) = connect().poll("orders", NOON, None).deliveries
    (report,) = connect().parse(delivery)
    assert isinstance(report, OrderReport)
    assert [line.external_id for line in report.lines] == ["866550311766439020", "1", "2", "3", "shipping:90"]


def test_a_polled_order_says_what_the_webhook_said() -> None:
    with outside(Shop()):
        (delivery,) = connect().poll("orders", NOON, None).deliveries
    assert connect().parse(delivery) == connect().parse(payloads.webhook(payloads.order()))


def graphql_error(code: str, **cost: Any) -> tuple[int, dict[str, str], str]:
    body = {"errors": [{"message": "No.", "extensions": {"code": code}}], "extensions": {"cost": cost}}
    return 200, {}, json.dumps(body)


def test_throttled_says_how_long_the_bucket_needs() -> None:
    status = {"maximumAvailable": 2000, "currentlyAvailable": 100, "restoreRate": 100}
    answer = graphql_error("THROTTLED", requestedQueryCost=600, throttleStatus=status)
    with everything(answer), pytest.raises(RetryLater) as caught:
        connect().poll("orders", NOON, None)
    assert caught.value.after == timedelta(seconds=5)
    assert not caught.value.maybe_written


@pytest.mark.parametrize("cost", [{}, {"requestedQueryCost": 10**14, "throttleStatus": {"restoreRate": 0}}])
def test_throttled_waits_neither_no_time_nor_for_ever(cost: dict[str, Any]) -> None:
    with everything(graphql_error("THROTTLED", **cost)), pytest.raises(RetryLater) as caught:
        connect().poll("orders", NOON, None)
    assert caught.value.after is not None
    assert timedelta(seconds=1) <= caught.value.after <= timedelta(minutes=5)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ACCESS_DENIED", Misconfigured),
        ("INTERNAL_SERVER_ERROR", RetryLater),
        ("undefinedField", Rejected),
        ("", Rejected),
    ],
)
def test_errors_with_status_200_say_who_acts(code: str, error: type[Exception]) -> None:
    with everything(graphql_error(code)), pytest.raises(error):
        connect().poll("orders", NOON, None)


@pytest.mark.parametrize("status", [402, 404, 423])
def test_a_shop_that_is_closed_is_for_the_integrator(status: int) -> None:
    with everything((status, {}, "{}")), pytest.raises(Misconfigured):
        connect().poll("orders", NOON, None)


def test_subscriptions_that_vanished_are_reported() -> None:
    shop = Shop()
    shop.webhooks = shop.webhooks[:1]
    with outside(shop):
        page = connect().poll("webhooks", None, None)
    states = [report for delivery in page.deliveries for report in connect().parse(delivery)]
    assert [(s.topic, s.active, s.vendor_status) for s in states if isinstance(s, SubscriptionReport)] == [
        ("orders/create", True, "active"),
        ("orders/updated", False, "missing"),
    ]


def test_the_sweep_finds_what_is_gone() -> None:
    with outside(Shop()):
        assert connect().gone(["820982911946154508", "820982911946154509"]) == ["820982911946154509"]
    assert connect().parse(connect().gone_delivery("5")) == (OrderGone(external_id="5"),)


def test_orders_that_the_app_may_not_see_any_more_are_not_gone() -> None:
    shop = Shop()
    shop.scopes.remove("read_all_orders")
    shop.orders = [payloads.node(payloads.order(id=500))]
    with outside(shop):
        assert connect().gone(["400", "500", "600"]) == ["600"]
        shop.orders = []
        assert connect().gone(["400", "500", "600"]) == []


def test_the_check_names_missing_rights_and_webhooks() -> None:
    shop = Shop()
    shop.scopes = ["write_orders", "read_all_orders", "write_merchant_managed_fulfillment_orders"]
    shop.scopes += [*shopify.STOCK_SCOPES, *shopify.RETURN_SCOPES]
    shop.webhooks = []
    with outside(shop):
        bad = [str(finding.text) for finding in connect().check() if not finding.ok]
    assert len(bad) == 2
    assert all("webhook" in text for text in bad)
    shop.scopes = ["read_orders"]
    with outside(shop):
        bad = [str(finding.text) for finding in connect().check() if not finding.ok]
    assert [scope for scope in ("write_orders", "read_all_orders") if any(scope in text for text in bad)]


@pytest.mark.parametrize("shop", ["teeladen", "teeladen.myshopify.com", "https://teeladen.myshopify.com/admin"])
def test_the_shop_is_taken_as_people_paste_it(shop: str) -> None:
    expected = "https://teeladen.myshopify.com/admin/api/2026-07/graphql.json"
    assert connect(shop=shop).http.base_url == expected


def test_another_address_serves_for_trials() -> None:
    assert connect(api_url="http://127.0.0.1:9/").http.base_url == "http://127.0.0.1:9/admin/api/2026-07/graphql.json"


def test_the_token_goes_in_its_header() -> None:
    with everything((200, {}, '{"data":{"orders":{"nodes":[]}}}')) as rsps:
        connect().poll("orders", NOON, None)
        assert rsps.calls[0].request.headers["X-Shopify-Access-Token"] == settings()["access_token"]
