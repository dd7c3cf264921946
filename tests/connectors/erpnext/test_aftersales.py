"""Cancelling and taking back in ERPNext: what is packed stays, what came back is where it belongs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors._erpnext_cancel import _UPDATE
from integration_hub.kernel.errors import HubError, Rejected
from integration_hub.kernel.messages import Command, Written
from integration_hub.sandbox.erpnext_stock import MAIN, REJECTED
from tests.connectors.world import outside

from .mine import POT, Erp, back, cancel, connector, goods, sale_line


def send(erp: Erp, command: Command, **changes: Any) -> Written:
    with outside(erp):
        return connector(**changes).send(command)


def find(erp: Erp, command: Command) -> Written | None:
    with outside(erp):
        return connector().find(command)


def refused(erp: Erp, command: Command, **changes: Any) -> HubError:
    with outside(erp), pytest.raises(HubError) as caught:
        connector(**changes).send(command)
    return caught.value


@pytest.fixture
def erp() -> Erp:
    made = Erp()
    made.sold("H-1")
    return made


def pieces(erp: Erp, reference: str = "H-1") -> dict[str, float]:
    return {row["item_code"]: row["qty"] for row in erp.order(reference)["items"]}


def lying(erp: Erp, sku: str, place: str = MAIN) -> tuple[float, float]:
    (row,) = [row for row in erp.rows("Bin") if (row["item_code"], row["warehouse"]) == (sku, place)]
    return row["actual_qty"], row["reserved_qty"]


def test_a_whole_sale_is_cancelled_and_nothing_is_promised_any_more(erp: Erp) -> None:
    assert lying(erp, "TEE-250") == (1000, 3)
    assert send(erp, cancel("H-1")).vendor_status == "Cancelled"
    assert lying(erp, "TEE-250") == (1000, 0)
    assert send(erp, cancel("H-1")).was_there


def test_pieces_are_taken_out_at_the_same_price(erp: Erp) -> None:
    send(erp, cancel("H-1", goods("TEE-250", 2)))
    assert pieces(erp) == {"TK-100": 1, "TEE-250": 1, "VERSAND": 1}
    assert erp.order("H-1")["grand_total"] == 57.75
    assert lying(erp, "TEE-250") == (1000, 1)


def test_a_line_of_which_nothing_stays_goes(erp: Erp) -> None:
    send(erp, cancel("H-1", goods("TK-100", 1)))
    assert pieces(erp) == {"TEE-250": 3, "VERSAND": 1}


def test_two_wishes_are_two_and_each_only_once(erp: Erp) -> None:
    for _ in range(2):
        send(erp, cancel("H-1", goods("TEE-250", 1), key="C1"))
    for _ in range(2):
        send(erp, cancel("H-1", goods("TEE-250", 1), key="C2"))
    assert pieces(erp)["TEE-250"] == 1
    assert len(erp.rows("Comment")) == 2


def test_what_has_left_is_not_cancelled(erp: Erp) -> None:
    erp.ship("H-1", partial=True)  # the pot and a tea
    for wish in (cancel("H-1"), cancel("H-1", goods("TK-100", 1)), cancel("H-1", goods("TEE-250", 3))):
        error = refused(erp, wish)
        assert (type(error), error.code) == (Rejected, "already_shipped")
    send(erp, cancel("H-1", goods("TEE-250", 2)))
    assert pieces(erp) == {"TK-100": 1, "TEE-250": 1, "VERSAND": 1}


def test_what_is_being_packed_is_not_cancelled(erp: Erp) -> None:
    """A draft of a delivery note is on the packing table."""
    docs = erp.erp.docs
    with docs.transaction():
        made = erp.erp._methods["erpnext.selling.doctype.sales_order.sales_order.make_delivery_note"]
        note = made({"source_name": erp.order("H-1")["name"]})
        docs.put("Delivery Note", docs.new("Delivery Note", note))
    assert refused(erp, cancel("H-1")).code == "already_shipped"


def test_more_than_was_ordered_or_something_else_is_refused(erp: Erp) -> None:
    assert refused(erp, cancel("H-1", goods("TEE-250", 4))).code == "already_shipped"
    assert refused(erp, cancel("H-1", goods("SIEB-01", 1))).code == "already_shipped"
    assert refused(erp, cancel("H-9")).code == "sale_gone"


def test_a_wish_that_broke_off_after_its_note_is_finished(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(given: Any) -> None:
        raise ValueError("worker died")

    wish = cancel("H-1", goods("TEE-250", 2))
    with monkeypatch.context() as broken:
        broken.setitem(erp.erp._methods, _UPDATE, no)
        refused(erp, wish)
    found = find(erp, wish)
    assert found is not None
    assert found.unfinished
    assert send(erp, wish).was_there
    assert pieces(erp)["TEE-250"] == 1


def test_a_draft_is_cancelled_too() -> None:
    erp = Erp()
    erp.sold("H-1", confirm=False)
    assert send(erp, cancel("H-1")).vendor_status == "Cancelled"


def test_pieces_of_a_draft_are_taken_out_too() -> None:
    erp = Erp()
    erp.sold("H-1", confirm=False)
    send(erp, cancel("H-1", goods("TEE-250", 2)))
    assert pieces(erp) == {"TK-100": 1, "TEE-250": 1, "VERSAND": 1}
    assert (erp.order("H-1")["status"], erp.order("H-1")["grand_total"]) == ("Draft", 57.75)


def test_everything_taken_out_line_by_line_is_the_whole() -> None:
    erp = Erp()
    erp.sold("H-2", POT)
    assert send(erp, cancel("H-2", goods("TK-100", 1))).vendor_status == "Cancelled"
    assert send(erp, cancel("H-2", goods("TK-100", 1))).was_there


def test_a_set_goes_and_comes_back_with_its_parts(erp: Erp) -> None:
    erp.sold("H-2", sale_line("49.90", "41.93", sku="SET-TEE"))
    assert lying(erp, "TEE-250") == (1000, 5)  # three of them for the other sale
    erp.ship("H-2")
    assert (lying(erp, "TK-100"), lying(erp, "TEE-250")) == ((999, 1), (998, 3))
    send(erp, back("H-2", goods("SET-TEE", 1)))
    assert (lying(erp, "TK-100"), lying(erp, "TEE-250")) == ((1000, 1), (1000, 3))


def test_what_erpnext_does_not_cancel_is_a_case_in_its_words(erp: Erp) -> None:
    erp.levers._status(erp.order("H-1"), "Closed")
    error = refused(erp, cancel("H-1"))
    assert (error.code, str(error.text)) == (
        "refused",
        "ERPNext refused it: Closed order cannot be cancelled. Unclose to cancel.",
    )


def test_goods_that_came_back_are_on_the_shelf(erp: Erp) -> None:
    erp.ship("H-1")
    assert lying(erp, "TEE-250") == (997, 0)
    written = send(erp, back("H-1", goods("TEE-250", 2)))
    assert written.vendor_status == "Return"
    assert lying(erp, "TEE-250") == (999, 0)
    (note,) = [row for row in erp.rows("Delivery Note") if row["is_return"]]
    assert (note["po_no"], note["return_against"], note["instructions"]) == (
        "H-1/R1",
        "MAT-DN-2026-00001",
        "gefällt nicht",
    )


def test_what_is_not_sold_again_lies_apart(erp: Erp) -> None:
    erp.ship("H-1")
    send(erp, back("H-1", goods("TEE-250", 1), goods("TEE-250", 2, restock=False)))
    assert (lying(erp, "TEE-250")[0], lying(erp, "TEE-250", REJECTED)[0]) == (998, 2)


def test_without_a_warehouse_for_it_nothing_is_written_off(erp: Erp) -> None:
    erp.ship("H-1")
    error = refused(erp, back("H-1", goods("TEE-250", 1, restock=False)), scrap_warehouse="")
    assert error.code == "no_scrap_warehouse"
    assert not [row for row in erp.rows("Delivery Note") if row["is_return"]]


def test_goods_of_two_parcels_come_back_on_two_notes(erp: Erp) -> None:
    erp.ship("H-1", partial=True)
    erp.ship("H-1")
    written = send(erp, back("H-1", goods("TEE-250", 3)))
    notes = [row for row in erp.rows("Delivery Note") if row["is_return"]]
    assert {row["return_against"] for row in notes} == {"MAT-DN-2026-00001", "MAT-DN-2026-00002"}
    assert (written.number, lying(erp, "TEE-250")[0]) == ("MAT-DN-2026-00003, MAT-DN-2026-00004", 1000)


def test_expected_goods_are_a_draft_until_they_are_here(erp: Erp) -> None:
    erp.ship("H-1")
    assert send(erp, back("H-1", goods("TEE-250", 2), received=False)).vendor_status == "Draft"
    assert lying(erp, "TEE-250")[0] == 997
    found = find(erp, back("H-1", goods("TEE-250", 2)))
    assert found is not None
    assert found.unfinished
    written = send(erp, back("H-1", goods("TEE-250", 1), goods("TEE-250", 1, restock=False)))
    assert (written.vendor_status, written.was_there) == ("Return", True)
    assert (lying(erp, "TEE-250")[0], lying(erp, "TEE-250", REJECTED)[0]) == (998, 1)


def test_fewer_than_expected_came_back(erp: Erp) -> None:
    erp.ship("H-1")
    send(erp, back("H-1", goods("TEE-250", 2), received=False))
    send(erp, back("H-1", goods("TEE-250", 1)))
    assert lying(erp, "TEE-250")[0] == 998


def test_not_more_comes_back_than_is_with_the_customer(erp: Erp) -> None:
    assert refused(erp, back("H-1", goods("TEE-250", 1))).code == "more_than_sold"
    erp.ship("H-1")
    erp.levers._back({"order": "H-1", "sku": "TEE-250", "pieces": 2})  # a colleague took two
    error = refused(erp, back("H-1", goods("TEE-250", 2)))
    assert (error.code, error.text.params["pieces"]) == ("more_than_sold", Decimal(1))
    assert refused(erp, back("H-9", goods("TEE-250", 1))).code == "sale_gone"


def test_a_return_that_was_cancelled_there_is_a_case(erp: Erp) -> None:
    erp.ship("H-1")
    wish = back("H-1", goods("TEE-250", 2))
    written = send(erp, wish)
    with erp.erp.docs.transaction():
        note = erp.erp.docs.get("Delivery Note", written.external_id)
    with outside(erp):
        connector()._api.update("Delivery Note", note, {"docstatus": 2})
    assert refused(erp, wish).code == "return_cancelled"
