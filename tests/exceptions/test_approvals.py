"""Four eyes above an amount: nobody approves their own request, neither on the page nor in the database."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from exceptions import actions, approval_actions
from exceptions.models import AmountLimit, Approval, ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import NotNow
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, User
from orders import actions as order_actions
from orders.models import Order
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
CLOSING = {"reason": "LOSS", "why": "customer is bankrupt"}


@pytest.fixture
def anna(person: Person) -> User:
    return person("operations", "anna")


@pytest.fixture
def bert(person: Person) -> User:
    return person("finance", "bert")


@pytest.fixture
def dear(joined: Connection) -> ExceptionCase:
    """A case with more at risk than one person may decide on."""
    AmountLimit.objects.create(currency="EUR", alone_up_to=20)
    return scene.unknown_product(1)


def test_up_to_the_limit_one_person_is_enough(joined: Connection, anna: User) -> None:
    AmountLimit.objects.create(currency="EUR", alone_up_to=Decimal("28.70"))
    case = scene.unknown_product(1)  # 28.70 EUR
    perform(actions.DISMISS, case, by=anna, data=CLOSING)
    case.refresh_from_db()
    assert (case.state, Approval.objects.count()) == ("DISMISSED", 0)


def test_above_it_a_second_person_has_to_approve(dear: ExceptionCase, anna: User, bert: User) -> None:
    said = perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    assert "second person" in str(said)
    dear.refresh_from_db()
    assert dear.state == "OPEN"
    asked = Approval.objects.get()
    with pytest.raises(NotNow, match="Somebody else"):
        perform(approval_actions.APPROVE, asked, by=anna)
    perform(approval_actions.APPROVE, asked, by=bert)
    dear.refresh_from_db()
    assert (dear.state, dear.closed_by, dear.close_code) == ("DISMISSED", anna, "LOSS")
    assert [step.actor for step in Activity.objects.filter(action="exceptions.approve")] == [bert, bert]


def test_asking_twice_is_one_request(dear: ExceptionCase, anna: User, bert: User) -> None:
    for _time in range(2):
        perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    with pytest.raises(NotNow, match="anna"):
        perform(actions.DISMISS, dear, by=bert, data=CLOSING)
    assert Approval.objects.count() == 1


def test_declining_leaves_the_case_open(dear: ExceptionCase, anna: User, bert: User) -> None:
    perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    asked = Approval.objects.get()
    perform(approval_actions.DECLINE, asked, by=bert, data={"why": "let us ask once more"})
    dear.refresh_from_db()
    asked.refresh_from_db()
    assert (dear.state, asked.state, asked.decided_by) == ("OPEN", "DECLINED", bert)
    with pytest.raises(NotNow):
        perform(approval_actions.APPROVE, asked, by=bert)


def test_only_the_author_withdraws(dear: ExceptionCase, anna: User, bert: User) -> None:
    perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    asked = Approval.objects.get()
    with pytest.raises(NotNow):
        perform(approval_actions.WITHDRAW, asked, by=bert)
    perform(approval_actions.WITHDRAW, asked, by=anna)
    perform(actions.DISMISS, dear, by=bert, data=CLOSING)
    assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == ["WITHDRAWN", "REQUESTED"]


def test_a_case_that_closes_takes_its_requests_along(dear: ExceptionCase, anna: User) -> None:
    perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    variant = scene.teapot()
    perform(order_actions.MAP_PRODUCT, dear, by=anna, data={"sku": variant.sku})
    assert Approval.objects.get().state == "WITHDRAWN"


@pytest.mark.parametrize("state", ["APPROVED", "DECLINED"])
def test_the_database_refuses_ones_own_approval(dear: ExceptionCase, anna: User, state: str) -> None:
    perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    for decided in (anna, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.update(state=state, decided_by=decided, decided_at=timezone.now())


def test_figures_that_changed_meanwhile_are_not_approved(joined: Connection, anna: User, bert: User) -> None:
    AmountLimit.objects.create(currency="EUR", alone_up_to=20)
    scene.teapot()
    case = scene.wrong_total(2)
    perform(order_actions.ACCEPT, case, by=bert, data={"why": "really paid", **order_actions.ACCEPT.initial(case)})
    scene.report(standin.order(2, total="199.90", updated_at="2026-11-20T11:00:00Z"))
    pump.drain()
    asked = Approval.objects.get()
    assert asked.state == "REQUESTED"
    with pytest.raises(NotNow):
        perform(approval_actions.APPROVE, asked, by=anna)
    assert Order.objects.get().state == "HELD"


def test_the_page_offers_what_each_may(dear: ExceptionCase, anna: User, at_screen: Callable[..., Client]) -> None:
    perform(actions.DISMISS, dear, by=anna, data=CLOSING)
    finance = at_screen("finance", "bert")
    page = finance.get(f"/exceptions/{dear.pk}/").content.decode()
    assert "Approve" in page
    assert "customer is bankrupt" in page
    assert "Withdraw" not in page
    asked = Approval.objects.get()
    auditor = at_screen("auditor")
    assert "requested by anna" in auditor.get("/exceptions/approvals/").content.decode()
    auditor.post(f"/exceptions/approvals/{asked.pk}/exceptions.approve/")
    asked.refresh_from_db()
    assert asked.state == "REQUESTED"
    finance.post(f"/exceptions/approvals/{asked.pk}/exceptions.approve/")
    asked.refresh_from_db()
    assert asked.state == "APPROVED"


def test_every_currency_has_its_own_limit(joined: Connection, anna: User) -> None:
    AmountLimit.objects.create(currency="PLN", alone_up_to=1)
    case = scene.unknown_product(1)
    perform(actions.DISMISS, case, by=anna, data=CLOSING)  # euro: 1,000 without a row
    assert not Approval.objects.exists()
