"""The failpoint strikes after the other system has written, and for longer than a lease."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos import naps


@pytest.mark.parametrize(("rate", "slept"), [(1.0, 1), (0.0, 0)])
def test_who_has_sent_oversleeps_its_lease(
    rate: float, slept: int, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("chaos.naps.time.sleep", done.append)
    assert naps._drowsy(str.upper, rate)("written") == "WRITTEN"
    assert done == [settings.HUB_COMMAND_LEASE + naps.OVERSLEEP] * slept
    assert naps.taken(tmp_path) == slept


def test_who_could_not_send_does_not_sleep(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path

    def refuse(_command: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        naps._drowsy(refuse, 1.0)("a sale")
    assert naps.taken(tmp_path) == 0
