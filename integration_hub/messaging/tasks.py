"""What django-q2 runs: one task, safe to run twice, lost without loss."""

from __future__ import annotations

from . import pump as pumps


def pump(lane: str) -> int:
    """Work one lane until it is empty or 20 seconds are over."""
    return pumps.run(lane)
