"""How the sandbox misbehaves when told to: rates and delays per target, drawn for each request or webhook."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

TARGETS = ("woo", "shopify", "odoo", "erpnext", "stripe", "paypal", "mollie", "webhooks")


@dataclass(frozen=True)
class Fault:
    """What goes wrong at one target.  Rates are 0 to 1, ``reorder_window`` and ``hold_seconds`` are seconds."""

    latency_ms: int = 0
    error_rate: float = 0.0
    status: int = 503
    retry_after: int = 0
    timeout_before_write_rate: float = 0.0
    timeout_after_write_rate: float = 0.0
    drop_before_write_rate: float = 0.0
    drop_after_write_rate: float = 0.0
    slow_down_rate: float = 0.0
    hold_seconds: float = 40.0
    duplicate_rate: float = 0.0
    reorder_window: float = 0.0
    lost_rate: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What happens to one request: wait, then refuse (429), fail, drop, hold or carry out, then hold or drop."""

    delay: float = 0.0
    slows: bool = False
    fails: bool = False
    status: int = 503
    retry_after: int = 0
    drop_before: bool = False
    hold_before: bool = False
    hold_after: bool = False
    drop_after: bool = False
    hold: float = 0.0


class Faults:
    """The faults in force and how often each struck."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._of = {target: Fault() for target in TARGETS}
        self.struck: Counter[str] = Counter()

    def set(self, target: str, values: dict[str, Any]) -> Fault:
        """Change some of a target's faults; KeyError for an unknown target, ValueError for an unknown or bad value."""
        kinds = {name: type(value) for name, value in asdict(Fault()).items()}
        unknown = set(values) - set(kinds)
        if unknown:
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")
        with self._lock:
            clean = {name: kinds[name](value) for name, value in values.items()}
            self._of[target] = replace(self._of[target], **clean)
            return self._of[target]

    def clear(self) -> None:
        with self._lock:
            self._of = {target: Fault() for target in TARGETS}
            self.struck.clear()

    def of(self, target: str) -> Fault:
        return self._of[target]

    def as_json(self) -> dict[str, Any]:
        return {
            "in_force": {target: asdict(fault) for target, fault in self._of.items() if fault != Fault()},
            "struck": dict(self.struck),
        }

    def strikes(self, target: str, kind: str) -> bool:
        """Draw one of the rates of a target and count it if it strikes."""
        rate: float = getattr(self._of[target], kind)
        if not rate:
            return False
        with self._lock:
            hit = self._random.random() < rate
            self.struck[f"{target}.{kind}"] += hit
        return hit

    def within(self, seconds: float) -> float:
        """A random delay up to so many seconds."""
        with self._lock:
            return self._random.uniform(0, seconds)

    def plan(self, target: str, writes: bool) -> Plan:
        """Draw what happens to one request."""
        fault = self._of.get(target, Fault())
        if fault == Fault():
            return Plan()
        return Plan(
            delay=fault.latency_ms / 1000,
            slows=self.strikes(target, "slow_down_rate"),
            fails=self.strikes(target, "error_rate"),
            status=fault.status,
            retry_after=fault.retry_after,
            drop_before=writes and self.strikes(target, "drop_before_write_rate"),
            hold_before=writes and self.strikes(target, "timeout_before_write_rate"),
            hold_after=writes and self.strikes(target, "timeout_after_write_rate"),
            drop_after=writes and self.strikes(target, "drop_after_write_rate"),
            hold=fault.hold_seconds,
        )
