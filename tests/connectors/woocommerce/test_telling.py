"""The WooCommerce connector tells a shop in memory what became of its orders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater, Unsupported
from integration_hub.kernel.messages import TellAccepted, TellShipped
from tests.connectors.world import outside

from .mine import ACCEPTED, CANCELLED, PARCEL, SHIPPED, settings
from .payloads import order
from .shop import Shop


def connect(**changes: Any) -> WooCommerce:
    return WooCommerce(WooCommerce.Config(**settings(**changes)), Http())


def test_accepted_is_a_private_note() -> None:
    shop = Shop()
    with outside(shop):
        written = connect().send(ACCEPTED)
    (note,) = shop.notes
    assert "In Tryton as S/9." in note["note"]
    assert note["customer_note"] is False
    assert (written.external_id, written.number, written.vendor_status) == ("4711", "R-4711", "processing")
    assert shop.puts == []


def test_accepted_under_another_number_is_another_note() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(ACCEPTED)
        connect().send(TellAccepted(reference="R1", order_id="4711", sale_number="S/10", erp="Tryton"))
    assert len(shop.notes) == 2


def test_accepted_sets_the_status_that_the_merchant_chose() -> None:
    shop = Shop()
    with outside(shop):
        assert connect(accepted_status="in-arbeit").send(ACCEPTED).vendor_status == "in-arbeit"
    assert shop.puts == [{"status": "in-arbeit"}]


@pytest.mark.parametrize("status", ["completed", "cancelled", "refunded", "trash"])
def test_a_late_acceptance_does_not_reopen_an_order(status: str) -> None:
    shop = Shop(order(status=status))
    with outside(shop):
        connect(accepted_status="processing").send(ACCEPTED)
    assert shop.puts == []


def test_the_last_parcel_completes_the_order_and_the_first_does_not() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(TellShipped(reference="R1", order_id="4711", parcel=PARCEL, complete=False))
        assert shop.puts == []
        connect().send(SHIPPED)
    assert shop.puts == [{"status": "completed"}]
    assert len(shop.notes) == 1
    assert "00340" in shop.notes[0]["note"]


def test_shipping_does_not_complete_a_cancelled_order() -> None:
    shop = Shop(order(status="cancelled"))
    with outside(shop):
        assert connect().send(SHIPPED).vendor_status == "cancelled"
    assert shop.puts == []


def test_the_customer_is_told_if_the_merchant_wants_it() -> None:
    shop = Shop()
    with outside(shop):
        connect(tracking="customer_note").send(SHIPPED)
    assert shop.notes[0]["customer_note"] is True


def test_the_tracking_plugin_gets_the_number_once() -> None:
    shop = Shop(plugin=True)
    with outside(shop):
        connect(tracking="shipment_tracking").send(SHIPPED)
        assert connect(tracking="shipment_tracking").send(SHIPPED).was_there
    assert [entry["tracking_number"] for entry in shop.trackings] == ["00340"]
    assert shop.notes == []


def test_without_the_plugin_a_note_says_it() -> None:
    shop = Shop(plugin=False)
    with outside(shop):
        connect(tracking="shipment_tracking").send(SHIPPED)
        assert connect(tracking="shipment_tracking").send(SHIPPED).was_there
    assert len(shop.notes) == 1


def test_cancelled_is_a_note_and_a_status_only_if_wished() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(CANCELLED)
        assert shop.puts == []
        connect(cancelled_status="cancelled").send(CANCELLED)
    assert shop.puts == [{"status": "cancelled"}]
    assert len(shop.notes) == 1


@pytest.mark.parametrize("order_id", ["", "..", "1/../2", "x", "９"])
def test_an_order_id_is_a_number(order_id: str) -> None:
    with pytest.raises(Rejected):
        connect().send(TellAccepted(reference="R1", order_id=order_id, sale_number="S", erp="T"))


def test_an_order_that_is_gone_is_rejected() -> None:
    with outside(Shop(order(id=1))), pytest.raises(Rejected) as caught:
        connect().send(ACCEPTED)
    assert "does not hold" in str(caught.value)


def test_a_sale_is_nothing_for_a_shop() -> None:
    with pytest.raises(Unsupported):
        connect().find("WriteSale")  # type: ignore[arg-type]


class ReadOnly(Shop):
    """A shop whose key may read only; WooCommerce says 401 then, not 403."""

    def answer(self, request: Any) -> Any:
        if self.is_write(request):
            return 401, {}, '{"code":"woocommerce_rest_cannot_create","message":"Sorry, not allowed."}'
        return super().answer(request)


class Refusing(Shop):
    """WooCommerce says 500 for what it does not want; that is no outage."""

    code = "woocommerce_rest_cannot_create_order_refund"

    def answer(self, request: Any) -> Any:
        if self.is_write(request):
            return 500, {}, json.dumps({"code": self.code, "message": "Invalid amount.", "data": 500})
        return super().answer(request)


class Broken(Refusing):
    """A fatal PHP error is JSON as well, and is one."""

    code = "internal_server_error"


def test_a_read_only_key_is_named_as_such() -> None:
    with outside(ReadOnly()), pytest.raises(Misconfigured) as caught:
        connect().send(ACCEPTED)
    assert "Read/Write" in str(caught.value)


def test_a_refusal_with_status_500_is_not_repeated() -> None:
    with outside(Refusing()), pytest.raises(Rejected) as caught:
        connect().send(ACCEPTED)
    assert "Invalid amount." in str(caught.value)


def test_a_real_fault_with_status_500_is_repeated() -> None:
    with outside(Broken()), pytest.raises(RetryLater) as caught:
        connect().send(ACCEPTED)
    assert caught.value.maybe_written
