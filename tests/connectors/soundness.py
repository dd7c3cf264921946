"""What must hold for every report, whatever it was made of."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integration_hub.kernel.funds import FeeKind, TransactionReport
from integration_hub.kernel.messages import OrderReport


def assert_sound(value: Any) -> None:
    """Every amount finite and bounded, every moment UTC, every text storable; all the way down."""
    if isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value) < Decimal(10) ** 17
    elif isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0)
    elif isinstance(value, str):
        assert "\x00" not in value
        assert len(value.encode()) <= 20_000
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            assert_sound(getattr(value, item.name))
    elif isinstance(value, tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            assert_sound(part)
    else:
        assert value is None or isinstance(value, bool | date), value


def assert_settlement_adds_up(report: TransactionReport) -> None:
    """Gross less fees is net, to the last digit; the tax on fees is contained in them; all or nothing is settled."""
    settled = (report.settled_gross is not None, report.net is not None, bool(report.settlement_currency))
    assert len(set(settled)) == 1, report
    assert report.occurred_at <= report.updated_at
    if report.settled_gross is None or report.net is None:
        assert not report.fees
        return
    assert report.settled_gross - sum(fee.amount for fee in report.fees) == report.net, report
    assert sum(fee.amount for fee in report.fees if fee.kind is FeeKind.TAX) == report.fee_tax


def assert_lines_add_up(report: OrderReport) -> None:
    """net + tax = gross, and quantity times price less discount is the line in the order's pricing, to the cent."""
    for line in report.lines:
        assert line.net + line.tax == line.gross
        stated = line.gross if report.prices_include_tax else line.net
        assert abs(line.quantity * line.unit_price - line.discount - stated) < Decimal("0.005"), line
        assert line.discount >= 0
        assert not line.taxes or sum(part.amount for part in line.taxes) == line.tax
