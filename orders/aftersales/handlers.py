"""Reports of special cases become calls of services; translation only."""

from __future__ import annotations

from integration_hub.kernel.aftersales import AfterSaleReport
from integration_hub.models import Connection, InboundEvent

from . import services


def reported(channel: Connection, report: AfterSaleReport, event: InboundEvent) -> str | None:
    return services.record(channel, report, event)
