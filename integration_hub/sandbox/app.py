"""All played systems put together: server, clock and customers."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from . import odoo_sales
from .control import Control
from .erpnext import ErpNext
from .erpnext_levers import Levers
from .hooks import Sender
from .http import Application, Server, System
from .later import Later
from .mollie import Mollie
from .odoo import Odoo
from .orders import Orders, Shop
from .paypal import PayPal
from .purse import Purse
from .shopify import Shopify
from .stripe import Stripe
from .till import Till
from .woo import Woo
from .world import World

TICK = 0.25


class Sandbox:
    """The running sandbox; ``port`` 0 takes a free one.  ``order_every`` seconds, 0: only when told."""

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | None = None,
        hub: str = "http://127.0.0.1:8000",
        order_every: float = 0.0,
        seed: int | None = None,
    ) -> None:
        self.world = World(state, hub, seed)
        self.later = Later()
        self.second_thoughts = Later(workers=1)
        self.sender = Sender(self.world.faults, self.later)
        self.woo = Woo(self.world, self.sender)
        self.shopify = Shopify(self.world, self.sender)
        self.odoo = Odoo(self.world)
        self.erpnext = ErpNext(self.world)
        self.levers = Levers(self.erpnext)
        self.purse = Purse(self.world)
        stripe, paypal = Stripe(self.purse, self.sender), PayPal(self.purse, self.sender)
        mollie = Mollie(self.purse, self.sender)
        self.till = Till(self.purse, {"stripe": stripe, "paypal": paypal, "mollie": mollie})
        shops: dict[str, Shop] = {"woo": self.woo.shop, "shopify": self.shopify.shop}
        self.orders = Orders(self.world, shops, self.second_thoughts, self.till)
        control = Control(self.world, self.woo, self.shopify, self.orders, self.sender, self.till, self.levers)
        systems: list[System] = [self.woo, self.shopify, self.odoo, self.erpnext, stripe, paypal, mollie, control]
        self.application = Application(systems, self.world.faults)
        self.server = Server(port, self.application)
        self.world.address = self.url
        self._order_every = order_every
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True),
            threading.Thread(target=self._tick, daemon=True),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving and keep what is not yet on disk."""
        self._stop.set()
        self.application.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.second_thoughts.close()
        self.later.close()
        for thread in self._threads:
            thread.join(timeout=5)
        self.world.store.save()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        saved = ordered = time.monotonic()
        while not self._stop.wait(TICK):
            now = time.monotonic()
            self.ship_due()
            if self._order_every and now - ordered >= self._order_every:
                ordered = now
                self.orders.next()
            if now - saved >= 1:
                saved = now
                self.world.store.save()

    def ship_due(self) -> None:
        """Send the parcels whose time has come; every n-th sale leaves in two."""
        every = self.world.switch("odoo_partial_every")
        with self.world.lock:
            for picking in odoo_sales.due_pickings(self.world):
                partial = bool(every) and not picking["backorder_id"] and picking["sale_id"] % every == 0
                odoo_sales.ship(self.world, picking, partial)
            self.levers.ship_due()
