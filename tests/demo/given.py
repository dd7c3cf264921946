"""Connects a hub to a played world, from outside: ``python -m tests.demo.given <address of the sandbox>``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import django

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def main(sandbox: str) -> None:
    django.setup()
    # models must be ready before these are imported
    from integration_hub.management import demo_world  # noqa: PLC0415
    from integration_hub.sandbox import world as facts  # noqa: PLC0415

    odoo = {
        "url": f"{sandbox}/odoo",
        "database": facts.ODOO_DATABASE,
        "login": facts.ODOO_LOGIN,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
    }
    erp = demo_world.connect("odoo", "Odoo", "odoo", "ERP", odoo, {"api_key": facts.ODOO_KEY})
    keys = {
        "consumer_key": facts.WOO_KEY,
        "consumer_secret": facts.WOO_SECRET,
        "webhook_secret": facts.WOO_WEBHOOK_SECRET,
    }
    shop = demo_world.connect("laden", "Laden", "woocommerce", "SHOP", {"url": f"{sandbox}/woo"}, keys)
    demo_world.switch_on(shop, erp)


if __name__ == "__main__":
    main(sys.argv[1])
