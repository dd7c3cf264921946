"""One action on many cases: each on its own, with a result for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from exceptions import services
from exceptions.models import CaseState, ExceptionCase
from integration_hub.models import Connection, User
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
TAKE, ASSIGN, RETRY, DISMISS = (f"exceptions.{name}" for name in ("take", "assign", "retry", "dismiss"))


@pytest.fixture
def three(joined: Connection) -> list[ExceptionCase]:
    scene.teapot()
    return [scene.unknown_product(1), scene.wrong_total(2), scene.incomplete_address(3)]


def ids(cases: list[ExceptionCase]) -> list[int]:
    return [case.pk for case in cases]


def test_several_are_taken_at_once(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    client = at_screen("operations", "anna")
    answer = client.post("/exceptions/bulk/", {"action": TAKE, "case": ids(three), "back": "tab=all"}, follow=True)
    assert (answer.context["done"], answer.context["failed"]) == (3, 0)
    assert answer.context["back"] == "/exceptions/?tab=all"
    assert set(ExceptionCase.objects.values_list("assignee__username", flat=True)) == {"anna"}


def test_one_that_does_not_go_leaves_the_others_alone(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    services.dismiss(three[1], by=User.objects.create_user("x"), code="OTHER", why="meanwhile")
    answer = at_screen("operations").post("/exceptions/bulk/", {"action": TAKE, "case": ids(three)}, follow=True)
    assert (answer.context["done"], answer.context["failed"]) == (2, 1)
    assert [row["text"] for row in answer.context["rows"] if not row["ok"]] == ["This exception is closed."]


def test_a_defect_in_one_leaves_the_others_alone(
    three: list[ExceptionCase], at_screen: AtScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = services.rerun

    def rerun(case: ExceptionCase, *, by: User | None = None) -> int:
        if case.pk == three[0].pk:
            raise ZeroDivisionError
        return real(case, by=by)

    monkeypatch.setattr(services, "rerun", rerun)
    answer = at_screen("operations").post("/exceptions/bulk/", {"action": RETRY, "case": ids(three)}, follow=True)
    assert (answer.context["done"], answer.context["failed"]) == (2, 1)
    assert "A defect of the hub (trace" in answer.content.decode()


def test_scripts_get_json(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    client = at_screen("operations", "anna")
    answer = client.post(
        "/exceptions/bulk/", {"action": TAKE, "case": ids(three[:1])}, headers={"Accept": "application/json"}
    )
    (result,) = answer.json()["results"]
    assert (result["ok"], result["who"], result["text"]) == (True, "anna", "Assigned to anna")


def test_assigning_needs_no_second_page(
    three: list[ExceptionCase], at_screen: AtScreen, person: Callable[..., User]
) -> None:
    bert = person("operations", "bert")
    at_screen("operations").post("/exceptions/bulk/", {"action": ASSIGN, "case": ids(three), "to": bert.pk})
    assert set(ExceptionCase.objects.values_list("assignee", flat=True)) == {bert.pk}


def test_closing_asks_for_a_reason_first(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    client = at_screen("operations")
    asked = client.post("/exceptions/bulk/", {"action": DISMISS, "case": ids(three), "back": "tab=mine"})
    assert [row.case.pk for row in asked.context["rows"]] == ids(three)
    assert not ExceptionCase.objects.filter(state=CaseState.DISMISSED).exists()
    short = client.post("/exceptions/bulk/", {"action": DISMISS, "case": ids(three), "reason": "TEST", "why": "no"})
    assert short.context["form"].errors
    closing = {"action": DISMISS, "case": ids(three), "reason": "TEST", "why": "test data"}
    done = client.post("/exceptions/bulk/", closing, follow=True)
    assert done.context["done"] == 3
    assert set(ExceptionCase.objects.values_list("close_reason", flat=True)) == {"test data"}


def test_bulk_is_for_those_who_may(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    auditor = at_screen("auditor")
    assert auditor.post("/exceptions/bulk/", {"action": TAKE, "case": ids(three)}).status_code == 403
    assert auditor.get("/exceptions/?tab=all").context["bulk"] == []


@pytest.mark.parametrize("action", ["", "orders.map_product", "exceptions.comment"])
def test_only_what_is_meant_for_many_can_be_done_to_many(
    three: list[ExceptionCase], at_screen: AtScreen, action: str
) -> None:
    assert at_screen("operations").post("/exceptions/bulk/", {"action": action, "case": ids(three)}).status_code == 404


def test_nothing_chosen_is_said(three: list[ExceptionCase], at_screen: AtScreen) -> None:
    data = {"action": TAKE, "case": ["x", "99999999", "9" * 40], "back": "https://evil.example/"}
    answer = at_screen("operations").post("/exceptions/bulk/", data, follow=True)
    assert "Nothing was selected." in answer.content.decode()
    assert answer.context["back"].startswith("/exceptions/?")
