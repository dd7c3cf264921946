"""Payments in ERPNext: one entry per movement, against its order as far as that is open."""

from __future__ import annotations

from typing import Any

import pytest

from integration_hub.kernel.errors import HubError
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Written
from tests.connectors.world import Fault, outside

from .mine import Erp, connector, paid


@pytest.fixture
def erp() -> Erp:
    made = Erp()
    made.sold("H-1")
    return made


def send(erp: Erp, command: RegisterPayment, **changes: Any) -> Written:
    with outside(erp):
        return connector(**changes).send(command)


def refused(erp: Erp, command: RegisterPayment, **changes: Any) -> HubError:
    with outside(erp), pytest.raises(HubError) as caught:
        connector(**changes).send(command)
    return caught.value


def test_money_that_came_in_pays_the_order(erp: Erp) -> None:
    written = send(erp, paid("H-1", "83.55"))
    (entry,) = erp.rows("Payment Entry")
    assert (entry["name"], entry["status"], entry["payment_type"]) == (written.number, "Submitted", "Receive")
    assert (entry["paid_from"], entry["paid_to"]) == ("1400 - Forderungen - ST", "1200 - Bank - ST")
    assert (entry["reference_no"], entry["remarks"], entry["unallocated_amount"]) == ("H-1 [money:7]", "pi_1", 0)
    assert erp.order("H-1")["advance_paid"] == 83.55


def test_what_is_paid_too_much_stays_on_the_account(erp: Erp) -> None:
    send(erp, paid("H-1", "50.00"))
    send(erp, paid("H-1", "50.00", key="money:8"))
    assert [row["unallocated_amount"] for row in erp.rows("Payment Entry")] == [0, 16.45]
    assert erp.order("H-1")["advance_paid"] == 83.55


def test_money_that_went_back_is_paid_out(erp: Erp) -> None:
    send(erp, paid("H-1", "-12.90"))
    (entry,) = erp.rows("Payment Entry")
    assert (entry["payment_type"], entry["paid_amount"], entry["references"]) == ("Pay", 12.9, [])
    assert (entry["paid_from"], entry["paid_to"]) == ("1200 - Bank - ST", "1400 - Forderungen - ST")


def test_each_movement_is_one_entry(erp: Erp) -> None:
    for key in ("money:7", "money:8", "money:7"):
        send(erp, paid("H-1", "10.00", key=key))
    assert len(erp.rows("Payment Entry")) == 2


def test_a_draft_that_was_left_is_submitted(erp: Erp) -> None:
    with outside(erp, Fault(after_write=1)), pytest.raises(HubError):
        connector().send(paid("H-1", "83.55"))
    with outside(erp):
        found = connector().find(paid("H-1", "83.55"))
    assert found is not None
    assert (found.unfinished, found.vendor_status) == (True, "Draft")
    assert send(erp, paid("H-1", "83.55")).was_there
    assert [row["status"] for row in erp.rows("Payment Entry")] == ["Submitted"]


def test_a_draft_that_somebody_changed_is_not_submitted(erp: Erp) -> None:
    with outside(erp, Fault(after_write=1)), pytest.raises(HubError):
        connector().send(paid("H-1", "83.55"))
    assert refused(erp, paid("H-1", "83.50")).code == "payment_differs"


def test_one_that_was_cancelled_is_a_case(erp: Erp) -> None:
    written = send(erp, paid("H-1", "83.55"))
    with outside(erp):
        it = connector()
        it._api.update("Payment Entry", it._api.read("Payment Entry", written.external_id), {"docstatus": 2})
    assert refused(erp, paid("H-1", "83.55")).code == "payment_cancelled"
    assert erp.order("H-1")["advance_paid"] == 0


@pytest.mark.parametrize(
    ("command", "changes", "code"),
    [
        (paid("H-1", "1.00"), {"payment_account": ""}, "account_missing"),
        (paid("H-1", "1.00"), {"payment_account": "1400 - Forderungen - ST"}, "account_missing"),
        (paid("H-1", "1.00", currency="CHF"), {}, "currency_unknown_in_erp"),
        (paid("H-9", "1.00"), {}, "sale_gone"),
    ],
    ids=["no account", "not a bank", "another currency", "no sale"],
)
def test_what_cannot_be_registered_is_refused_before_anything_is(
    erp: Erp, command: RegisterPayment, changes: dict[str, Any], code: str
) -> None:
    assert refused(erp, command, **changes).code == code
    assert not erp.rows("Payment Entry")
