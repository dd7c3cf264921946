"""What happens in a real Tryton comes back as reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integration_hub.connectors import _tryton_rows
from integration_hub.connectors.base import Delivery
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.errors import Unsupported
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.messages import SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage
from tests.erp.office import Office
from tests.erp.server import Erp

from .orders import connector, fee, line, order

pytestmark = pytest.mark.erp


@pytest.fixture(scope="module")
def tryton(real_erp: Erp) -> Tryton:
    return connector(real_erp)


def polled(tryton: Tryton, stream: str, since: datetime | None) -> list[Delivery]:
    """All pages of one window."""
    page = tryton.poll(stream, since, None)
    found = list(page.deliveries)
    while page.token:
        page = tryton.poll(stream, since, page.token)
        found += page.deliveries
    return found


def report(tryton: Tryton, reference: str, since: datetime | None = None) -> SaleReport:
    """The sale of this reference as the poll tells of it."""
    told = [item for delivery in polled(tryton, "sales", since) for item in tryton.parse(delivery)]
    (found,) = [item for item in told if isinstance(item, SaleReport) and item.reference == reference]
    return found


def now() -> datetime:
    return datetime.now(UTC)


def test_a_sale_goes_through_its_stages(tryton: Tryton, office: Office) -> None:
    command = order(line("MUG", 3, "29.97"), line("BOOK", 1, "19.99", "0.07"))
    written, started = tryton.send(command), now()

    waiting = report(tryton, command.reference)
    office.ship(command.reference, tracking="00340434161094000001", only={"MUG": 2})
    partly = report(tryton, command.reference, since=started)
    office.ship(command.reference, tracking="00340434161094000002")
    shipped = report(tryton, command.reference, since=started)

    assert (waiting.external_id, waiting.number) == (written.external_id, written.number)
    assert (waiting.total, waiting.currency) == (command.total, "EUR")
    assert (waiting.stage, waiting.shipments) == (SaleStage.CONFIRMED, ())
    assert partly.stage == SaleStage.PARTLY_SHIPPED
    (parcel,) = partly.shipments
    assert parcel.tracking_number == "00340434161094000001"
    assert parcel.lines == (ShippedLine(sku="MUG", quantity=Decimal(2)),)
    assert parcel.shipped_at is not None
    assert abs(parcel.shipped_at - now()) < timedelta(days=2)
    assert shipped.stage == SaleStage.SHIPPED
    assert [item.tracking_number[-1] for item in shipped.shipments] == ["1", "2"]
    assert {item.sku: item.quantity for item in shipped.shipments[1].lines} == {"MUG": 1, "BOOK": 1}
    assert waiting.updated_at < partly.updated_at < shipped.updated_at


def test_a_tracking_number_that_comes_late_is_a_change(tryton: Tryton, office: Office) -> None:
    command = order()
    tryton.send(command)
    office.ship(command.reference)
    started = now()

    (shipment,) = office.sale(command.reference, "shipments.id")["shipments"]
    office.rest.write("stock.shipment.out", shipment["id"], {"reference": "LATE-1"})

    assert report(tryton, command.reference, since=started).shipments[0].tracking_number == "LATE-1"


def test_a_draft_that_is_cancelled(real_erp: Erp, tryton: Tryton, office: Office) -> None:
    command = order()
    connector(real_erp, confirm=False).send(command)
    draft = report(tryton, command.reference)

    office.press("sale.sale", office.sale(command.reference)["id"], "cancel")

    assert draft.stage == SaleStage.DRAFT
    assert report(tryton, command.reference).stage == SaleStage.CANCELLED
    assert tryton.send(command).vendor_status == "cancelled"


def test_a_confirmed_sale_that_is_cancelled_is_trouble_until_somebody_settles_it(
    tryton: Tryton, office: Office
) -> None:
    command = order()
    tryton.send(command)

    office.cancel_shipments(command.reference)
    trouble = report(tryton, command.reference)
    office.ignore_cancelled(command.reference)
    settled = report(tryton, command.reference)

    assert trouble.stage == SaleStage.TROUBLE
    assert office.sale(command.reference)["state"] == "done"
    assert (settled.stage, settled.shipments) == (SaleStage.CANCELLED, ())


def test_services_alone_are_confirmed_with_nothing_to_ship(tryton: Tryton) -> None:
    command = order(fee("9.00"))
    tryton.send(command)

    assert report(tryton, command.reference).stage == SaleStage.CONFIRMED


def test_equal_content_gives_equal_bytes(tryton: Tryton, office: Office) -> None:
    command = order()
    tryton.send(command)
    office.ship(command.reference, only={"MUG": 1})

    first, second = (polled(tryton, "sales", None) for _ in range(2))

    assert first == second


def test_only_what_changed_and_only_our_web_shop(real_erp: Erp, tryton: Tryton) -> None:
    old, other, new = order(), order(), order()
    tryton.send(old)
    started = now()
    connector(real_erp, web_shop="second shop").send(other)
    tryton.send(new)

    told = [tryton.parse(item)[0] for item in polled(tryton, "sales", started)]

    assert [item.reference for item in told if isinstance(item, SaleReport)] == [new.reference]


def test_pages_follow_each_other_without_a_gap(tryton: Tryton, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        tryton.send(order(fee("1.00")))
    whole = polled(tryton, "sales", None)

    monkeypatch.setattr(_tryton_rows, "PAGE", 2)

    assert polled(tryton, "sales", None) == whole
    assert [int(item.object_id) for item in whole] == sorted(int(item.object_id) for item in whole)


def products(tryton: Tryton, since: datetime | None = None) -> dict[str, ProductReport]:
    told = [item for delivery in polled(tryton, "products", since) for item in tryton.parse(delivery)]
    return {item.sku: item for item in told if isinstance(item, ProductReport)}


def test_products_with_code_name_and_ean_but_no_services(tryton: Tryton) -> None:
    told = products(tryton)

    assert {"TSHIRT-S", "TSHIRT-M", "TSHIRT-L", "MUG", "BOOK", "TEA", "GIFT-25"} <= set(told)
    assert not {"SHIP-DHL", "SURCHARGE", "DISCOUNT"} & set(told)
    assert (told["MUG"].title, told["MUG"].gtin, told["MUG"].active) == ("Tasse Leuchtturm", "4006381333931", True)
    assert told["BOOK"].gtin == ""


def test_a_deactivated_product_and_a_renamed_one_are_told(tryton: Tryton, office: Office) -> None:
    (card,) = office.rest.search("product.product", [["code", "=", "GIFT-25"]], ["id"])
    (tea,) = office.rest.search("product.product", [["code", "=", "TEA"]], ["template.id"])
    started = now()

    office.rest.write("product.template", tea["template"]["id"], {"name": "Tee"})
    office.rest.write("product.product", card["id"], {"active": False})
    told = products(tryton, since=started)

    assert {sku: (item.title, item.active) for sku, item in told.items()} == {
        "TEA": ("Tee", True),
        "GIFT-25": ("Geschenkgutschein 25 €", False),
    }


def test_an_unknown_stream_is_unsupported(tryton: Tryton) -> None:
    with pytest.raises(Unsupported):
        tryton.poll("weather", None, None)
