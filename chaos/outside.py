"""The played world outside as a child of its own, and the levers that the harness pulls there."""

from __future__ import annotations

import threading
from typing import Any

import requests

# of requests, of which a sale takes a dozen: any more, and the breaker keeps the ERP from being asked most of the time
FAULTS: dict[str, dict[str, float]] = {
    "webhooks": {"duplicate_rate": 0.3, "lost_rate": 0.1, "reorder_window": 2.0},
    "odoo": {
        "latency_ms": 5,
        "error_rate": 0.01,
        "slow_down_rate": 0.005,
        "retry_after": 1,
        "hold_seconds": 2.5,
        "timeout_before_write_rate": 0.003,
        "timeout_after_write_rate": 0.006,
        "drop_before_write_rate": 0.01,
        "drop_after_write_rate": 0.015,
    },
    "woo": {"error_rate": 0.02, "hold_seconds": 2.5, "drop_after_write_rate": 0.03, "timeout_after_write_rate": 0.01},
    "shopify": {"error_rate": 0.02, "hold_seconds": 2.5, "drop_after_write_rate": 0.03},
}


class Outside:
    """The sandbox's control room at ``url``; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()

    def pull(self, lever: str, **given: Any) -> dict[str, Any]:
        answer = self._session().post(f"{self.url}/control/{lever}", json=given, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def look(self, what: str) -> dict[str, Any]:
        answer = self._session().get(f"{self.url}/control/{what}", timeout=120)
        answer.raise_for_status()
        return dict(answer.json())

    def misbehave(self) -> None:
        for target, rates in FAULTS.items():
            self.pull("faults", target=target, **rates)

    def behave(self) -> None:
        """All faults end; what they have struck stays counted."""
        for target, rates in FAULTS.items():
            self.pull("faults", target=target, **dict.fromkeys(rates, 0))

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session
