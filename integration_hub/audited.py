"""What the audit trail is about: every table of ours, but those named here with the reason why not."""

from __future__ import annotations

from integration_hub.backoffice.trail import Scope
from integration_hub.messaging.guards import guarded_tables

_QUEUE = "state of the queue; what came in and went out is kept in messages, attempts and activity"
_DERIVED = "computed from other rows and computed again at any time"
_MEASURED = "a measurement of the hub's own, replaced by the next one"

EXEMPT = dict.fromkeys(guarded_tables(), "can only grow, so each row is its own proof") | {
    "integration_hub_pollstate": _QUEUE,
    "integration_hub_inboundevent": _QUEUE,
    "integration_hub_outboundcommand": _QUEUE,
    "integration_hub_breaker": _QUEUE,
    "integration_hub_duty": _QUEUE,
    "integration_hub_heartbeat": _QUEUE,
    "integration_hub_figure": _MEASURED,
    "integration_hub_firstlook": _MEASURED,
    "integration_hub_figuresample": _MEASURED,
    "integration_hub_alert": _QUEUE,
    "integration_hub_alertdelivery": _QUEUE,
    "exceptions_casesubject": _DERIVED,
    "exceptions_jobrow": "what a job did is in the activity of its cases and objects; the job itself is audited",
    "inventory_stocklevel": "the sum of the movements, which can only grow",
    "inventory_channelavailability": _DERIVED,
    "inventory_drift": _MEASURED,
    "inventory_comparison": _MEASURED,
    "inventory_unplacedlevel": _MEASURED,
    "inventory_stockdifference": _MEASURED,
    "orders_daytally": _MEASURED,
    "accounting_exportchunk": "a part of a file whose digest stands in its row, which is audited",
    "orders_difference": _MEASURED,
    "payments_openitem": _DERIVED,
    "payments_unassigned": _DERIVED,
    "payments_candidate": _DERIVED,
    "payments_feecheck": _DERIVED,
    "payments_progress": _DERIVED,
}

IGNORED = {
    "integration_hub_user": ("last_login",),
    "integration_hub_apitoken": ("last_used_at",),
    "integration_hub_alertchannel": ("broken_since", "last_error", "last_sent_at", "digested_on"),
    "exceptions_exceptioncase": (
        *("params", "data", "expected", "found", "amount", "size", "occurrences", "first_seen_at", "last_seen_at"),
        "rules_tried",
    ),
    "orders_order": ("source_updated_at", "digest"),
}

SECRET = {
    "integration_hub_user": ("password",),
    "integration_hub_apitoken": ("digest", "token_key"),
    "integration_hub_connection": ("sealed",),
    "integration_hub_alertchannel": ("sealed",),
}

ALWAYS = (
    "auth_group",
    "auth_group_permissions",
    "integration_hub_user",
    "integration_hub_user_groups",
    "integration_hub_user_user_permissions",
    "integration_hub_apitoken",
    "integration_hub_connection",
    "integration_hub_processswitch",
)

SCOPE = Scope(
    exempt=EXEMPT, ignored=IGNORED, secret=SECRET, always=ALWAYS, borrowed=("auth_group", "auth_group_permissions")
)
