"""What the sandbox's tests need: connectors that point at it, and a door that catches its webhooks."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import requests

from integration_hub.connectors.base import Incoming
from integration_hub.connectors.erpnext import ErpNext
from integration_hub.connectors.http import Http
from integration_hub.connectors.odoo import Odoo
from integration_hub.connectors.shopify import Shopify
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox


def http() -> Http:
    return Http(allowed=[ip_network("127.0.0.0/8")])


def odoo(sandbox: Sandbox, **changes: Any) -> Odoo:
    settings = {
        "url": f"{sandbox.url}/odoo",
        "database": facts.ODOO_DATABASE,
        "login": facts.ODOO_LOGIN,
        "api_key": facts.ODOO_KEY,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
    }
    return Odoo(Odoo.Config(**{**settings, **changes}), http())


def erpnext(sandbox: Sandbox, **changes: Any) -> ErpNext:
    settings = {
        "url": f"{sandbox.url}/erpnext",
        "api_key": facts.ERPNEXT_KEY,
        "api_secret": facts.ERPNEXT_SECRET,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
    }
    return ErpNext(ErpNext.Config(**{**settings, **changes}), http())


def woo(sandbox: Sandbox, **changes: Any) -> WooCommerce:
    settings = {
        "url": f"{sandbox.url}/woo",
        "consumer_key": facts.WOO_KEY,
        "consumer_secret": facts.WOO_SECRET,
        "webhook_secret": facts.WOO_WEBHOOK_SECRET,
    }
    return WooCommerce(WooCommerce.Config(**{**settings, **changes}), http())


def shopify(sandbox: Sandbox, **changes: Any) -> Shopify:
    settings = {
        "shop": facts.SHOPIFY_SHOP,
        "access_token": facts.SHOPIFY_TOKEN,
        "api_secret": facts.SHOPIFY_SECRET,
        "api_url": f"{sandbox.url}/shopify",
    }
    return Shopify(Shopify.Config(**{**settings, **changes}), http())


def control(sandbox: Sandbox, what: str, **given: Any) -> Any:
    """Pull a lever of the control room; an unknown one or a bad value fails the test."""
    answer = requests.post(f"{sandbox.url}/control/{what}", json=given, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def state(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.url}/control/state", timeout=10).json()


@dataclass
class Door:
    """Catches webhooks; answers with ``status``."""

    status: int = 200
    caught: list[Incoming] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._news = threading.Condition()
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                door.take(Incoming({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(door.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hooks/shop/"

    def take(self, request: Incoming) -> None:
        with self._news:
            self.caught.append(request)
            self._news.notify_all()

    def wait(self, count: int, seconds: float = 5) -> list[Incoming]:
        """The webhooks (without pings) once so many are there."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.hooks()) >= count, seconds), f"{len(self.hooks())} of {count}"
            return self.hooks()

    def hooks(self) -> list[Incoming]:
        return [item for item in self.caught if not item.body.startswith(b"webhook_id=")]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def until_idle(sandbox: Sandbox) -> None:
    """Wait until nothing is on its way any more; five seconds at most."""
    for _ in range(500):
        if not sandbox.later.pending():
            return
        time.sleep(0.01)
    raise AssertionError("webhooks are still on their way")
