"""Payloads that real systems sent, kept beside the checkout; skipped where that folder is absent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.connectors.shopware import Shopware
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel import codec
from integration_hub.kernel.errors import Unauthentic
from integration_hub.kernel.goods import LocationReport, ProductGone, ProductKind, ProductReport, StockReport
from integration_hub.kernel.messages import Ignored, OrderGone, OrderReport, Report
from integration_hub.kernel.states import LineKind, OrderStage

from .shopify import mine as shopify_side
from .shopware import mine as shopware_side
from .soundness import assert_lines_add_up, assert_sound
from .woocommerce import mine as woocommerce_side

FOLDER = Path(__file__).parents[2].parent / "shared" / "payloads"
LIVE_SECRET = "whsec-peer-7f3a9c"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real payloads in {FOLDER}")

# WooCommerce's own documentation samples that do not add up, and by how much the lines exceed the total
CROOKED = {"3207": "-32.44", "963": "258.50", "728": "0.01"}


def files(folder: str, pattern: str = "*.json") -> list[Path]:
    return sorted((FOLDER / folder).glob(pattern)) if FOLDER.is_dir() else []


def named(path: Path) -> str:
    return path.stem


def webhooks() -> list[Path]:
    return [path for path in files("woocommerce-live") if "__" in path.name and "__ping" not in path.name]


def found(value: Any, *names: str) -> Iterator[dict[str, Any]]:
    """Every object inside that has all these names."""
    if isinstance(value, dict):
        if all(name in value for name in names):
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from found(item, *names)


def orders(folder: str, *names: str) -> list[Any]:
    return [
        pytest.param(order, id=f"{path.stem}-{order['id']}")
        for path in files(folder)
        for order in found(codec.loads(path.read_bytes()), *names)
    ]


def woo(secret: str = LIVE_SECRET) -> WooCommerce:
    return WooCommerce(WooCommerce.Config(**woocommerce_side.settings(webhook_secret=secret)), Http())


def captured(path: Path) -> Incoming:
    capture = json.loads(path.read_text())
    return Incoming({name.lower(): value for name, value in capture["headers"].items()}, capture["body_raw"].encode())


@pytest.mark.parametrize("path", webhooks(), ids=named)
def test_woocommerce_live_signature_holds_and_the_body_parses(path: Path) -> None:
    (delivery,) = woo().receive(captured(path))
    body = json.loads(delivery.body)
    assert delivery.object_id == str(body["id"])
    report, *more = woo().parse(delivery)
    kinds = {"order.deleted": OrderGone, "order": OrderReport, "product": ProductReport}
    topic = delivery.topic if delivery.topic in kinds else delivery.topic.split(".")[0]
    assert isinstance(report, kinds.get(topic, Ignored))
    assert_sound(report)
    if isinstance(report, ProductReport):
        (stock,) = more
        assert isinstance(stock, StockReport)
        assert [(one.product_id, one.available) for one in stock.levels] == [(str(body["id"]), body["stock_quantity"])]
        assert (report.sku, report.price) == (body["sku"], Decimal(body["price"]))


@pytest.mark.parametrize("path", webhooks(), ids=named)
def test_woocommerce_live_signature_of_another_secret_is_refused(path: Path) -> None:
    with pytest.raises(Unauthentic):
        woo("whsec-other").receive(captured(path))


@pytest.mark.parametrize("path", files("woocommerce-live", "*__ping*.json"), ids=named)
def test_woocommerce_ping_is_well_and_delivers_nothing(path: Path) -> None:
    assert woo().receive(captured(path)) == ()


@pytest.mark.parametrize(
    "order",
    [
        *orders("woocommerce", "line_items", "billing", "total"),
        *orders("woocommerce-live", "line_items", "billing", "total"),
    ],
)
def test_woocommerce_order_agrees_with_its_source(order: dict[str, Any]) -> None:
    report, *_refunds = woo().parse(Delivery("order.polled", str(order["id"]), codec.canonical(order)))
    assert isinstance(report, OrderReport)
    assert_lines_add_up(report)
    assert report.total == Decimal(order["total"])
    assert sum(line.gross for line in report.lines) - report.total == Decimal(CROOKED.get(report.external_id, 0))
    if report.prices_include_tax and report.external_id != "211":
        assert not [
            line for line in report.lines if line.kind is LineKind.ITEM and line.taxes and bad_price(line.unit_price)
        ]


def bad_price(price: Decimal) -> bool:
    """A price that nobody would have written into a shop: more than two digits."""
    return round(price, 2) != price


def test_what_an_order_line_of_a_live_shop_names_is_a_product_that_the_shop_reports() -> None:
    reports: list[Report] = []
    for path in files("woocommerce-live", "rest_*.json"):
        for raw in found(codec.loads(path.read_bytes()), "stock_status", "sku"):
            reports += woo().parse(Delivery("product.polled", str(raw["id"]), codec.canonical(raw)))
    for report in reports:
        assert_sound(report)
    known = {report.external_id: report for report in reports if isinstance(report, ProductReport)}
    lines = found(
        codec.loads((FOLDER / "woocommerce-live" / "rest_orders_list.json").read_bytes()), "variation_id", "sku"
    )
    named = {str(line["variation_id"] or line["product_id"]): line["sku"] for line in lines}
    assert len(named) > 3
    assert {number: known[number].sku for number in named} == named
    shirt = known["15"]
    assert (shirt.product_id, shirt.options) == ("14", (("Größe", "S"),))
    assert {report.kept for report in reports if isinstance(report, ProductGone)} == {("15", "16", "17")}


@pytest.mark.parametrize(
    "path", [*files("woocommerce", "*product*.json"), *files("woocommerce", "variation*.json")], ids=named
)
def test_woocommerce_product_samples_parse(path: Path) -> None:
    seen = 0
    for raw in found(codec.loads(path.read_bytes()), "manage_stock", "sku"):
        reports = woo().parse(Delivery("product.polled", str(raw["id"]), codec.canonical(raw)))
        for report in reports:
            assert_sound(report)
        if raw.get("type") != "variable":
            assert isinstance(reports[0], ProductReport)
            assert reports[0].tracked == bool(raw["manage_stock"])
            assert (reports[0].kind is ProductKind.BUNDLE) == (raw.get("type") == "bundle")
        seen += 1
    assert seen


@pytest.mark.parametrize("order", orders("shopify", "line_items", "financial_status"))
def test_shopify_order_agrees_with_its_source(order: dict[str, Any]) -> None:
    shop = Shopify(Shopify.Config(**shopify_side.settings()), Http())
    report, *_refunds = shop.parse(Delivery("orders/updated", str(order["id"]), codec.canonical(order)))
    assert isinstance(report, OrderReport)
    assert_sound(report)
    assert_lines_add_up(report)
    assert report.total == Decimal(order["total_price"])
    assert sum(line.gross for line in report.lines) == report.total
    assert sum(line.tax for line in report.lines) == report.total_tax == Decimal(order["total_tax"])
    assert (report.stage is OrderStage.CANCELLED) == bool(order["cancelled_at"])


@pytest.mark.parametrize("path", files("shopify", "hmac_vector.json"), ids=named)
def test_shopify_signature_vector(path: Path) -> None:
    vector = json.loads(path.read_text())
    shop = Shopify(Shopify.Config(**shopify_side.settings(api_secret=vector["secret"])), Http())
    headers = {"x-shopify-hmac-sha256": vector["expected_base64"], "x-shopify-topic": "orders/create"}
    (delivery,) = shop.receive(Incoming(headers, vector["body"].encode()))
    assert delivery.body == vector["body"].encode()


def shopify_parses(body: Any, topic: str) -> list[Report]:
    shop = Shopify(Shopify.Config(**shopify_side.settings()), Http())
    reports = list(shop.parse(Delivery(topic, "1", codec.canonical(body))))
    for report in reports:
        assert_sound(report)
    return reports


def test_shopify_places_and_levels_agree_with_their_source() -> None:
    folder = FOLDER / "shopify"
    places = codec.loads((folder / "rest_locations.json").read_bytes())["locations"]
    places.append(codec.loads((folder / "webhook_sample_location.json").read_bytes()))
    for place in places:
        assert shopify_parses(place, "locations/update") == [
            LocationReport(external_id=str(place["id"]), name=place["name"])
        ]
    for path in files("shopify", "rest_inventory_level_*.response.json"):
        level = codec.loads(path.read_bytes())["inventory_level"]
        (report,) = shopify_parses(level, "inventory_levels/update")
        assert isinstance(report, StockReport)
        (held,) = report.levels
        assert (held.stock_id, held.location_id, held.available) == ("808950810", "655441491", level["available"])


def test_shopify_variants_agree_with_their_source() -> None:
    folder = FOLDER / "shopify"
    variant = codec.loads((folder / "rest_variant.json").read_bytes())["variant"]
    product = {"id": variant["product_id"], "title": "IPod Nano", "status": "active", "options": [{"name": "Color"}]}
    told, left = shopify_parses({**product, "variants": [variant]}, "products/update")
    assert isinstance(told, ProductReport)
    assert (told.external_id, told.stock_id, told.options) == ("808950810", "808950810", (("Color", "Pink"),))
    assert (told.kind, told.tracked, told.weight) == (ProductKind.GOODS, True, Decimal("0.566990"))
    assert left == ProductGone(product_id="632910392", kept=("808950810",))
    node = (
        (folder / "gql_ProductVariantDetailsResponse.json")
        .read_text()
        .replace("{{ProductId}}", "1")
        .replace("{{VariantId}}", "2")
    )
    polled = {**codec.loads(node)["data"]["productVariant"], "id": "gid://shopify/ProductVariant/3"}
    body = {"product": {**polled["product"], "title": "Shirt", "status": "ACTIVE"}, "variants": [polled]}
    (report,) = shopify_parses(body, "product.polled")
    assert isinstance(report, ProductReport)
    assert (report.stock_id, report.tracked, report.price) == ("2", False, Decimal("99.99"))


def shopware_orders() -> list[Any]:
    return [
        pytest.param(order, id=f"{path.stem}-{order['orderNumber']}")
        for path in files("shopware", "app_*.json")
        for order in found(codec.loads(path.read_bytes()), "orderNumber", "lineItems", "deliveries")
        if order["lineItems"] and order["currency"]
    ]


@pytest.mark.parametrize("order", shopware_orders())
def test_shopware_order_agrees_with_its_source(order: dict[str, Any]) -> None:
    shop = Shopware(Shopware.Config(**shopware_side.settings()), Http())
    (report,) = shop.parse(Delivery("order.polled", order["id"], codec.canonical(order)))
    assert isinstance(report, OrderReport)
    assert_sound(report)
    assert_lines_add_up(report)
    assert report.total == order["amountTotal"] == sum(line.gross for line in report.lines)
    assert report.total_tax == order["amountTotal"] - order["amountNet"]
    assert report.number == order["orderNumber"]
    items = [line for line in report.lines if line.kind is LineKind.ITEM]
    assert [line.product_id for line in items] == [line["productId"] for line in order["lineItems"]]
    assert report.shipping is not None
    assert report.shipping.city == order["deliveries"][0]["shippingOrderAddress"]["city"]


@pytest.mark.parametrize("path", files("shopware", "hmac_vectors.json"), ids=named)
def test_shopware_signature_vector(path: Path) -> None:
    vector = json.loads(path.read_text())["post"]
    shop = Shopware(Shopware.Config(**shopware_side.settings(shop_secret=vector["secret"])), Http())
    (delivery,) = shop.receive(Incoming({"shopware-shop-signature": vector["hex"]}, vector["body"].encode()))
    assert delivery.body == vector["body"].encode()


@pytest.mark.parametrize("path", files("shopware", "webhook_product_written.json"), ids=named)
def test_shopware_webhook_of_a_product_is_ignored(path: Path) -> None:
    shop, request = (
        Shopware(Shopware.Config(**shopware_side.settings()), Http()),
        shopware_side.signed(path.read_bytes()),
    )
    (delivery,) = shop.receive(request)
    assert (delivery.topic, delivery.key) == ("product.written", json.loads(path.read_text())["source"]["eventId"])
    assert not shop.is_hint(delivery)
    assert isinstance(shop.parse(delivery)[0], Ignored)
