"""``manage.py drain``, which stands in for the worker where only cron is possible, works every lane."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from integration_hub.connectors.base import Delivery
from integration_hub.messaging import inbox, pump
from integration_hub.models import Connection, ProcessSwitch
from integration_hub.models.inbound import Door
from inventory.models import Variant
from orders.models import Order
from orders.states import ORDER_TO_ERP
from tests import standin

pytestmark = pytest.mark.django_db


def test_one_run_leaves_nothing_due(shop: Connection, erp: Connection, world: standin.World) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    for number in (1, 2):
        inbox.store(shop, [Delivery("order", str(number), json.dumps(standin.order(number)).encode())], Door.WEBHOOK)
    pump.drain()
    long_ago = timezone.now() - timedelta(days=3650)
    # switched on after the orders came: they are taken up by a lane of their own
    ProcessSwitch.objects.create(channel=shop, process=ORDER_TO_ERP, target=erp, since=long_ago, catch_up_after=0)
    said = StringIO()
    call_command("drain", stdout=said)
    assert len(world.sales) == 2
    assert set(Order.objects.values_list("state", flat=True)) == {"ACCEPTED"}
    assert not any(pump.is_due(lane) for lane in pump.LANES)
    assert said.getvalue().endswith("moved\n")
