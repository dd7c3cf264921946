"""Closing without a fix, re-opening, waiting for others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from exceptions import actions, services
from exceptions.models import CaseSubject, CloseCode, ExceptionCase
from integration_hub.backoffice.actions import Invalid, perform
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
Person = Callable[..., User]
CLOSING = {"reason": "ELSEWHERE", "why": "refunded by hand"}


@pytest.fixture
def anna(person: Person) -> User:
    return person("operations", "anna")


@pytest.fixture
def case(joined: Connection) -> ExceptionCase:
    return scene.unknown_product(1, 2)


def test_closing_needs_a_code_and_words(case: ExceptionCase, anna: User) -> None:
    for data in ({"why": "refunded by hand"}, {"reason": "ELSEWHERE"}, {"reason": "SOMETHING", "why": "by hand"}):
        with pytest.raises(Invalid):
            perform(actions.DISMISS, case, by=anna, data=data)
    perform(actions.DISMISS, case, by=anna, data=CLOSING)
    case.refresh_from_db()
    assert (case.state, case.close_code, case.close_reason) == ("DISMISSED", CloseCode.ELSEWHERE, "refunded by hand")


def test_the_database_refuses_a_closing_without_a_reason(case: ExceptionCase) -> None:
    for wrong in ({"close_code": ""}, {"close_reason": ""}):
        given = {"state": "DISMISSED", "closed_at": timezone.now(), "close_code": "OTHER", "close_reason": "so"} | wrong
        with pytest.raises(IntegrityError), transaction.atomic():
            ExceptionCase.objects.filter(pk=case.pk).update(**given)


def test_reopening_holds_up_what_the_closing_let_go(case: ExceptionCase, anna: User) -> None:
    gone = CaseSubject.objects.filter(case=case).earliest("pk").subject
    assert gone is not None
    services.settle(gone, kinds=("unknown_product",))
    perform(actions.DISMISS, case, by=anna, data=CLOSING)
    perform(actions.REOPEN, case, by=anna, data={"why": "was not refunded after all"})
    case.refresh_from_db()
    assert (case.state, case.size, case.reopened, case.closed_at, case.close_code) == ("OPEN", 1, 1, None, "")
    assert str(case.amount) == "28.7000"


def test_a_solved_case_can_be_reopened_too(case: ExceptionCase, anna: User) -> None:
    for row in CaseSubject.objects.filter(case=case):
        assert row.subject is not None
        services.settle(row.subject, kinds=("unknown_product",))
    case.refresh_from_db()
    assert case.state == "SOLVED"
    perform(actions.REOPEN, case, by=anna, data={"why": "wrong product was mapped"})
    case.refresh_from_db()
    assert (case.state, case.size) == ("OPEN", 2)


def test_not_while_the_same_trouble_is_open_again(case: ExceptionCase, anna: User) -> None:
    perform(actions.DISMISS, case, by=anna, data=CLOSING)
    newer = scene.unknown_product(3)
    with pytest.raises(NotNow, match=str(newer.pk)):
        perform(actions.REOPEN, case, by=anna, data={"why": "was not refunded"})


def test_an_open_case_is_not_reopened(case: ExceptionCase, anna: User) -> None:
    with pytest.raises(NotNow):
        perform(actions.REOPEN, case, by=anna, data={"why": "no reason at all"})


def tabs(client: Client) -> dict[str, int]:
    return {tab: len(client.get(f"/exceptions/?tab={tab}").context["rows"]) for tab in ("team", "all", "waiting")}


def test_what_waits_for_others_has_a_list_of_its_own(case: ExceptionCase, at_screen: AtScreen) -> None:
    client = at_screen("operations", "anna")
    assert tabs(client) == {"team": 1, "all": 1, "waiting": 0}
    until = timezone.localtime() + timedelta(days=2)
    asked = {"on": "SUPPLIER", "until": until.strftime("%Y-%m-%dT%H:%M"), "why": "asked for the number"}
    client.post(f"/exceptions/{case.pk}/do/exceptions.wait/", asked)
    assert tabs(client) == {"team": 0, "all": 0, "waiting": 1}
    assert "supplier" in client.get(f"/exceptions/{case.pk}/").content.decode()
    ExceptionCase.objects.update(waits_until=timezone.now() - timedelta(minutes=1))
    assert tabs(client) == {"team": 1, "all": 1, "waiting": 0}
    client.post(f"/exceptions/{case.pk}/do/exceptions.wait/", asked | {"until": ""})
    assert tabs(client) == {"team": 0, "all": 0, "waiting": 1}
    client.post(f"/exceptions/{case.pk}/do/exceptions.go_on/")
    assert tabs(client) == {"team": 1, "all": 1, "waiting": 0}


def test_nobody_waits_for_yesterday(case: ExceptionCase, anna: User) -> None:
    with pytest.raises(Invalid):
        perform(actions.WAIT, case, by=anna, data={"on": "CUSTOMER", "until": "2020-01-01T10:00", "why": "asked them"})


def test_a_closed_case_waits_for_nobody(case: ExceptionCase, anna: User) -> None:
    perform(actions.WAIT, case, by=anna, data={"on": "CUSTOMER", "until": "", "why": "asked them"})
    perform(actions.DISMISS, case, by=anna, data=CLOSING)
    case.refresh_from_db()
    assert (case.waits_for, case.waits_until) == ("", None)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionCase.objects.filter(pk=case.pk).update(waits_for="CUSTOMER")
