"""Our own order JSON keeps the contract of all connectors."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.connectors.http import Http
from integration_hub.connectors.report import TOPIC, OwnSystem, ReportConfig
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Ignored, OrderReport
from integration_hub.kernel.states import LineKind
from tests.connectors.contract import Contract, DeclarationContract, ParseContract, Sample

ORDER: dict[str, Any] = {
    "id": "B-7",
    "number": "2026-7",
    "stage": "READY",
    "status": "approved",
    "placed_at": "2026-11-20T11:00:00+01:00",
    "updated_at": "2026-11-20T10:05:00Z",
    "currency": "EUR",
    "prices_include_tax": True,
    "total": "52.50",
    "total_tax": "7.55",
    "lines": [
        {
            "id": "1",
            "title": "Teekanne",
            "sku": "TK-100",
            "quantity": "4",
            "unit_price": "11.90",
            "net": "40.00",
            "tax": "7.60",
            "taxes": [{"rate": "0.19", "amount": "7.60"}],
        },
        {
            "id": "2",
            "kind": "SHIPPING",
            "title": "DHL",
            "quantity": "1",
            "unit_price": "4.90",
            "net": "4.95",
            "tax": "-0.05",
        },
    ],
    "buyer": {"id": "K1", "email": "einkauf@example.com", "name": "Erika Mustermann"},
    "billing": {"name": "Erika Mustermann", "street": "Hafenstraße 1", "city": "Hamburg", "country": "de"},
    "payment": {"method": "invoice", "paid": False},
}


def delivery(order: Any, topic: str = TOPIC) -> Delivery:
    return Delivery(topic, "B-7", json.dumps(order).encode())


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = OwnSystem

    def config(self) -> dict[str, Any]:
        return {"note": "B2B portal"}

    def samples(self) -> Sequence[Sample]:
        return [Sample("an order", delivery(ORDER), agrees=False)]


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestParsing(Mine, ParseContract):
    pass


def parse(order: Any) -> OrderReport:
    (report,) = OwnSystem(ReportConfig(), Http()).parse(delivery(order))
    assert isinstance(report, OrderReport)
    return report


def test_every_stated_figure_arrives_exactly() -> None:
    report = parse(ORDER)
    assert (report.total, report.total_tax, report.currency) == (Decimal("52.50"), Decimal("7.55"), "EUR")
    assert report.placed_at.isoformat() == "2026-11-20T10:00:00+00:00"
    assert [(line.kind, line.gross) for line in report.lines] == [
        (LineKind.ITEM, Decimal("47.60")),
        (LineKind.SHIPPING, Decimal("4.90")),
    ]
    assert report.lines[0].taxes[0].rate == Decimal("0.19")
    assert report.billing.country == "DE"
    assert report.shipping is None
    assert not report.payment.paid


@pytest.mark.parametrize("figure", [52.5, 52, True, "NaN", "1e3", "52,50", "٥٢", "1.00001", "", None, "9" * 13])
def test_money_is_text_and_nothing_else(figure: Any) -> None:
    with pytest.raises(Rejected):
        parse(ORDER | {"total": figure})


def test_taxes_that_do_not_add_up_and_doubled_ids_are_rejected() -> None:
    wrong = copy.deepcopy(ORDER)
    wrong["lines"][0]["taxes"][0]["amount"] = "7.59"
    with pytest.raises(Rejected):
        parse(wrong)
    twice = copy.deepcopy(ORDER)
    twice["lines"][1]["id"] = "1"
    with pytest.raises(Rejected):
        parse(twice)


def test_another_topic_is_ignored() -> None:
    (report,) = OwnSystem(ReportConfig(), Http()).parse(delivery(ORDER, "stock.reported"))
    assert isinstance(report, Ignored)
