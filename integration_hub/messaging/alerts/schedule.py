"""When a message may go out: at once, or when the channel's quiet hours are over, by the merchant's clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from integration_hub.models import AlertChannel
from integration_hub.models.alert import Urgency

_DAY = timedelta(days=1)
_SATURDAY = 5
_WEEK = 8


def now() -> datetime:
    return timezone.now()


def due(channel: AlertChannel, urgency: Urgency, moment: datetime | None = None) -> datetime:
    """When a message of this urgency goes out to the channel."""
    moment = moment or now()
    return moment if urgency == Urgency.NOW else after_quiet(channel, moment)


def after_quiet(channel: AlertChannel, moment: datetime) -> datetime:
    """The first moment from this one on that is not quiet."""
    for _step in range(2 * _WEEK):
        end = _quiet_until(channel, moment)
        if end is None:
            return moment
        moment = end
    return moment


def _quiet_until(channel: AlertChannel, moment: datetime) -> datetime | None:
    """When the quiet time that holds this moment ends; None where it is not quiet."""
    local = timezone.localtime(moment)
    if channel.quiet_weekend and local.weekday() >= _SATURDAY:
        return _at(local + _DAY, time(0))
    start, end = channel.quiet_from, channel.quiet_until
    if start is None or end is None or start == end:
        return None
    clock = local.time()
    if start < end:
        return _at(local, end) if start <= clock < end else None
    if clock >= start:
        return _at(local + _DAY, end)
    return _at(local, end) if clock < end else None


def _at(day: datetime, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(day.date(), clock))
