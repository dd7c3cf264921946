"""The merchant's set-up: two shops and an ERP of the played world, joined by all processes."""

from __future__ import annotations

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.management import demo_world
from integration_hub.messaging import polling, pump
from integration_hub.models import Connection
from integration_hub.sandbox import world as facts
from orders.aftersales.models import AfterSaleRule
from orders.aftersales.states import Mode

from .outside import Outside

SLUGS = {"woo": "laden", "shopify": "teehaus"}
SIGNED = {"woo": facts.WOO_WEBHOOK_SECRET, "shopify": facts.SHOPIFY_SECRET}


def build(outside: Outside) -> None:
    """Connect everything and take over the ERP's products, before anybody works."""
    erp = _erp(outside.url)
    polling.poll_now(erp)
    pump.drain(lanes=("poll", "in"))
    for shop in (_laden(outside.url), _teehaus(outside.url)):
        demo_world.switch_on(shop, erp)
        for kind in (AfterSaleKind.CANCELLATION, AfterSaleKind.REFUND):
            AfterSaleRule.objects.create(channel=shop, kind=kind, mode=Mode.AUTOMATIC)


def subscribe(outside: Outside, hub: str, shop: str) -> int:
    """Send this shop's webhooks to the hub, instead of any earlier ones; how many subscriptions that makes."""
    made = outside.pull("subscribe", shop=shop, url=f"{hub}/webhooks/{SLUGS[shop]}/", secret=SIGNED[shop])
    return len(made["subscriptions"])


def _erp(sandbox: str) -> Connection:
    config = {
        "url": f"{sandbox}/odoo",
        "database": facts.ODOO_DATABASE,
        "login": facts.ODOO_LOGIN,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
    }
    return demo_world.connect("odoo", "Odoo", "odoo", "ERP", config, {"api_key": facts.ODOO_KEY})


def _laden(sandbox: str) -> Connection:
    secrets = {
        "consumer_key": facts.WOO_KEY,
        "consumer_secret": facts.WOO_SECRET,
        "webhook_secret": facts.WOO_WEBHOOK_SECRET,
    }
    config = {"url": f"{sandbox}/woo", "tracking": "shipment_tracking"}
    return demo_world.connect("laden", "Teeladen", "woocommerce", "SHOP", config, secrets)


def _teehaus(sandbox: str) -> Connection:
    config = {"shop": facts.SHOPIFY_SHOP, "api_url": f"{sandbox}/shopify"}
    secrets = {"access_token": facts.SHOPIFY_TOKEN, "api_secret": facts.SHOPIFY_SECRET}
    return demo_world.connect("teehaus", "Teehaus", "shopify", "SHOP", config, secrets)
