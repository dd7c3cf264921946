"""A backfill and what is new: neither waits for the other."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.inbound import Door
from tests import spine, standin

from .running import Books, until, worker

pytestmark = pytest.mark.django_db(transaction=True)
PAST = 2_000


def backfill(shop: Connection, count: int) -> None:
    """What the first poll of a shop with a history brings."""
    past = [Delivery("order.polled", str(n), codec.canonical(standin.order(n))) for n in range(1, count + 1)]
    inbox.store(shop, past, Door.POLL, backfill=True)


def done(**of: object) -> int:
    return InboundEvent.objects.filter(state="DONE", **of).count()


def test_a_new_order_is_through_at_once_while_a_backfill_runs(sold: Connection, books: Books, tmp_path: Path) -> None:
    backfill(sold, PAST)
    with worker(tmp_path, books) as running:
        running.until(lambda: done(bulk=True), 60, "the first event of the backfill")
        for number in (90_001, 90_002):
            assert spine.deliver(standin.order(number)).status_code == 200
            took = until(partial(_is_written, books, f"laden:{number}"), 5, "a new order")
            assert took < 5
        waiting = InboundEvent.objects.filter(bulk=True, state="DUE").count()
        assert waiting > PAST / 10  # the backfill was far from over
        before = done(bulk=True)
        running.until(lambda: done(bulk=True) > before, 30, "more of the backfill")
    assert books.doubled() == []


def test_new_orders_do_not_hold_up_a_backfill(sold: Connection, books: Books, tmp_path: Path) -> None:
    """The one realtime worker is busy with a slow ERP; the backfill is taken up all the same."""
    for number in range(1, 21):
        spine.say(sold, standin.order(number))
    with worker(tmp_path, books, STANDIN_DELAY="1") as running:
        running.until(lambda: len(books.written()) > 1, 60, "the first slow sale")
        backfill_of = [Delivery("order.polled", "70001", codec.canonical(standin.order(70_001)))]
        inbox.store(sold, backfill_of, Door.POLL, backfill=True)
        running.until(lambda: done(bulk=True) == 1, 10, "the backfilled event")
        assert len(books.written()) < 20


def _is_written(books: Books, reference: str) -> bool:
    return reference in books.written()
