"""Connectors of the benchmark: a WooCommerce shop whose status goes to the mock, and an ERP that takes one POST per order.

They measure the spine, not Odoo's or Tryton's own dozen of calls.  Imported by the benchmark's settings only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from integration_hub.connectors.base import Capability, Connector, Finding, Role, option
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel import codec
from integration_hub.kernel.messages import Command, Written
from integration_hub.kernel.text import say


class BenchShop(WooCommerce):
    """WooCommerce in all but one thing: telling it something is one POST."""

    code: ClassVar[str] = "bench-shop"
    label: ClassVar[str] = "Benchmark shop"

    def send(self, command: Command) -> Written:
        self.http.request("POST", f"{self.config.url}/status", json={"order": getattr(command, "order_id", "")})
        return Written(external_id="")


@dataclass(frozen=True, kw_only=True)
class _Config:
    url: str = option(say("Address"))


class BenchErp(Connector):
    """An ERP that takes an order with one POST."""

    code: ClassVar[str] = "bench-erp"
    label: ClassVar[str] = "Benchmark ERP"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.ERP})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.WRITE_SALE})
    Config = _Config

    def send(self, command: Command) -> Written:
        answer = self.http.request("POST", f"{self.config.url}/sales", json=codec.loads(codec.dumps(asdict(command))))
        return Written(external_id=getattr(command, "reference", ""), number=str(answer.json()["number"]))

    def find(self, command: Command) -> Written | None:
        return None

    def check(self) -> Sequence[Finding]:
        return []
