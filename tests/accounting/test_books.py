"""Documents go to the accounting system once each, where the process is on, and what it refuses is a case."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from accounting.books import TO_BOOKS, VOUCHER
from accounting.models import Document
from integration_hub.connectors._lexware_api import Api
from integration_hub.kernel.messages import DocumentIssued
from integration_hub.messaging import dispatch
from integration_hub.models import Activity, Connection, ExternalReference, OutboundCommand, ProcessSwitch
from orders.models import Order
from tests import spine
from tests.accounting import papers
from tests.connectors.lexware.office import GOODS, Office
from tests.connectors.world import Fault, outside

pytestmark = pytest.mark.django_db


@pytest.fixture
def lexware(db: None, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(Api, "pause", 0.0)
    made = Connection(kind="lexware", slug="lexware", name="Lexware", role="BOOKS", config={"goods": GOODS})
    made.set_secrets({"api_key": "lexware-key-1234"})
    made.save()
    return made


@pytest.fixture
def sold(lexware: Connection, ordered: Callable[..., Order]) -> Callable[..., Document]:
    """Issues a document of a channel whose process is on."""

    def issue(number: str, *lines: papers.Line, **more: Any) -> Document:
        order = ordered(int(number[-1]), total="109.36")
        ProcessSwitch.objects.get_or_create(
            channel=order.channel, process=TO_BOOKS, defaults={"target": lexware, "since": "2020-01-01T00:00:00Z"}
        )
        with transaction.atomic():
            made = papers.issue(number, lines, order=order, **more)
            dispatch.publish(DocumentIssued(document_id=made.pk))
        return made

    return issue


MIXED: tuple[papers.Line, ...] = (("Kanne", "85.57", "DOMESTIC", "19"), ("Buch", "23.79", "DOMESTIC", "7"))


def test_a_document_is_a_voucher_once(sold: Callable[..., Document], lexware: Connection) -> None:
    made, office = sold("RE-1", *MIXED), Office()
    dispatch.publish(DocumentIssued(document_id=made.pk))
    with outside(office):
        spine.run()
    (voucher,) = office.vouchers
    assert (voucher["voucherNumber"], voucher["totalGrossAmount"]) == ("RE-1", Decimal("109.36"))
    assert ExternalReference.objects.get(kind=VOUCHER).external_id == voucher["id"]
    assert Activity.objects.filter(action="accounting.told", subject_id=made.pk).exists()


def test_a_lost_answer_makes_no_second_voucher(sold: Callable[..., Document]) -> None:
    sold("RE-1", *MIXED)
    office = Office()
    with outside(office, Fault(after_write=1)):
        spine.run()
    with outside(office):
        spine.later()
    assert len(office.vouchers) == 1
    assert OutboundCommand.objects.get().state == "DONE"


def test_a_correction_is_a_credit_note(sold: Callable[..., Document]) -> None:
    first = sold("RE-1", *MIXED)
    sold("RK-2", ("Buch", "-11.25", "DOMESTIC", "7"), kind="CORRECTION", corrects=first)
    office = Office()
    with outside(office):
        spine.run()
        spine.later()  # two commands fly at once, which the played wire does not always bear
    assert {(one["type"], one["totalGrossAmount"]) for one in office.vouchers} == {
        ("salesinvoice", Decimal("109.36")),
        ("salescreditnote", Decimal("11.25")),
    }


def test_what_it_cannot_take_is_a_case_and_holds_up_nothing_else(sold: Callable[..., Document]) -> None:
    sold("RE-1", ("Kanne", "60.00", "OSS", "20"), country="AT")
    sold("RE-2", *MIXED)
    office = Office()
    with outside(office):
        spine.run()
        spine.later()
    assert [one["voucherNumber"] for one in office.vouchers] == ["RE-2"]
    assert "target_refused" in {kind for kind, _size in spine.open_cases()}


def test_without_the_process_nothing_goes_out(lexware: Connection, ordered: Callable[..., Order]) -> None:
    with transaction.atomic():
        made = papers.issue("RE-1", list(MIXED), order=ordered(1))
        dispatch.publish(DocumentIssued(document_id=made.pk))
    assert not OutboundCommand.objects.exists()
