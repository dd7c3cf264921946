"""The hub's own tables: connections, what came in, what goes out, what is called how elsewhere, who did what."""

from .access import ApiToken, User
from .activity import Activity, Heartbeat
from .alert import Alert, AlertChannel, AlertDelivery, AlertRule, AlertSubscription, FigureSample
from .audit import AuditEntry, Seal
from .breaker import Breaker
from .connection import Connection, PollState, ProcessSwitch
from .duty import Duty
from .figure import Figure
from .inbound import InboundEvent
from .look import FirstLook
from .outbound import Attempt, OutboundCommand
from .reference import ExternalReference

__all__ = [
    "Activity",
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "AlertRule",
    "AlertSubscription",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Breaker",
    "Connection",
    "Duty",
    "ExternalReference",
    "Figure",
    "FigureSample",
    "FirstLook",
    "Heartbeat",
    "InboundEvent",
    "OutboundCommand",
    "PollState",
    "ProcessSwitch",
    "Seal",
    "User",
]
