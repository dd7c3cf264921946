"""Two webhooks of one second, in the wrong order: nobody can tell which is newer, so the shop is asked."""

from __future__ import annotations

from typing import Any

import pytest

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox, pump
from integration_hub.models import Connection, PollState
from integration_hub.models.inbound import Door
from inventory.models import Variant
from orders.models import Order
from tests import standin

pytestmark = pytest.mark.django_db
LATER = "2099-01-01T00:00:00Z"


def say(shop: Connection, door: str, **changes: Any) -> None:
    body = codec.canonical(standin.order(1, **changes))
    inbox.store(shop, [Delivery(f"order.{door.lower()}", "1", body)], door)
    pump.drain(lanes=("in",))


@pytest.fixture(autouse=True)
def known(joined: Connection) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    say(joined, Door.WEBHOOK)
    PollState.objects.update(due_at=LATER)


def test_the_older_of_two_webhooks_does_not_win(joined: Connection) -> None:
    say(joined, Door.WEBHOOK, stage="PENDING", paid=False)
    assert Order.objects.get().stage == "READY"
    assert PollState.objects.get(connection=joined, stream="orders").due_at.year < 2099


def test_what_the_poll_shows_of_that_second_counts(joined: Connection) -> None:
    say(joined, Door.POLL, stage="CANCELLED")
    assert Order.objects.get().stage == "CANCELLED"


def test_a_repeat_in_other_words_asks_nobody(joined: Connection) -> None:
    say(joined, Door.WEBHOOK, total="28.7000")
    assert PollState.objects.get(connection=joined, stream="orders").due_at.year == 2099
