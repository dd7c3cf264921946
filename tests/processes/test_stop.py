"""SIGTERM: what is leased is finished or given back, and nobody has to wait for a lease to run out."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from integration_hub.models import Connection, OutboundCommand
from orders.models import Sale
from tests import spine, standin

from .running import Books, leased, until, worker

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 30


def test_a_stop_under_load_leaves_nothing_leased(sold: Connection, books: Books, tmp_path: Path) -> None:
    for number in range(1, ORDERS + 1):
        spine.say(sold, standin.order(number))
    with worker(tmp_path, books, HUB_WORKERS="2", STANDIN_DELAY="0.3") as running:
        running.until(lambda: len(books.written()) > 3, 60, "the first sales")
        assert running.stop(signal.SIGTERM, 20) == 0
        assert running.left() == []
    assert leased() == 0
    assert 3 < len(books.written()) < ORDERS
    with worker(tmp_path, books, name="next") as running:
        running.until(lambda: Sale.objects.count() == ORDERS, 90, "the rest")
        running.stop(signal.SIGTERM, 20)
    assert (len(books.written()), books.doubled()) == (ORDERS, [])
    assert not OutboundCommand.objects.filter(crashes__gt=0).exists()  # a stop is no crash


def test_what_does_not_end_in_time_is_cut_off_and_looked_up(sold: Connection, books: Books, tmp_path: Path) -> None:
    spine.say(sold, standin.order(1))
    sent = OutboundCommand.objects.filter(verb="sale.write", maybe_sent=True)
    with worker(tmp_path, books, STANDIN_DELAY="60", HUB_STOP_GRACE="2", HUB_UNCLEAR_WAIT="3") as running:
        running.until(lambda: sent.filter(state="LEASED").exists(), 60, "the sale under way")
        assert running.stop(signal.SIGTERM, 20) == 0
        assert running.left() == []
    assert leased() == 0
    row = sent.get()
    assert (row.state, row.lease_token) == ("DUE", None)
    books.path.write_text("laden:1\n")  # the ERP had taken it
    with worker(tmp_path, books, name="next") as running:
        running.until(Sale.objects.exists, 60, "what became of it")
    assert books.written() == ["laden:1"]
    assert row.tries.get().outcome == "FOUND"


def test_workers_whose_parent_was_killed_end_by_themselves(sold: Connection, books: Books, tmp_path: Path) -> None:
    with worker(tmp_path, books) as running:
        running.until(lambda: len(running.left()) >= 8, 60, "all processes")
        running.process.kill()
        running.process.wait()
        until(lambda: not running.left(), 30, "the end of the others")
