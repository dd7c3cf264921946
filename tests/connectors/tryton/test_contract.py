"""Tryton keeps the contract of all connectors; the outside world is a real server."""

from __future__ import annotations

import itertools
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import requests

from integration_hub.connectors.base import Connector
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.aftersales import CancelSale, GoodsLine, WriteReturn
from integration_hub.kernel.messages import Command
from tests.connectors.contract import (
    Contract,
    DeclarationContract,
    ParseContract,
    Sample,
    TroubleContract,
    WriteContract,
)
from tests.connectors.levels import LevelsListedContract, ProductsSweptContract
from tests.connectors.listing import SalesListedContract
from tests.connectors.world import Reply
from tests.erp.office import Office
from tests.erp.server import Erp

from . import payloads
from .orders import config, order

ORDER = replace(order(), reference="contract:1", customer_code="contract-1")
WISH: dict[str, Any] = {"sale_reference": ORDER.reference, "sale_id": "1", "sale_number": "1", "reason": "Irrtum"}
MUGS = (GoodsLine(sku="MUG", quantity=Decimal(1)),)
CANCEL = CancelSale(key="contract:cancel", lines=MUGS, **WISH)
RETURN = WriteReturn(reference="contract:return", lines=MUGS, **WISH)
_shops = itertools.count(1)


class RealWorld:
    """A real Tryton with a web shop that holds no sales yet and does not know the customer."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.name = f"contract {next(_shops)}"
        shop = office.rest.search("web.shop", [["name", "=", "shop"]], ["currency.id", "warehouses.id"])[0]
        warehouses = [["add", [row["id"] for row in shop["warehouses"]]]]
        values = {"name": self.name, "company": 1, "currency": shop["currency"]["id"], "warehouses": warehouses}
        office.rest.create("web.shop", values)
        for party in office.rest.search("party.party", [["code", "=", ORDER.customer_code]], ["id"]):
            office.rest.write("party.party", party["id"], {"code": f"{ORDER.customer_code} before {self.name}"})

    def answer(self, request: requests.PreparedRequest) -> Reply:
        """Carried to the server by another way than requests, which is intercepted here."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        asked = urllib.request.Request(str(request.url), body, dict(request.headers), method=request.method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(asked, timeout=30) as reply:
                return reply.status, {"Content-Type": reply.headers["Content-Type"]}, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {"Content-Type": error.headers["Content-Type"]}, error.read().decode()

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return request.method != "GET" and not str(request.path_url).endswith("/rpc/")

    def made(self) -> Any:
        """State, total and documents of every sale, straight from the server."""
        fields = ("state", "total_amount", "invoices.id", "shipments.id")
        rows = self._office.rest.search("sale.sale", [["web_shop.name", "=", self.name]], fields)
        return [(row["state"], row["total_amount"], len(row["invoices"]), len(row["shipments"])) for row in rows]


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Tryton

    def config(self) -> dict[str, Any]:
        return vars(config())

    def commands(self) -> Sequence[Command]:
        return [ORDER, CANCEL, RETURN]

    def samples(self) -> Sequence[Sample]:
        parcel = payloads.shipment(7, payloads.move(1, "MUG", 2.0))
        waiting = payloads.shipment(8, payloads.move(2, "MUG", 1.0, "draft"), state="waiting", effective_date=None)
        return [
            Sample("sent", payloads.delivery(payloads.sale(parcel))),
            Sample(
                "partly sent", payloads.delivery(payloads.sale(parcel, waiting, shipment_state="partially shipped"))
            ),
            Sample("with a return", payloads.delivery(payloads.sale(parcel, returns=[payloads.back()]))),
            Sample("draft", payloads.delivery(payloads.sale(state="draft", number=None, write_date=None))),
            Sample("product of an older version", payloads.delivery(payloads.product(), "product.polled")),
            Sample("product", payloads.delivery(payloads.full_product(), "product.polled")),
            Sample("set", payloads.delivery(payloads.kit(), "product.polled")),
            Sample("location", payloads.delivery(payloads.location(), "location.polled")),
            Sample("levels", payloads.levels(payloads.level(), payloads.level(5))),
        ]


class Real(Mine):
    """With a real server behind ``config`` and ``world``."""

    server: Erp
    office: Office
    shop = "shop"

    @pytest.fixture(autouse=True)
    def _real(self, real_erp: Erp, office: Office) -> None:
        self.server, self.office = real_erp, office

    def config(self) -> dict[str, Any]:
        server = self.server
        return (
            super().config()
            | {"url": server.url, "database": server.database, "api_key": server.key}
            | {"web_shop": self.shop}
        )

    def commands(self) -> Sequence[Command]:
        """What follows a sale needs one first: test_aftersales.py."""
        return [ORDER]

    def world(self) -> RealWorld:
        world = RealWorld(self.office)
        self.shop = world.name
        return world


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestParsing(Mine, ParseContract):
    pass


class TestTrouble(Mine, TroubleContract):
    test_the_check_of_a_sound_connection_finds_it_sound = None  # type: ignore[assignment]  # by TestSoundConnection


@pytest.mark.erp
class TestSoundConnection(Real):
    test_the_check = TroubleContract.test_the_check_of_a_sound_connection_finds_it_sound


@pytest.mark.erp
class TestWriting(Real, WriteContract):
    pass


@pytest.mark.erp
class TestListing(Real, SalesListedContract):
    pass


@pytest.mark.erp
class TestLevels(Real, LevelsListedContract):
    pass


@pytest.mark.erp
class TestSweep(Real, ProductsSweptContract):
    pass
