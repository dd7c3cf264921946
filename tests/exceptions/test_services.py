"""The verbs of the exception list: one case per cause, amounts, closing by itself, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from exceptions import actions, levels, services
from exceptions.kinds import kind_of
from exceptions.models import CaseSubject, ExceptionCase, Severity
from exceptions.services import Trouble
from integration_hub.backoffice.actions import Invalid, offered, perform
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import say
from integration_hub.models import Activity, Connection, User
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


@pytest.fixture
def orders(joined: Connection) -> list[Order]:
    for number, currency in ((1, "EUR"), (2, "EUR"), (3, "CHF")):
        spine.say(joined, standin.order(number, stage="PENDING", currency=currency))
    spine.run()
    return list(Order.objects.order_by("pk"))


def trouble(cause: str = "c", found: str = "x", kind: str = "unknown_product") -> Trouble:
    return Trouble(kind=kind, cause=cause, found=say(found), params={"sku": "X"})


def test_the_same_trouble_on_the_same_subject_is_one_case(orders: list[Order]) -> None:
    for found in ("once", "twice", "again"):
        case = services.open_case(trouble(found=found), orders[0])
    assert (case.size, case.occurrences, case.found["msgid"]) == (1, 3, "again")
    assert (ExceptionCase.objects.count(), CaseSubject.objects.count()) == (1, 1)
    assert Activity.objects.filter(action="exceptions.opened").count() == 1


def test_one_cause_of_many_subjects_is_one_case_with_their_money(orders: list[Order]) -> None:
    for order in orders:
        case = services.open_case(trouble(), order)
    assert (case.size, case.amount, case.currency) == (3, Decimal("57.40"), "EUR")  # francs are not added to euros
    assert services.held_up(case, Order) == [order.pk for order in orders]


def test_causes_and_kinds_are_told_apart(orders: list[Order]) -> None:
    services.open_case(trouble("a"), orders[0])
    services.open_case(trouble("b"), orders[0])
    services.open_case(trouble("a", kind="defect"), orders[0])
    assert ExceptionCase.objects.count() == 3


def test_a_very_long_cause_is_still_one(orders: list[Order]) -> None:
    services.open_case(trouble("x" * 500), orders[0])
    services.open_case(trouble("x" * 500), orders[1])
    assert ExceptionCase.objects.get().size == 2
    services.settle(orders[0], kinds=("unknown_product",), still=[("unknown_product", "x" * 500)])
    services.clear(orders[1], causes=["x" * 500])
    assert services.held_up(ExceptionCase.objects.get(), Order) == [orders[0].pk]


def test_the_role_and_the_time_come_from_the_kind(orders: list[Order]) -> None:
    case = services.open_case(trouble(), orders[0])
    kind = kind_of("unknown_product")
    assert case.role == kind.role
    assert case.due_at == levels.Book().due(kind, Severity.NORMAL, kind.role, case.first_seen_at)


def test_the_last_subject_closes_the_case(orders: list[Order]) -> None:
    for order in orders[:2]:
        services.open_case(trouble(), order)
    services.settle(orders[0], kinds=("unknown_product",))
    case = ExceptionCase.objects.get()
    assert (case.state, case.size, case.amount) == ("OPEN", 1, Decimal("28.70"))
    services.settle(orders[1], kinds=("defect",))  # another kind
    services.settle(orders[1], kinds=("unknown_product",))
    case.refresh_from_db()
    assert (case.state, case.closed_at is not None) == ("SOLVED", True)
    assert Activity.objects.filter(action="exceptions.solved").get().subject == case


def test_what_still_is_stays(orders: list[Order]) -> None:
    services.open_case(trouble("a"), orders[0])
    services.open_case(trouble("b"), orders[0])
    services.settle(orders[0], kinds=("unknown_product",), still=[("unknown_product", "b")])
    assert [case.cause for case in services.open_cases_of(orders[0])] == ["b"]


def test_the_same_cause_after_it_was_solved_is_a_new_case(orders: list[Order]) -> None:
    first = services.open_case(trouble(), orders[0])
    services.settle(orders[0], kinds=("unknown_product",))
    second = services.open_case(trouble(), orders[0])
    assert first.pk != second.pk
    assert second.occurrences == 1
    first.refresh_from_db()
    assert first.state == "SOLVED"


def test_a_subject_that_was_released_can_come_back(orders: list[Order]) -> None:
    for order in orders[:2]:
        services.open_case(trouble(), order)
    services.settle(orders[0], kinds=("unknown_product",))
    assert services.open_case(trouble(), orders[0]).size == 2


def test_urgency_is_money_times_age(orders: list[Order]) -> None:
    cheap, dear, old = (services.open_case(trouble(cause), order) for cause, order in zip("abc", orders, strict=True))
    now = timezone.now()
    for case, amount, hours in ((cheap, 10, 1), (dear, 1000, 1), (old, 10, 500)):
        ExceptionCase.objects.filter(pk=case.pk).update(amount=amount, first_seen_at=now - timedelta(hours=hours))
    assert list(ExceptionCase.objects.by_urgency()) == [old, dear, cheap]


CLOSING = {"reason": "NOT_NEEDED", "why": "because I want it"}
ROLES: dict[str, set[str]] = {
    "operations": {
        "exceptions.take",
        "exceptions.assign",
        "exceptions.retry",
        "exceptions.comment",
        "exceptions.dismiss",
        "exceptions.wait",
    },
    "auditor": set(),
    "marketing": set(),
}


@pytest.mark.parametrize(("role", "codes"), ROLES.items())
def test_each_role_is_offered_what_it_may(orders: list[Order], person: Person, role: str, codes: set[str]) -> None:
    case = services.open_case(trouble(), orders[0])
    somebody = person(role)
    assert {action.code for action in offered(actions.ALWAYS, case, somebody)} == codes
    for action in actions.ALWAYS:
        if not somebody.has_perm(action.permission):
            with pytest.raises(PermissionDenied):
                perform(action, case, by=somebody, data=CLOSING | {"comment": "x", "on": "CUSTOMER"})
    assert Activity.objects.filter(actor=somebody).count() == 0


def test_what_a_person_does_is_written_down_with_the_reason(orders: list[Order], person: Person) -> None:
    case, somebody = services.open_case(trouble(), orders[0]), person("finance")
    perform(actions.DISMISS, case, by=somebody, data={"reason": "NOT_NEEDED", "why": "The customer has withdrawn"})
    case.refresh_from_db()
    assert (case.state, case.closed_by, case.close_reason) == ("DISMISSED", somebody, "The customer has withdrawn")
    step = Activity.objects.get(action="exceptions.dismiss")
    assert (step.actor, step.why, step.subject) == (somebody, "The customer has withdrawn", case)
    assert services.held_up(case, Order) == []


def test_a_closed_case_is_not_acted_upon(orders: list[Order], person: Person) -> None:
    case, somebody = services.open_case(trouble(), orders[0]), person("operations")
    services.settle(orders[0], kinds=("unknown_product",))
    for action, data in ((actions.TAKE, {}), (actions.RETRY, {}), (actions.DISMISS, CLOSING)):
        with pytest.raises(NotNow):
            perform(action, case, by=somebody, data=data)


@pytest.mark.parametrize("data", [{}, {"why": ""}, {"why": "no"}, {"why": "x" * 2001}])
def test_a_form_that_is_wrong_changes_nothing(orders: list[Order], person: Person, data: dict[str, Any]) -> None:
    case = services.open_case(trouble(), orders[0])
    with pytest.raises(Invalid) as refused:
        perform(actions.DISMISS, case, by=person("operations"), data={"reason": "TEST"} | data)
    assert list(refused.value.errors) == ["why"]
    case.refresh_from_db()
    assert case.state == "OPEN"
    assert not Activity.objects.filter(action="exceptions.dismiss").exists()


def test_an_action_that_fails_leaves_nothing_behind(
    orders: list[Order], person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = services.open_case(trouble(), orders[0])
    monkeypatch.setattr(services, "rerun", lambda _case, **_by: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        perform(actions.RETRY, case, by=person("operations"))
    assert not Activity.objects.filter(action="exceptions.retry").exists()


def test_taking_and_giving_back(orders: list[Order], person: Person) -> None:
    case, anna, bert = services.open_case(trouble(), orders[0]), person("operations", "anna"), person("finance", "bert")
    for action, by, data, to in (
        (actions.TAKE, anna, {}, anna),
        (actions.ASSIGN, anna, {"to": str(bert.pk)}, bert),
        (actions.ASSIGN, bert, {"to": ""}, None),
    ):
        perform(action, case, by=by, data=data)
        case.refresh_from_db()
        assert case.assignee == to
