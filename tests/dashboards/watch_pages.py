"""Who may see the audit trail and the alerts, and who may set them up."""

from __future__ import annotations

from typing import Any

from integration_hub.models import Alert, AlertChannel, AlertRule

AUDITORS = {"auditor", "administrator"}
INTEGRATORS = {"integrator", "administrator"}
WORKERS = {"finance", "operations", "integrator", "administrator"}
CASES = WORKERS | {"auditor"}

PAGES: dict[str, set[str]] = {
    "audit": AUDITORS,
    "alerts": CASES,
    "alert_channels": CASES,
    "alert_channel": CASES,
    "alert_channel_new": INTEGRATORS,
    "alert_channel_edit": INTEGRATORS,
    "alert_rules": CASES,
    "alert_rule": INTEGRATORS,
    "alert_rule_new": INTEGRATORS,
}
DEEDS: dict[str, set[str]] = {
    "alert_action": WORKERS,
    "alert_channel_action": INTEGRATORS,
    "alert_channel_subscribe": {"operations", "integrator", "administrator"},
}


def arguments() -> dict[str, list[Any]]:
    """A channel of operations, a rule, an alert."""
    channel = AlertChannel.objects.get_or_create(name="Schicht", defaults={"form": "EMAIL", "role": "operations"})[0].pk
    rule = AlertRule.objects.get(subject="defect", condition="OPENED")
    alert = Alert.objects.get_or_create(rule=rule, cause="defect:1")[0].pk
    return {
        "alert_channel": [channel],
        "alert_channel_edit": [channel],
        "alert_channel_action": [channel, "alerts.test"],
        "alert_channel_subscribe": [channel],
        "alert_rule": [rule.pk],
        "alert_action": [alert, "alerts.take"],
    }
