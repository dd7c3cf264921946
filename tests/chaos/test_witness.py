"""A request that leaves while a transaction is open is written down, also one of a thread that was started within it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from chaos import breaks, witness
from integration_hub.messaging import outbox, volleys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sends(settings: Any, tmp_path: Path) -> Callable[[], int]:
    """Send something under the witness's eye; how many requests it has written down by then."""
    settings.DATA_DIR = tmp_path

    def send() -> int:
        assert witness._watched(str.upper)("sent") == "SENT"
        return witness.seen(tmp_path)

    return send


def in_a_thread(work: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(threading.Thread, "start", witness._marked(threading.Thread.start))
    found: list[int] = []

    def run() -> None:
        found.append(work())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_only_what_leaves_within_a_transaction_is_written_down(sends: Callable[[], int]) -> None:
    assert sends() == 0
    with transaction.atomic():
        assert sends() == 1
    assert sends() == 1


def test_a_thread_knows_what_it_was_started_in(sends: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_a_thread(sends, monkeypatch) == 0
    with transaction.atomic():
        assert in_a_thread(sends, monkeypatch) == 1


def test_the_hub_broken_on_purpose_sends_within_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    for module, name in ((outbox, "_deliver"), (volleys, "fly")):
        monkeypatch.setattr(module, name, lambda *_: seen.append(witness.entangled()))
    breaks.http_in_transaction()
    outbox._deliver(None)  # type: ignore[arg-type]
    volleys.fly([], None, 0.0, None)  # type: ignore[arg-type]
    assert seen == [True, True]
