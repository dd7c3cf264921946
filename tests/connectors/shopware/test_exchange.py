"""What goes over the wire between hub and Shopware shop: signatures, hints, windows, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors import _shopware_search
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.errors import Misconfigured, Rejected, Unauthentic
from integration_hub.kernel.messages import Ignored, OrderGone, OrderReport
from tests.connectors.world import outside

from . import payloads
from .mine import connect, signed
from .payloads import DELIVERY, ORDER, OTHER, delivery_row, event, order, written
from .shop import Shop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACED = event("checkout.order.placed", {"order": {"id": ORDER, "amountTotal": 1.0}})


def test_while_the_secret_changes_the_old_one_is_taken_too() -> None:
    old = signed(PLACED, header="shopware-shop-signature-previous")
    new = signed(PLACED, "the-new-secret-99")
    (delivery,) = connect().receive(type(old)({**new.headers, **old.headers}, PLACED))
    assert (delivery.topic, delivery.object_id, delivery.key) == ("checkout.order.placed", ORDER, "9" * 32)
    with pytest.raises(Unauthentic):
        connect().receive(new)


def follow(shop: Shop, body: bytes) -> list[Delivery]:
    it = connect()
    (delivery,) = it.receive(signed(body))
    assert it.is_hint(delivery)
    with outside(shop):
        return list(it.follow(delivery))


@pytest.mark.parametrize(
    "body",
    [
        PLACED,
        event("order.written", [written("order", ORDER), written("order", ORDER)]),
        event("order_delivery.written", [written("order_delivery", DELIVERY)]),
        event("state_enter.order_transaction.state.paid", {"order": {"id": ORDER}}),
        event("order.deleted", [written("order", ORDER, "delete")]),  # of a draft: the order is there
    ],
)
def test_a_hint_leads_to_the_order_as_it_is_now(body: bytes) -> None:
    (found,) = follow(Shop(), body)
    (report,) = connect().parse(found)
    assert isinstance(report, OrderReport)
    assert report.total == Decimal("31.9")


def test_a_deleted_order_is_gone() -> None:
    (found,) = follow(Shop(order(id=OTHER)), event("order.deleted", [written("order", ORDER, "delete")]))
    assert connect().parse(found) == (OrderGone(external_id=ORDER),)


def test_a_hint_about_something_else_leads_nowhere_and_a_forged_id_nowhere_at_all() -> None:
    assert follow(Shop(), event("order.written", [written("order_tag", ORDER)])) == []
    with pytest.raises(Rejected):
        follow(Shop(), event("order.written", [written("order", "../token")]))


def test_other_events_are_ignored_and_none_speaks_as_if_the_hub_had_read_it() -> None:
    for name in ("product.written", "order.polled"):
        (delivery,) = connect().receive(signed(event(name, [written("product", ORDER)])))
        assert not connect().is_hint(delivery)
        assert isinstance(connect().parse(delivery)[0], Ignored)


def test_a_change_of_a_delivery_alone_is_found() -> None:
    shop = Shop(order(), order(id=OTHER, autoIncrement=72, deliveries=[delivery_row(updatedAt=NOON.isoformat())]))
    with outside(shop):
        page = connect().poll("orders", NOON - timedelta(minutes=15), None)
    assert [delivery.object_id for delivery in page.deliveries] == [OTHER]
    assert page.token is None


def test_pages_go_on_behind_the_last_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shopware_search, "PER_PAGE", 2)
    shop = Shop(*(order(id=f"{place:032x}", autoIncrement=70 + place) for place in range(1, 6)))
    seen: list[str] = []
    token: Any = None
    with outside(shop):
        while True:
            page = connect().poll("orders", None, token)
            seen += [delivery.object_id for delivery in page.deliveries]
            shop.orders = [one for one in shop.orders if one["autoIncrement"] != 71]  # deleted meanwhile
            token = page.token
            if token is None:
                break
    assert seen == [f"{place:032x}" for place in range(1, 6)]
    with pytest.raises(Rejected):
        connect().poll("orders", None, "x; drop")


def test_the_sweep_names_what_is_not_there() -> None:
    with outside(Shop()):
        assert connect().gone([ORDER, OTHER]) == [OTHER]


def test_cancelled_orders_are_listed_as_dead() -> None:
    with outside(Shop(order(stateMachineState=payloads.state("cancelled")))):
        (row,) = connect().list_orders(NOON - timedelta(days=1), NOON, None).rows
    assert not row.live


def test_one_token_serves_many_calls_and_one_that_died_is_replaced() -> None:
    shop = Shop()
    with outside(shop):
        it = connect()
        it.gone([ORDER])
        it.gone([ORDER])
        assert shop.tokens == 1
        shop.tokens += 1  # the shop takes only a newer one now
        it.gone([ORDER])
    assert shop.tokens == 3


def test_a_wrong_key_is_named_as_such() -> None:
    with outside(Shop()):
        (finding,) = connect(access_secret="another-secret").check()
        with pytest.raises(Misconfigured):
            connect(access_secret="another-secret").gone([ORDER])
    assert not finding.ok


@pytest.mark.parametrize(
    "url",
    [
        "shop.example.test",
        "https://shop.example.test/",
        "https://shop.example.test/admin#/sw/x",
        "https://shop.example.test/api",
    ],
)
def test_addresses_are_taken_as_people_paste_them(url: str) -> None:
    with outside(Shop()):
        assert all(finding.ok for finding in connect(url=url).check())
    assert connect(url=url).config.base == "https://shop.example.test"
