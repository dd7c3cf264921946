"""Payments in Odoo: registered once and exactly, on the customer's account."""

from __future__ import annotations

import pytest

from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected
from integration_hub.kernel.funds import RegisterPayment
from tests.connectors.world import outside

from .mine import Erp, connector, paid


@pytest.fixture(params=["17", "19"])
def erp(request: pytest.FixtureRequest) -> Erp:
    found = Erp(request.param)
    found.sold("H-1")
    return found


def odoo(erp: Erp, journal: str = "BNK1") -> Odoo:
    door = "auto" if erp.world.switch("odoo_version") == "19" else "jsonrpc"
    return connector(transport=door, payment_journal=journal)


def refused(erp: Erp, command: RegisterPayment, journal: str = "BNK1") -> HubError:
    with outside(erp), pytest.raises(HubError) as caught:
        odoo(erp, journal).send(command)
    return caught.value


def test_money_in_and_money_back_are_payments_of_the_customer(erp: Erp) -> None:
    with outside(erp):
        first = odoo(erp).send(paid("H-1", "83.55"))
        odoo(erp).send(paid("H-1", "-12.9", key="money:8"))
        assert odoo(erp).send(paid("H-1", "83.55")).was_there
        found = odoo(erp).find(paid("H-1", "83.55"))
    assert found is not None
    assert (found.external_id, found.unfinished, found.vendor_status) == (first.external_id, False, first.vendor_status)
    customer = erp.rows("sale.order")[0]["partner_id"]
    rows = erp.rows("account.payment")
    assert [(row["payment_type"], row["amount"], row["partner_id"], row["date"]) for row in rows] == [
        ("inbound", 83.55, customer, "2026-11-21"),
        ("outbound", 12.9, customer, "2026-11-21"),
    ]
    assert rows[0]["payment_reference"] == "pi_1"


def test_what_a_person_has_changed_or_cancelled_is_not_posted(erp: Erp) -> None:
    with outside(erp):
        odoo(erp).send(paid("H-1", "83.55"))
    (row,) = erp.rows("account.payment")
    row.update(state="draft", amount=83.54)
    with outside(erp):
        left = odoo(erp).find(paid("H-1", "83.55"))
    assert left is not None
    assert left.unfinished
    assert refused(erp, paid("H-1", "83.55")).code == "payment_differs"
    row["state"] = "cancel" if erp.world.switch("odoo_version") == "17" else "canceled"
    assert refused(erp, paid("H-1", "83.55")).code == "payment_cancelled"
    assert len(erp.rows("account.payment")) == 1


def test_what_is_missing_is_said_before_anything_is_written(erp: Erp) -> None:
    assert isinstance(refused(erp, paid("H-1", "1"), journal=""), Misconfigured)
    assert refused(erp, paid("H-1", "1"), journal="RE").code == "journal_missing"
    assert refused(erp, paid("H-1", "1", currency="SEK")).code == "currency_unknown_in_erp"
    gone = refused(erp, paid("H-9", "1"))
    assert (type(gone), gone.code) == (Rejected, "sale_gone")
    assert erp.rows("account.payment") == []


def test_the_check_looks_for_the_journal(erp: Erp) -> None:
    with outside(erp):
        assert all(finding.ok for finding in odoo(erp).check())
        assert [finding.ok for finding in odoo(erp, "NO").check()].count(False) == 1
