"""The WooCommerce connector against a shop in memory: receiving, polling, sweeping, checking."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel.errors import Misconfigured, Unauthentic
from integration_hub.kernel.messages import OrderGone, SubscriptionReport
from tests.connectors.world import everything, outside

from .mine import settings, sign
from .payloads import order
from .shop import Shop, webhook

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def connect(**changes: Any) -> WooCommerce:
    return WooCommerce(WooCommerce.Config(**settings(**changes)), Http())


def test_the_ping_is_well_and_delivers_nothing() -> None:
    assert connect().receive(Incoming({}, b"webhook_id=17")) == ()


@pytest.mark.parametrize("body", [b"webhook_id=17&x=1", b"webhook_id=", b"webhook_id=17\n", b"", b"webhook_id=a"])
def test_only_an_exact_ping_passes_unsigned(body: bytes) -> None:
    with pytest.raises(Unauthentic):
        connect().receive(Incoming({}, body))


def test_three_orders_under_one_delivery_id_are_three_deliveries() -> None:
    found: list[Delivery] = []
    for number in (27, 28, 29):
        body = b'{"id":%d}' % number
        headers = {"x-wc-webhook-signature": sign(body), "x-wc-webhook-topic": "order.created"}
        found += connect().receive(Incoming({**headers, "x-wc-webhook-delivery-id": "ec26a4a4"}, body))
    assert [delivery.object_id for delivery in found] == ["27", "28", "29"]


def test_odd_characters_in_the_secret_verify() -> None:
    secret, body = "a&b<c>\"d' ü", b'{"id":1}'
    headers = {"x-wc-webhook-signature": sign(body, secret), "x-wc-webhook-topic": "order.created"}
    assert connect(webhook_secret=secret).receive(Incoming(headers, body))


def at(second: int, number: int) -> dict[str, Any]:
    return order(id=number, number=str(number), date_modified_gmt=f"2026-11-21T17:00:{second:02}")


def poll_all(shop: Shop, since: datetime | None = NOON) -> list[str]:
    found, token = [], None
    with outside(shop):
        for _ in range(20):
            page = connect().poll("orders", since, token)
            found += [delivery.object_id for delivery in page.deliveries]
            token = page.token
            if token is None:
                return found
    raise AssertionError("the poll does not end")


def test_polling_asks_in_utc_oldest_first_for_every_status() -> None:
    shop = Shop()
    assert poll_all(shop) == ["4711"]
    asked = shop.queries[0]
    assert asked["modified_after"] == "2026-11-21T12:00:00Z"
    assert (asked["dates_are_gmt"], asked["orderby"], asked["order"], asked["status"]) == (
        "true",
        "modified",
        "asc",
        "any",
    )
    assert asked["per_page"] == "100"


def test_the_first_poll_begins_at_the_beginning() -> None:
    shop = Shop()
    assert poll_all(shop, None) == ["4711"]
    assert "modified_after" not in shop.queries[0]


def test_polling_finds_everything_over_many_pages() -> None:
    shop = Shop(*(at(number // 30, number + 1) for number in range(250)))
    assert set(poll_all(shop)) == {str(number + 1) for number in range(250)}


def test_polling_finds_everything_when_all_changed_in_one_second() -> None:
    shop = Shop(*(at(7, number + 1) for number in range(250)))
    assert set(poll_all(shop)) == {str(number + 1) for number in range(250)}


def test_an_order_that_changes_during_the_poll_pushes_none_out() -> None:
    shop = Shop(*(at(number // 5, number + 1) for number in range(150)))
    with outside(shop):
        first = connect().poll("orders", NOON, None)
        shop.orders["1"]["date_modified_gmt"] = "2026-11-21T17:00:59"
        second = connect().poll("orders", NOON, first.token)
    seen = {delivery.object_id for delivery in [*first.deliveries, *second.deliveries]}
    assert seen == {str(number + 1) for number in range(150)}


def test_a_polled_order_says_what_the_webhook_said() -> None:
    with outside(Shop()):
        (delivery,) = connect().poll("orders", NOON, None).deliveries
    assert delivery.topic == "order.polled"
    assert connect().parse(delivery) == connect().parse(Delivery("order.updated", "4711", delivery.body))


def states(shop: Shop) -> list[SubscriptionReport]:
    with outside(shop):
        page = connect().poll("webhooks", None, None)
    reports = [report for delivery in page.deliveries for report in connect().parse(delivery)]
    return [report for report in reports if isinstance(report, SubscriptionReport)]


def test_webhooks_are_watched() -> None:
    shop = Shop()
    shop.webhooks = [webhook(1, "order.created"), webhook(2, "order.updated", "disabled")]
    assert [(state.topic, state.active) for state in states(shop)] == [
        ("order.created", True),
        ("order.updated", False),
    ]


def test_a_webhook_that_was_never_made_is_reported_as_missing() -> None:
    shop = Shop()
    shop.webhooks = [webhook(1, "order.created")]
    (missing,) = [state for state in states(shop) if not state.active]
    assert (missing.topic, missing.vendor_status) == ("order.updated", "missing")


def test_the_sweep_tells_the_deleted_and_the_binned_from_the_kept() -> None:
    shop = Shop(order(id=1), order(id=2, status="trash"))
    with outside(shop):
        assert connect().gone(["1", "2", "3"]) == ["2", "3"]
    (report,) = connect().parse(connect().gone_delivery("3"))
    assert report == OrderGone(external_id="3")


def test_a_wrong_address_makes_no_order_look_deleted() -> None:
    with everything((404, {}, '{"code":"rest_no_route"}')), pytest.raises(Misconfigured):
        connect().gone(["1"])
    with everything((404, {}, "<html>Not Found</html>")), pytest.raises(Misconfigured) as caught:
        connect().gone(["1"])
    assert "permalinks" in str(caught.value)


def test_the_check_names_a_webhook_that_is_off() -> None:
    shop = Shop()
    shop.webhooks = [webhook(1, "order.created", "disabled")]
    with outside(shop):
        bad = [str(finding.text) for finding in connect().check() if not finding.ok]
    assert len(bad) == 2
    assert "order.created is switched off" in bad[0]
    assert "no webhook order.updated" in bad[1]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.test",
        "https://shop.example.test/",
        " shop.example.test ",
        "https://shop.example.test/wp-json/wc/v3",
    ],
)
def test_the_address_is_taken_as_people_paste_it(url: str) -> None:
    assert connect(url=url).http.base_url == "https://shop.example.test"


def header_of(url: str) -> str:
    with everything((200, {}, "[]")) as rsps:
        connect(url=url).poll("orders", NOON, None)
        return str(rsps.calls[0].request.headers["Authorization"])


def test_over_tls_the_key_goes_as_basic() -> None:
    assert header_of("https://shop.example.test").startswith("Basic ")


def test_without_tls_only_a_signature_goes() -> None:
    header = header_of("http://shop.example.test")
    assert 'oauth_signature_method="HMAC-SHA256"' in header
    assert settings()["consumer_secret"] not in header
