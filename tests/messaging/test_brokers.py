"""Kicks in the database: bounded, and never in the way of later ones."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from integration_hub.messaging.brokers import MOST, DatabaseKicks

pytestmark = pytest.mark.django_db


def test_no_more_kicks_wait_than_make_sense() -> None:
    broker = DatabaseKicks("hub")
    assert sum(broker.enqueue("kick") is not None for _ in range(MOST + 5)) == MOST
    assert (broker.queue_size(), OrmQ.objects.count()) == (MOST, MOST)


def test_kicks_that_nobody_acknowledges_do_not_keep_later_ones_out() -> None:
    """What a cluster does whose monitor was killed: it takes kicks, and never says that it is through with one."""
    broker = DatabaseKicks("hub")
    for _ in range(2 * MOST):
        broker.enqueue("kick")
        taken = broker.dequeue()
        assert taken
        assert taken[0][1] == "kick"
    assert broker.enqueue("kick") is not None
    assert broker.queue_size() == 1


def test_a_kick_is_taken_once_and_oldest_first() -> None:
    broker, other = DatabaseKicks("hub"), DatabaseKicks("batch")
    for name in ("first", "second"):
        broker.enqueue(name)
    other.enqueue("elsewhere")
    taken = [row for _ in range(2) for row in broker.dequeue() or []]
    assert [name for _number, name in taken] == ["first", "second"]
    broker.acknowledge(taken[0][0])  # what is gone may be acknowledged
    assert other.queue_size() == 1
