"""What people do in Tryton by hand: ship, cancel, settle exceptions, change products."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from integration_hub.connectors._tryton_rest import Rest, Row, numeric
from integration_hub.connectors.http import Http

from .server import Erp

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class Office:
    """Speaks to the same server as the hub, as the user ``hub``."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp
        self.rest = Rest(Http(allowed=[LOOPBACK]), erp.url, erp.database, erp.key, {"company": 1})

    def sales(self, reference: str, *fields: str) -> list[Row]:
        """All sales that carry this reference of ours."""
        return self.rest.search("sale.sale", [["web_id", "=", reference]], ["state", *fields])

    def sale(self, reference: str, *fields: str) -> Row:
        """The one sale of this reference."""
        (found,) = self.sales(reference, *fields)
        return found

    def press(self, model: str, record: int, *buttons: str) -> None:
        for button in buttons:
            self.rest.press(model, record, button)

    def ship(self, reference: str, tracking: str = "", only: Mapping[str, int] | None = None) -> None:
        """Send off what waits, or only these quantities by product code; the rest becomes a new shipment."""
        fields = ("shipments.state", "shipments.inventory_moves.product.code")
        shipments = self.sale(reference, *fields)["shipments"]
        for shipment in [item for item in shipments if item["state"] == "waiting"]:
            for move in shipment["inventory_moves"] if only is not None else ():
                quantity = Decimal(only.get(move["product"]["code"], 0)) if only else Decimal(0)
                self.rest.write("stock.move", move["id"], {"quantity": quantity})
            self.rest.write("stock.shipment.out", shipment["id"], {"reference": tracking})
            self.press("stock.shipment.out", shipment["id"], "assign_try", "pick", "pack", "do")

    def product(self, code: str, *, kind: str = "goods", parts: Mapping[str, int] | None = None, **values: Any) -> int:
        """A new article of one variant with this code; ``parts`` make it a set.  Gives the variant's id."""
        accounts = self.rest.search("product.category", [["name", "=", "Waren 19 %"]], ["id"])[0]["id"]
        row: Row = {"name": f"Artikel {code}", "code": code, "type": kind, "salable": True, "default_uom": 1}
        row |= {"sale_uom": 1, "list_price": numeric(Decimal("16.81")), "account_category": accounts}
        row |= {"cost_price_method": "fixed", "products": [["create", [{}]]]}
        if parts:
            rows = [{"product": self.variant(part), "quantity": count, "unit": 1} for part, count in parts.items()]
            row["components"] = [["create", rows]]
        self.rest.create("product.template", row | values)
        return self.variant(code)

    def variant(self, code: str) -> int:
        """The id of the variant with this code."""
        return int(self.rest.search("product.product", [["code", "=", code]], ["id"])[0]["id"])

    def place(self, code: str) -> int:
        """The id of the location with this code."""
        return int(self.rest.search("stock.location", [["code", "=", code]], ["id"])[0]["id"])

    def count(self, location: str, **quantities: float) -> None:
        """A stocktaking at a storage location: so many of each lie there."""
        lines = [{"product": self.variant(code), "quantity": number} for code, number in quantities.items()]
        values = {"location": self.place(location), "empty_quantity": "keep", "lines": [["create", lines]]}
        self.rest.create("stock.inventory", values)
        (inventory,) = self.rest.search("stock.inventory", [["state", "=", "draft"]], ["id"])
        self.press("stock.inventory", inventory["id"], "confirm")

    def cancel_shipments(self, reference: str) -> None:
        for shipment in self.sale(reference, "shipments.state")["shipments"]:
            if shipment["state"] in ("waiting", "assigned"):
                self.press("stock.shipment.out", shipment["id"], "cancel")

    def ignore_cancelled(self, reference: str) -> None:
        """Settle the exceptions after cancelled shipments and invoices: what was cancelled is not made again."""
        sale = self.sale(reference, "lines.moves.state", "invoices.state")
        moves = [move["id"] for line in sale["lines"] for move in line["moves"] if move["state"] == "cancelled"]
        self._settle("shipment", sale["id"], "moves", moves)
        for invoice in sale["invoices"]:
            self.press("account.invoice", invoice["id"], "cancel")
        self._settle("invoice", sale["id"], "invoices", [invoice["id"] for invoice in sale["invoices"]])

    def _settle(self, kind: str, sale: int, name: str, records: Sequence[int]) -> None:
        form = {f"domain_{name}": records, f"recreate_{name}": [], f"ignore_{name}": records}
        self._wizard(f"sale.handle.{kind}.exception", "sale.sale", sale, ("ask", {}), ("handle", {"ask": form}))

    def take_back(self, reference: str) -> None:
        """A colleague makes a return of the whole sale."""
        self._wizard("sale.return_sale", "sale.sale", self.sale(reference)["id"], ("return_", {"start": {}}))

    def merge(self, code: str, into: str) -> None:
        """Merge the customer of one code into that of the other."""
        source, destination = (
            self.rest.search("party.party", [["code", "=", c]], ["id"])[0]["id"] for c in (code, into)
        )
        form = {"source": source, "destination": destination}
        self._wizard("party.replace", "party.party", source, ("ask", {}), ("replace", {"ask": form}))

    def configure(self, model: str, **values: Any) -> None:
        """Change a page of settings, as the administrator."""
        headers, context = self._session("admin", self._erp.built.secrets["admin"])
        self._call(headers, f"model.{model}.write", [1], values, context)

    def _wizard(self, name: str, model: str, record: int, *steps: tuple[str, Any]) -> None:
        """Wizards exist over JSON-RPC only."""
        headers, context = self._session("hub", self._erp.password)
        context |= {"active_model": model, "active_id": record, "active_ids": [record]}
        run, _, _ = self._call(headers, f"wizard.{name}.create", context)
        for state, form in steps:
            self._call(headers, f"wizard.{name}.execute", run, form, state, context)
        self._call(headers, f"wizard.{name}.delete", run, context)

    def _session(self, login: str, password: str) -> tuple[dict[str, str], Row]:
        """Headers and context of somebody who signed in."""
        uid, token, _ = self._call({}, "common.db.login", login, {"password": password}, "en")
        headers = {"Authorization": f"Session {base64.b64encode(f'{login}:{uid}:{token}'.encode()).decode()}"}
        return headers, self._call(headers, "model.res.user.get_preferences", True, {})

    def _call(self, headers: Mapping[str, str], method: str, *params: Any) -> Any:
        address = f"{self._erp.url}/{self._erp.database}/rpc/"
        question = {"id": 1, "method": method, "params": params}
        answer = requests.post(address, json=question, headers=headers, timeout=30)
        answer.raise_for_status()
        told = answer.json()
        if "result" not in told:
            raise AssertionError(told)
        return told["result"]
