"""Reports of special cases become calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.aftersales import AfterSaleReport
from integration_hub.kernel.messages import SaleRecorded
from integration_hub.models import Connection, InboundEvent

from . import services


def reported(channel: Connection, report: AfterSaleReport, event: InboundEvent) -> str | None:
    return services.record(channel, report, event)


def sales_recorded(news: Sequence[SaleRecorded]) -> None:
    services.written([one.order_id for one in news])
