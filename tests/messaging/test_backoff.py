"""Pauses between tries: they grow, they differ, and they end."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from integration_hub.messaging import tries


@given(st.integers(min_value=0, max_value=10**6))
def test_backoff_is_bounded_and_jittered(attempts: int) -> None:
    pause = tries.backoff(attempts)
    assert timedelta(seconds=0.5) <= pause <= 1.5 * tries.LONGEST_WAIT


def test_backoff_grows() -> None:
    assert max(tries.backoff(1) for _ in range(50)) < min(tries.backoff(4) for _ in range(50))
    assert len({tries.backoff(8) for _ in range(20)}) > 1
