"""The Lexware connector as the contract suite sees it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from integration_hub.connectors._lexware_api import Api
from integration_hub.connectors.base import Connector
from integration_hub.connectors.lexware import Lexware
from integration_hub.kernel.books import VoucherPart, WriteVoucher
from integration_hub.kernel.messages import Command
from tests.connectors.contract import Contract
from tests.connectors.world import World

from .office import COMMUNITY, GOODS, Office


def part(gross: str, tax: str, rate: str = "0.19", case: str = "DOMESTIC", country: str = "DE") -> VoucherPart:
    return VoucherPart(case=case, country=country, rate=Decimal(rate), gross=Decimal(gross), tax=Decimal(tax))


def voucher(*parts: VoucherPart, **changes: Any) -> WriteVoucher:
    """Case 2 of the worked cases unless other parts are given: 85.57 at 19 % and 23.79 at 7 %."""
    held = parts or (part("85.57", "13.66"), part("23.79", "1.56", "0.07"))
    given: dict[str, Any] = {
        "key": "document:1002",
        "number": "RE-2026-1002",
        "credit": False,
        "issued_on": date(2026, 11, 20),
        "supplied_on": date(2026, 11, 21),
        "currency": "EUR",
        "gross": sum((one.gross for one in held), Decimal(0)),
        "tax": sum((one.tax for one in held), Decimal(0)),
        "parts": held,
        "order_number": "#1002",
    }
    return WriteVoucher(**given | changes)


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Lexware

    @pytest.fixture(autouse=True)
    def _without_waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Api, "pause", 0.0)

    def config(self) -> dict[str, Any]:
        return {"api_key": "lexware-key-1234", "goods": GOODS, "community": COMMUNITY}

    def commands(self) -> Sequence[Command]:
        return [voucher()]

    def world(self) -> World:
        return Office()
