"""The played world as one object: its records, faults, switches and clock; and its credentials, all invented."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .faults import Faults
from .store import Store

WOO_KEY = "ck_sandbox_0000000000000000000000000000000000000001"
WOO_SECRET = "cs_sandbox_0000000000000000000000000000000000000002"  # noqa: S105 - opens nothing but this sandbox
WOO_WEBHOOK_SECRET = "sandbox-woo-webhook-secret"  # noqa: S105
SHOPIFY_SHOP = "sandbox-tee.myshopify.com"
SHOPIFY_TOKEN = "shpat_sandbox_00000000000000000003"  # noqa: S105
SHOPIFY_SECRET = "shpss_sandbox_00000000000000000004"  # noqa: S105
STRIPE_KEY = "rk_test_sandbox_0000000000000000000006"
STRIPE_WEBHOOK_SECRET = "whsec_sandbox_0000000000000000000007"  # noqa: S105
MOLLIE_KEY = "live_sandbox0000000000000000000000008"
MOLLIE_TOKEN = "access_sandbox000000000000000000009"  # noqa: S105
PAYPAL_ID = "sandbox-client-id"
PAYPAL_SECRET = "sandbox-paypal-secret-00000000000010"  # noqa: S105
PAYPAL_WEBHOOK_ID = "WH-SANDBOX-0000000011"
ODOO_DATABASE = "sandbox"
ODOO_LOGIN = "hub@sandbox.example"
ODOO_KEY = "odoo-sandbox-api-key-0000000000000005"
ODOO_UID = 2
ERPNEXT_KEY = "erpnextsandbox1"
ERPNEXT_SECRET = "erpnext-sandbox-0012"  # noqa: S105

SWITCHES: dict[str, Any] = {
    "odoo_version": "19",  # "17": no JSON-2, /odoo/json/2 answers 404
    "odoo_ship_after": 20.0,  # seconds from confirmation to the parcel; 0: only when told
    "odoo_partial_every": 5,  # every n-th sale leaves in two parcels
    "erpnext_ship_after": 20.0,  # as with Odoo
    "erpnext_partial_every": 5,
    "woo_tracking_plugin": True,
    "woo_lists_variations": True,  # newer versions list the variations of all products at one address
    "woo_delivery_delay": 0.3,  # seconds until the shop's queue runs; edits in between are one webhook
    "shopify_retry_seconds": 1.0,  # first retry; doubles, 8 times
    "pays_after": 15.0,  # seconds until the bank transfer of an order on hold arrives
    "ordering": True,
}


class World:
    """Everything the played systems share."""

    def __init__(self, state: Path | None = None, hub: str = "http://127.0.0.1:8000", seed: int | None = None) -> None:
        self.store = Store(state / "world.jsonl" if state else None)
        self.faults = Faults(seed)
        self.random = random.Random(seed)  # draws orders and nothing else, so that a seed repeats them
        self.parcels = random.Random(seed)
        self.hub = hub.rstrip("/")
        self.address = "http://127.0.0.1"
        self.closing = threading.Event()
        self.lock = self.store.lock

    def switch(self, name: str) -> Any:
        """A switch's value; it survives a restart."""
        kept = self.store.get("switches", 1) or {}
        return kept.get(name, SWITCHES[name])

    def turn(self, **values: Any) -> None:
        """Set switches; KeyError for one that does not exist, ValueError for a value of another kind."""
        for name, value in values.items():
            values[name] = type(SWITCHES[name])(value)
        with self.lock:
            self.store.put("switches", {**(self.store.get("switches", 1) or {}), **values, "id": 1})

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)
