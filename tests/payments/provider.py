"""A payment provider and a bank in memory, behind a real connector that speaks our reports as JSON; and ways to drive them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integration_hub.connectors.base import Capability, Connector, Delivery, Finding, Role, option
from integration_hub.kernel import codec
from integration_hub.kernel.funds import (
    DisputeReport,
    DisputeStage,
    FeeKind,
    Hints,
    PayoutReport,
    PayoutStage,
    RefundPayment,
    ReportedFee,
    StatementLine,
    StatementReport,
    TransactionKind,
    TransactionReport,
    TransactionState,
)
from integration_hub.kernel.messages import Command, Report, Written
from integration_hub.kernel.text import say
from integration_hub.messaging import inbox
from integration_hub.models import Connection
from integration_hub.models.inbound import Door
from tests import spine


@dataclass
class Till:
    """What the provider was asked to give back, by key."""

    refunds: dict[str, RefundPayment] = field(default_factory=dict)
    broken: Exception | None = None


TILL = Till()


@dataclass(frozen=True)
class _Config:
    secret: str = option(say("Secret"), secret=True)


class StandinProvider(Connector):
    code, label = "standin-provider", "Stand-in provider"
    roles = frozenset({Role.PAYMENT, Role.BANK})
    capabilities = frozenset({Capability.REFUND})
    Config = _Config

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        return [report_of(delivery.topic, codec.load_object(delivery.body))]

    def send(self, command: Command) -> Written:
        assert isinstance(command, RefundPayment)
        if TILL.broken:
            raise TILL.broken
        TILL.refunds.setdefault(command.key, command)
        return Written(external_id=f"re_{command.key}")

    def find(self, command: Command) -> Written | None:
        known = getattr(command, "key", "") in TILL.refunds
        return Written(external_id=f"re_{getattr(command, 'key', '')}", was_there=True) if known else None

    def check(self) -> Sequence[Finding]:
        return []


NOON = "2026-11-20T12:00:00Z"


def _amount(found: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(found[name]) if name in found else None


def _at(found: dict[str, Any], name: str) -> Any:
    return codec.utc(found.get(name, NOON), name)


def report_of(topic: str, found: dict[str, Any]) -> Report:
    readers: dict[str, Callable[[dict[str, Any]], Report]] = {
        "payout": payout_report,
        "dispute": dispute_report,
        "statement": statement_report,
    }
    return readers.get(topic, transaction_report)(found)


def transaction_report(found: dict[str, Any]) -> TransactionReport:
    currency = found.get("currency", "EUR")
    fees = tuple(ReportedFee(kind=FeeKind(kind), amount=Decimal(amount)) for kind, amount in found.get("fees", []))
    gross = Decimal(found["gross"])
    settled = _amount(found, "settled")
    total = sum((fee.amount for fee in fees), Decimal(0))
    return TransactionReport(
        external_id=found["id"],
        kind=TransactionKind(found.get("kind", "CAPTURE")),
        state=TransactionState(found.get("state", "SUCCEEDED")),
        vendor_status=found.get("status", "ok"),
        occurred_at=_at(found, "at"),
        updated_at=_at(found, "updated"),
        gross=gross,
        currency=currency,
        settlement_currency=found.get("settlement_currency", currency if settled is not None else ""),
        settled_gross=settled,
        fees=fees,
        net=_amount(found, "net") if "net" in found else (settled - total if settled is not None else None),
        reserve=Decimal(found.get("reserve", "0")),
        rate=_amount(found, "rate"),
        parent_id=found.get("parent", ""),
        payout_id=found.get("payout", ""),
        method=found.get("method", "card"),
        country=found.get("country", ""),
        card=found.get("card", ""),
        hints=Hints(
            order_reference=found.get("order", ""),
            payment_ids=tuple(found.get("ids", ())),
            text=found.get("text", ""),
            name=found.get("name", ""),
            email=found.get("email", ""),
        ),
        is_test=found.get("test", False),
    )


def payout_report(found: dict[str, Any]) -> PayoutReport:
    return PayoutReport(
        external_id=found["id"],
        stage=PayoutStage(found.get("stage", "PAID")),
        vendor_status=found.get("status", "paid"),
        amount=Decimal(found["amount"]),
        currency=found.get("currency", "EUR"),
        created_at=_at(found, "at"),
        updated_at=_at(found, "updated"),
        reference=found.get("reference", ""),
        has_items=found.get("has_items", True),
        items=tuple(found["items"]) if "items" in found else None,
        balance_before=_amount(found, "before"),
        balance_after=_amount(found, "after"),
    )


def dispute_report(found: dict[str, Any]) -> DisputeReport:
    return DisputeReport(
        external_id=found["id"],
        transaction_id=found["payment"],
        stage=DisputeStage(found.get("stage", "NEEDS_RESPONSE")),
        vendor_status=found.get("status", "needs_response"),
        amount=Decimal(found["amount"]),
        currency=found.get("currency", "EUR"),
        opened_at=_at(found, "at"),
        updated_at=_at(found, "updated"),
        reason=found.get("reason", "fraudulent"),
        evidence_due=_at(found, "due"),
        fee=Decimal(found.get("fee", "0")),
    )


def statement_report(found: dict[str, Any]) -> StatementReport:
    day = _at(found, "at").date()
    lines = tuple(
        StatementLine(
            key=line["key"],
            booked_on=_at(line, "at").date(),
            amount=Decimal(line["amount"]),
            name=line.get("name", ""),
            text=line.get("text", ""),
        )
        for line in found["lines"]
    )
    return StatementReport(
        account=found.get("account", "DE02120300000000202051"),
        number=found["number"],
        currency=found.get("currency", "EUR"),
        opening=_amount(found, "opening"),
        closing=_amount(found, "closing"),
        opened_on=day,
        closed_on=day,
        lines=lines,
    )


def tell(connection: Connection, *found: dict[str, Any], topic: str = "transaction") -> None:
    """The provider says this, all in one delivery, and the hub works it off."""
    inbox.store(
        connection,
        [Delivery(topic, one.get("id", one.get("number", "")), codec.canonical(one)) for one in found],
        Door.WEBHOOK,
    )
    spine.run()


def capture(id: str = "ch_1", gross: str = "28.70", **more: Any) -> dict[str, Any]:
    """A settled card payment with a processing fee."""
    fee = Decimal(more.pop("fee", "0.68"))
    return {"id": id, "gross": gross, "settled": gross, "fees": [["PROCESSING", str(fee)]] if fee else []} | more
