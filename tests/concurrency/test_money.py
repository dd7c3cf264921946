"""Money under fire: nothing refunded twice, no payment tied twice, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db.models import Sum

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError
from integration_hub.messaging import inbox
from integration_hub.models import Connection, User
from integration_hub.models.inbound import Door
from orders.models import Order
from payments import chores, refunds
from payments.models import Allocation, OpenItem, Payout, PayoutItem, Refund, Transaction
from tests import spine, standin
from tests.conftest import make_connection
from tests.payments import provider

from .together import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def psp(db: None) -> Connection:
    provider.TILL = provider.Till()
    return make_connection(provider.StandinProvider.code, "stripe", "PAYMENT")


def test_two_people_cannot_refund_the_same_money(
    shop: Connection, psp: Connection, person: Callable[..., User]
) -> None:
    spine.say(shop, standin.order(7))
    spine.run()
    provider.tell(psp, provider.capture(order="7"))
    order, people = Order.objects.get(), [person("finance", name) for name in ("a", "b", "c", "d")]

    def ask(who: User) -> None:
        try:
            refunds.request(order, Decimal(20), by=who, why="at the same time")
        except HubError:
            return

    together(*[partial(ask, who) for who in people])
    given = Refund.objects.exclude(state__in=["FAILED", "DECLINED"]).aggregate(sum=Sum("amount"))["sum"]
    assert given == Decimal(20)


def test_many_workers_tie_each_payment_once_and_explain_the_payout(shop: Connection, psp: Connection) -> None:
    for number in range(1, 21):
        spine.say(shop, standin.order(number))
        said = provider.capture(f"ch_{number}", order=str(number), payout="po_1")
        inbox.store(psp, [Delivery("transaction", said["id"], codec.canonical(said))], Door.WEBHOOK)
    payout = {"id": "po_1", "amount": "560.40"}
    inbox.store(psp, [Delivery("payout", "po_1", codec.canonical(payout))], Door.WEBHOOK)
    together(*[spine.run] * 4)
    spine.later()
    assert Transaction.objects.count() == PayoutItem.objects.count() == 20
    assert (Payout.objects.get().explained, Payout.objects.get().remainder) == (Decimal("560.40"), 0)
    late = list(Transaction.objects.filter(unassigned__isnull=False).values_list("pk", flat=True))
    assert Allocation.objects.count() + len(late) == 20
    provider.tell(psp, {"id": "ch_last", "gross": "0.01"})
    chores.find_orders()
    chores.bring_up_to_date()
    assert Allocation.objects.count() == 20
    assert set(OpenItem.objects.values_list("state", flat=True)) == {"PAID"}
