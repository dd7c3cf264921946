"""What ERPNext's sales, notes and parcels become: read page by page, told once, and never missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors import _erpnext_poll
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.aftersales import AfterSaleStage, Position
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import SaleReport
from integration_hub.kernel.states import SaleStage
from integration_hub.sandbox.erpnext_schema import FrappeError
from tests.connectors.world import outside

from .mine import Erp, back, cancel, connector, delivery, goods, sale, sold

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def polled(erp: Erp, since: datetime | None = None, **changes: Any) -> list[Delivery]:
    found: list[Delivery] = []
    token: str | None = None
    it = connector(**changes)
    with outside(erp):
        while True:
            page = it.poll("sales", since, token)
            found += page.deliveries
            token = page.token
            if token is None:
                return found


def reports(erp: Erp, since: datetime | None = None, **changes: Any) -> list[SaleReport]:
    found = [report for one in polled(erp, since, **changes) for report in connector().parse(one)]
    return [report for report in found if isinstance(report, SaleReport)]


def only(erp: Erp) -> SaleReport:
    (found,) = reports(erp)
    return found


def later(erp: Erp) -> datetime:
    """A moment after everything that happened so far, in whole seconds as the filter has them."""
    moment = datetime.now(UTC) + timedelta(seconds=1)
    erp.erp.docs._last = moment + timedelta(milliseconds=1)
    return moment


@pytest.fixture
def erp() -> Erp:
    made = Erp()
    made.sold("H-1")
    return made


def test_a_sale_goes_from_draft_to_shipped(erp: Erp) -> None:
    erp.sold("H-2", confirm=False)
    assert {report.reference: report.stage for report in reports(erp)} == {
        "H-1": SaleStage.CONFIRMED,
        "H-2": SaleStage.DRAFT,
    }
    erp.ship("H-1", partial=True)
    assert (reports(erp)[-1].reference, reports(erp)[-1].stage) == ("H-1", SaleStage.PARTLY_SHIPPED)
    erp.ship("H-1")
    assert (reports(erp)[-1].stage, reports(erp)[-1].vendor_status) == (SaleStage.SHIPPED, "To Bill")


def test_parcels_have_number_carrier_and_goods_without_services(erp: Erp) -> None:
    erp.ship("H-1", partial=True)
    (parcel,) = only(erp).shipments
    assert (parcel.carrier, parcel.tracking_number[:10]) == ("DHL Paket", "0034043410")
    assert parcel.tracking_url.endswith(parcel.tracking_number)
    assert parcel.shipped_at is not None
    assert abs(parcel.shipped_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert [(line.sku, line.quantity) for line in parcel.lines] == [("TK-100", Decimal(1)), ("TEE-250", Decimal(1))]


def test_a_service_that_was_never_put_on_a_note_keeps_nothing_open(erp: Erp) -> None:
    docs = erp.erp.docs
    with docs.transaction():
        order = erp.order("H-1")
        make = erp.erp._methods["erpnext.selling.doctype.sales_order.sales_order.make_delivery_note"]
        note = make({"source_name": order["name"]})
        note["items"] = [row for row in note["items"] if row["item_code"] != "VERSAND"]
    with outside(erp):
        it = connector()
        it._api.update("Delivery Note", it._api.create("Delivery Note", note), {"docstatus": 1})
    report = only(erp)
    assert (report.vendor_status, report.stage) == ("To Deliver and Bill", SaleStage.SHIPPED)


@pytest.mark.parametrize(
    ("shipped", "status", "stage"),
    [
        (False, "On Hold", SaleStage.TROUBLE),
        (False, "Closed", SaleStage.CANCELLED),
        (True, "Closed", SaleStage.SHIPPED),
        (True, "On Hold", SaleStage.TROUBLE),
    ],
)
def test_held_and_closed(erp: Erp, shipped: bool, status: str, stage: SaleStage) -> None:
    if shipped:
        erp.ship("H-1", partial=True)
    erp.levers._status(erp.order("H-1"), status)
    assert (only(erp).vendor_status, only(erp).stage) == (status, stage)


def test_a_sale_that_was_closed_early_is_listed_as_gone(erp: Erp) -> None:
    with outside(erp):
        assert [row.live for row in connector().list_sales(["H-1"])] == [True]
    erp.levers._status(erp.order("H-1"), "Closed")
    with outside(erp):
        assert [row.live for row in connector().list_sales(["H-1"])] == [False]


def test_what_comes_back_does_not_open_the_sale_again(erp: Erp) -> None:
    erp.ship("H-1")
    with outside(erp):
        connector().send(back("H-1", goods("TEE-250", 2), goods("TK-100", 1, restock=False)))
    report = only(erp)
    assert erp.order("H-1")["status"] == "To Deliver and Bill"  # so ERPNext says
    assert report.stage == SaleStage.SHIPPED
    (returned,) = report.returns
    assert (returned.reference, returned.stage, returned.vendor_status) == ("H-1/R1", AfterSaleStage.DONE, "Return")
    assert set(returned.positions) == {
        Position(sku="TEE-250", quantity=Decimal(2), restock=True),
        Position(sku="TK-100", quantity=Decimal(1), restock=False),
    }


def test_a_return_that_a_colleague_makes_is_told_without_a_reference_of_ours(erp: Erp) -> None:
    erp.ship("H-1")
    erp.levers._back({"order": "H-1", "sku": "TEE-250", "pieces": 1, "draft": True})
    (returned,) = only(erp).returns
    assert (returned.reference, returned.stage, returned.received_at) == ("", AfterSaleStage.ANNOUNCED, None)
    assert [position.restock for position in returned.positions] == [None]


def test_a_tracking_number_that_comes_later_is_found(erp: Erp) -> None:
    """A field of a submitted note, or a parcel, leaves the sale's own time as it was."""
    erp.ship("H-1")
    since = later(erp)
    assert reports(erp, since) == []
    with outside(erp):
        it = connector()
        note = it._api.read("Delivery Note", "MAT-DN-2026-00001")
        it._api.update("Delivery Note", note, {"lr_no": "JD014600", "transporter_name": "GLS"})
    (report,) = reports(erp, since)
    assert report.updated_at > since
    with outside(erp):
        shipment = it._api.read("Shipment", "SHIPMENT-00001")
        it._api.update("Shipment", shipment, {"docstatus": 2})
    parcels = [report.shipments[0] for report in reports(erp, since)]
    assert {(parcel.carrier, parcel.tracking_number) for parcel in parcels} == {("GLS", "JD014600")}


def test_a_parcel_can_be_told_once_it_has_its_number(erp: Erp) -> None:
    """The sale is shipped, but the shop shall hear of the parcel with its number only."""
    erp.ship("H-1")
    with outside(erp):
        it = connector()
        it._api.update("Shipment", it._api.read("Shipment", "SHIPMENT-00001"), {"docstatus": 2})
    (waiting,) = reports(erp, await_tracking=True)
    assert (waiting.stage, waiting.shipments) == (SaleStage.SHIPPED, ())
    assert [parcel.tracking_number for parcel in only(erp).shipments] == [""]
    with outside(erp):
        it._api.update("Delivery Note", it._api.read("Delivery Note", "MAT-DN-2026-00001"), {"lr_no": "JD014600"})
    (told,) = reports(erp, await_tracking=True)
    assert [parcel.tracking_number for parcel in told.shipments] == ["JD014600"]


def test_only_what_changed_is_told(erp: Erp) -> None:
    erp.sold("H-2")
    since = later(erp)
    erp.ship("H-2")
    assert {report.reference for report in reports(erp, since)} == {"H-2"}
    assert {report.reference for report in reports(erp, EPOCH)} == {"H-1", "H-2"}


def test_what_is_not_ours_is_left_out(erp: Erp) -> None:
    with outside(erp):
        connector(reference_field="custom_hub_reference", customer_field="custom_hub_code").send(sale(reference="H-9"))
    assert [report.reference for report in reports(erp)] == ["H-1", "laden 1001"]
    assert [report.reference for report in reports(erp, reference_field="custom_hub_reference")] == ["H-9"]


def test_pages_hold_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_erpnext_poll, "PAGE", 2)
    erp = Erp()
    for number in range(5):
        erp.sold(f"H-{number}")
    assert sorted(report.reference for report in reports(erp)) == [f"H-{number}" for number in range(5)]
    assert len(polled(erp)) == 5


def amend(erp: Erp, reference: str) -> str:
    """A colleague cancels the sale and amends it: the new one has its own name and keeps our reference."""
    docs, old = erp.erp.docs, erp.order(reference)
    erp.levers._cancel(old)
    with docs.transaction():
        fresh = docs.new("Sales Order", {**docs.get("Sales Order", old["name"]), "amended_from": old["name"]})
        docs.put("Sales Order", {**fresh, "status": "Draft"})
    with outside(erp):
        it = connector()
        it._api.update("Sales Order", it._api.read("Sales Order", fresh["name"]), {"docstatus": 1})
    return str(fresh["name"])


def test_an_amended_sale_goes_on_under_the_name_it_is_known_by(erp: Erp) -> None:
    """Also when it is amended once more; the ends of the older ones are not the order's."""
    since = later(erp)
    amend(erp, "H-1")
    last = amend(erp, "H-1")
    for told in (reports(erp), reports(erp, since)):
        assert {(one.external_id, one.number, one.stage) for one in told} == {
            ("SAL-ORD-2026-00001", last, SaleStage.CONFIRMED)
        }
    with outside(erp):
        it = connector()
        found = it.find(sale(reference="H-1"))
        (listed,) = it.list_sales(["H-1"])
        cancelled = it.send(cancel("H-1"))
    assert found is not None
    assert {found.external_id, listed.external_id, cancelled.external_id} == {"SAL-ORD-2026-00001"}
    assert {found.number, listed.number, cancelled.number} == {last}


def test_who_may_not_see_parcels_still_sees_sales(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    erp.ship("H-1")
    query = erp.erp.docs.query

    def forbidden(given: Any) -> Any:
        if given["doctype"].startswith("Shipment"):
            raise FrappeError("PermissionError", "No permission for Shipment", 403)
        return query(given)

    monkeypatch.setitem(erp.erp._methods, "frappe.client.get_list", forbidden)
    for since in (None, EPOCH):
        assert {report.shipments[0].tracking_number for report in reports(erp, since)} == {""}


def test_the_same_state_is_the_same_delivery(erp: Erp) -> None:
    erp.ship("H-1")
    assert [one.body for one in polled(erp)] == [one.body for one in polled(erp)]


@pytest.mark.parametrize(
    "body",
    [
        sold(status="Sleeping"),
        sold(reference="x" * 200),
        {**sold(), "notes": [{**sold()["notes"][0], "docstatus": 3}]},
        {**sold(), "sale": {**sold()["sale"], "modified_at": None}},
    ],
    ids=["status", "reference", "docstatus", "time"],
)
def test_what_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        connector().parse(delivery(body))


def test_an_unknown_token_is_refused(erp: Erp) -> None:
    for stream in ("sales", "products"):
        with outside(erp), pytest.raises(Rejected):
            connector().poll(stream, EPOCH, "elsewhere:1")
