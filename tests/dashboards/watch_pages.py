"""Who may see the audit trail and the alerts, and who may set them up."""

from __future__ import annotations

AUDITORS = {"auditor", "administrator"}

PAGES: dict[str, set[str]] = {"audit": AUDITORS}
DEEDS: dict[str, set[str]] = {}
