"""VAT ids: form at once, the Commission's register when it answers, every check kept."""

from __future__ import annotations

import pytest
import responses

from accounting.models import Document, VatCheck
from accounting.services import issuing, vat_ids
from accounting.services.planning import Delivery
from integration_hub.messaging import vies
from integration_hub.models import Connection
from tests import spine
from tests.accounting import books

pytestmark = pytest.mark.django_db
ANSWER = {"valid": True, "name": "A GmbH", "address": "---", "requestIdentifier": "WAPIAAAA1"}


def sold(laden: Connection, vat_id: str) -> list[Document]:
    order = books.ordered(laden, 1, books.line("200.00", "0"), country="AT", vat_id=vat_id)
    return issuing.issue_many([Delivery(order.pk)]).documents


@responses.activate
def test_the_register_is_asked_and_its_answer_kept(laden: Connection) -> None:
    asked = responses.post(vies.ADDRESS, json=ANSWER)
    sold(laden, "ATU33864707")
    assert VatCheck.objects.get().vies == "UNASKED"
    assert vat_ids.ask() == {"asked": 1, "silent": 0}
    last = VatCheck.objects.latest("pk")
    assert (last.vies, last.name, last.address, last.consultation) == ("VALID", "A GmbH", "", "WAPIAAAA1")
    assert b'"requesterNumber"' in (asked.calls[0].request.body or b"")
    assert vat_ids.ask() == {"asked": 0, "silent": 0}


@responses.activate
@pytest.mark.parametrize("answer", [{"status": 503}, {"json": {"errorWrappers": [{"error": "MS_UNAVAILABLE"}]}}])
def test_silence_is_kept_and_asked_again(answer: dict[str, object]) -> None:
    responses.post(vies.ADDRESS, **answer)
    vat_ids.seen(["ATU33864707"])
    assert vat_ids.ask() == vat_ids.ask() == {"asked": 1, "silent": 1}


def test_what_the_register_denies_is_asked_about(laden: Connection) -> None:
    VatCheck.objects.create(vat_id="ATU33864707", form_ok=True, vies="INVALID")
    assert sold(laden, "ATU33864707") == []
    assert spine.open_kinds() == {"document_tax_undecided"}


def test_the_form_is_checked_at_once() -> None:
    vat_ids.seen(["ATU33864707", "ATU33864708", ""])
    assert dict(VatCheck.objects.values_list("vat_id", "form_ok")) == {"ATU33864707": True, "ATU33864708": False}
