"""The Shopify connector tells a shop in memory what became of its orders."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.errors import Rejected, RetryLater, Unsupported
from integration_hub.kernel.messages import TellAccepted, TellShipped
from tests.connectors.world import Fault, outside

from .mine import ACCEPTED, CANCELLED, PARCEL, SHIPPED, settings
from .shop import Shop


def connect(**changes: Any) -> Shopify:
    return Shopify(Shopify.Config(**settings(**changes)), Http())


def shipped(*lines: tuple[str, Any], complete: bool = False, **changes: Any) -> TellShipped:
    held = tuple((line, Decimal(quantity)) for line, quantity in lines)
    parcel = dataclasses.replace(PARCEL, lines=held, **changes)
    return TellShipped(reference="R1", order_id="1", parcel=parcel, complete=complete)


def pieces(shop: Shop) -> list[list[int]]:
    """The pieces of each fulfilment."""
    return [[line["quantity"] for line in made["lines"]] for made in shop.fulfilments]


def test_accepted_is_a_tag_beside_the_others() -> None:
    shop = Shop()
    with outside(shop):
        written = connect().send(ACCEPTED)
    assert shop.tags == ["vip", "ERP:S/9"]
    assert (written.external_id, written.number) == ("1", "#1001")


def test_a_tag_keeps_within_shopifys_limits() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(TellAccepted(reference="R1", order_id="1", sale_number="A,B" + "9" * 60, erp="Tryton"))
    assert shop.tags[1].startswith("ERP:A B9")
    assert len(shop.tags[1]) == 40


def test_cancelled_is_a_tag_and_a_reason_behind_the_buyers_note() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(CANCELLED)
    assert shop.note == "Bitte klingeln\nCancelled in the ERP: out of stock"
    assert "ERP:cancelled" in shop.tags


def test_a_parcel_becomes_a_fulfilment_with_its_tracking() -> None:
    shop = Shop()
    with outside(shop):
        written = connect().send(SHIPPED)
    (made,) = shop.fulfilments
    assert made["trackingInfo"] == {"number": "00340", "company": "DHL", "url": "https://dhl.example/00340"}
    assert made["notifyCustomer"] is True
    assert pieces(shop) == [[2, 1]]
    assert written.external_id == "1"


def test_the_customer_is_not_told_if_the_merchant_does_not_want_it() -> None:
    shop = Shop()
    with outside(shop):
        connect(notify_customer=False).send(SHIPPED)
    assert shop.fulfilments[0]["notifyCustomer"] is False


def test_two_parcels_are_two_fulfilments() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(shipped(("11", 1)))
        connect().send(shipped(("11", 2), ("12", 1), tracking_number="00341", complete=True))
    assert pieces(shop) == [[1], [2, 1]]


def test_a_line_that_waits_at_two_places_takes_two_fulfilments() -> None:
    shop = Shop(("FO1", "L1", 11, 2), ("FO2", "L2", 11, 5), ("FO3", "L1", 12, 1))
    with outside(shop):
        written = connect().send(shipped(("11", 4), ("12", 1)))
    assert pieces(shop) == [[2, 1], [2]]
    assert written.external_id == "1,2"


@pytest.mark.parametrize("command", [shipped(("11", 4)), shipped(complete=True)], ids=["lines", "everything"])
def test_what_got_lost_between_two_places_is_made_up_for(command: TellShipped) -> None:
    shop = Shop(("FO1", "L1", 11, 2), ("FO2", "L2", 11, 2))
    with outside(shop, Fault(before_write=2)), pytest.raises(RetryLater):
        connect().send(command)
    assert pieces(shop) == [[2]]
    with outside(shop):
        assert connect().find(command) is None
        connect().send(command)
        assert connect().send(command).was_there
    assert pieces(shop) == [[2], [2]]


def test_a_last_parcel_without_lines_takes_all_that_is_left() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(shipped(("11", 1)))
        connect().send(shipped(complete=True, tracking_number="00342"))
    assert pieces(shop) == [[1], [2, 1]]


def test_a_parcel_without_tracking_is_known_by_its_own_number() -> None:
    shop = Shop()
    command = shipped(("11", 1), tracking_number="", tracking_url="")
    with outside(shop):
        connect().send(command)
        assert connect().send(command).was_there
    assert shop.fulfilments[0]["trackingInfo"] == {"number": "CS7", "company": "DHL"}


@pytest.mark.parametrize(
    "command",
    [shipped(("11", 4)), shipped(("99", 1)), shipped(("11", "0.5")), shipped()],
    ids=["more than left", "strange line", "half a piece", "no lines"],
)
def test_what_cannot_be_shipped_is_rejected_before_anything_is_written(command: TellShipped) -> None:
    shop = Shop()
    with outside(shop), pytest.raises(Rejected):
        connect().send(command)
    assert shop.made() == []


def test_nothing_left_because_somebody_else_shipped_it_is_rejected() -> None:
    with outside(Shop(("FO1", "L1", 11, 0))), pytest.raises(Rejected):
        connect().send(shipped(complete=True))


@pytest.mark.parametrize("command", [ACCEPTED, SHIPPED, CANCELLED], ids=lambda command: type(command).__name__)
def test_an_order_that_is_gone_is_rejected(command: Any) -> None:
    with outside(Shop()), pytest.raises(Rejected) as caught:
        connect().send(dataclasses.replace(command, order_id="2"))
    assert "does not hold" in str(caught.value)


class Refusing(Shop):
    """Shopify's way to refuse one mutation: status 200 and user errors."""

    def answer(self, request: Any) -> Any:
        if not self.is_write(request):
            return super().answer(request)
        told = {"userErrors": [{"field": ["id"], "message": "Order is locked."}]}
        return 200, {}, json.dumps({"data": {"tagsAdd": told, "fulfillmentCreate": told, "orderUpdate": told}})


@pytest.mark.parametrize("command", [ACCEPTED, SHIPPED, CANCELLED], ids=lambda command: type(command).__name__)
def test_user_errors_are_rejected_in_shopifys_words(command: Any) -> None:
    with outside(Refusing()), pytest.raises(Rejected) as caught:
        connect().send(command)
    assert "Order is locked." in str(caught.value)


def test_a_sale_is_nothing_for_a_shop() -> None:
    with pytest.raises(Unsupported):
        connect().send("WriteSale")  # type: ignore[arg-type]
