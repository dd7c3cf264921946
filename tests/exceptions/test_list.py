"""The list: who sees what, in which order, how it is narrowed, and that it stays cheap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exceptions import services
from exceptions.filters import PER_PAGE
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]


def titles(client: Client, query: str = "tab=all") -> list[str]:
    return [row.title for row in client.get(f"/exceptions/?{query}").context["rows"]]


def many(shop: Connection, count: int) -> None:
    for number in range(count):
        trouble = Trouble(kind="webhook_disabled", cause=f"w:{number}", params={"connection": "Laden", "topic": number})
        services.open_case(trouble, shop, connection=shop)


def test_one_cause_is_one_row_with_its_money(joined: Connection, at_screen: AtScreen) -> None:
    scene.unknown_product(1, 2, 3)
    page = at_screen("operations").get("/exceptions/").content.decode()
    assert "Product TK-100-B is unknown" in page
    assert "(3)" in page
    assert "€86.10" in page
    assert "Laden #1" in page


def test_nobody_without_permission_gets_in(joined: Connection, at_screen: AtScreen) -> None:
    assert at_screen("marketing").get("/exceptions/").status_code == 403
    assert Client().get("/exceptions/").status_code == 302


def test_the_default_is_the_list_of_ones_own_team(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    scene.unknown_product(1)
    scene.wrong_total(2)
    assert titles(at_screen("operations"), "") == ["Product TK-100-B is unknown"]
    assert titles(at_screen("finance"), "") == ["Total of order #2 disagrees"]
    assert len(titles(at_screen("auditor"), "")) == 2


def test_more_money_and_more_age_come_first(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    scene.unknown_product(1)
    scene.wrong_total(2)
    ExceptionCase.objects.filter(kind="unknown_product").update(first_seen_at=timezone.now() - timedelta(hours=1))
    ExceptionCase.objects.filter(kind="totals_disagree").update(first_seen_at=timezone.now() - timedelta(hours=1))
    client = at_screen("operations")
    assert titles(client) == ["Total of order #2 disagrees", "Product TK-100-B is unknown"]
    ExceptionCase.objects.filter(kind="unknown_product").update(first_seen_at=timezone.now() - timedelta(days=9))
    assert titles(client) == ["Product TK-100-B is unknown", "Total of order #2 disagrees"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=TK-100-B", 1),
        ("q=%231", 1),  # an affected order's number
        ("q=disagrees", 1),  # a word of the reason
        ("q=nothing-like-it", 0),
        ("kind=totals_disagree", 1),
        ("role=finance", 1),
        ("role=operations&kind=totals_disagree", 0),
        ("assignee=none", 2),
        ("assignee=me", 0),
        ("overdue=1", 0),
        ("kind=%27;drop&channel=x&assignee=%00&page=-1", 2),  # nonsense is left out
    ],
)
def test_a_filter_is_part_of_the_address(joined: Connection, at_screen: AtScreen, query: str, found: int) -> None:
    scene.teapot()
    scene.unknown_product(1)
    scene.wrong_total(2)
    assert len(titles(at_screen("operations"), f"tab=all&{query}")) == found


def test_the_channel_filter_knows_one_shop_from_another(
    joined: Connection, erp: Connection, at_screen: AtScreen
) -> None:
    scene.unknown_product(1)
    client = at_screen("operations")
    assert len(titles(client, f"tab=all&channel={joined.pk}")) == 1
    assert titles(client, f"tab=all&channel={erp.pk}") == []


def test_overdue_is_said_in_words(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    ExceptionCase.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(hours=2, minutes=1))
    client = at_screen("operations")
    assert "2 h overdue" in client.get("/exceptions/").content.decode()
    assert len(titles(client, "tab=all&overdue=1")) == 1


def test_a_solved_case_keeps_its_figures_and_says_who_solved_it(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1, 2)
    variant = scene.teapot()
    client = at_screen("operations", "anna")
    client.post(f"/exceptions/{case.pk}/do/orders.map_product/", {"variant": variant.pk})
    assert titles(client, "tab=auto") == []
    (row,) = client.get("/exceptions/?tab=closed").context["rows"]
    assert (row.size, row.amount, row.closer) == (2, "€57.40", "anna")


def test_what_the_shop_puts_right_has_solved_itself(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    scene.incomplete_address(7)
    scene.report(standin.order(7, updated_at="2026-11-20T11:00:00Z"))
    pump.drain()
    client = at_screen("operations")
    (row,) = client.get("/exceptions/?tab=auto").context["rows"]
    assert row.closer == "by itself"
    assert titles(client, "tab=closed") == []


def test_counts_stop_at_99(joined: Connection, at_screen: AtScreen) -> None:
    many(joined, 101)
    page = at_screen("integrator").get("/exceptions/")
    assert [tab["count"] for tab in page.context["tabs"]] == ["0", "99+", "99+", "0", "", ""]


def test_pages_hold_fifty_and_lead_on(joined: Connection, at_screen: AtScreen) -> None:
    many(joined, PER_PAGE + 3)
    client = at_screen("integrator")
    first = client.get("/exceptions/?tab=all").context
    assert (len(first["rows"]), first["pager"]["older"], first["pager"]["newer"]) == (PER_PAGE, "tab=all&page=2", "")
    second = client.get("/exceptions/?tab=all&page=2").context
    assert (len(second["rows"]), second["pager"]["older"], second["pager"]["newer"]) == (3, "", "tab=all")


@pytest.mark.parametrize("tab", ["all", "auto"])
def test_the_number_of_queries_does_not_depend_on_the_rows(joined: Connection, at_screen: AtScreen, tab: str) -> None:
    client = at_screen("integrator")
    many(joined, 2)
    if tab == "auto":
        services.settle(joined, kinds=["webhook_disabled"])
    client.get(f"/exceptions/?tab={tab}")
    with CaptureQueriesContext(database) as few:
        assert len(client.get(f"/exceptions/?tab={tab}").context["rows"]) == 2
    many(joined, 30)
    if tab == "auto":
        services.settle(joined, kinds=["webhook_disabled"])
    with CaptureQueriesContext(database) as lots:
        assert len(client.get(f"/exceptions/?tab={tab}").context["rows"]) >= 30
    assert len(lots) == len(few)


def test_an_empty_list_says_what_will_appear(joined: Connection, at_screen: AtScreen) -> None:
    client = at_screen("operations")
    assert "All clear." in client.get("/exceptions/").content.decode()
    assert "Nothing is assigned to you." in client.get("/exceptions/?tab=mine").content.decode()
    assert "Nothing fits this filter." in client.get("/exceptions/?q=x").content.decode()


def test_a_kind_that_no_version_declares_any_more_can_still_be_read_and_closed(
    joined: Connection, at_screen: AtScreen
) -> None:
    case = scene.unknown_product(1)
    ExceptionCase.objects.filter(pk=case.pk).update(kind="of_old")
    client = at_screen("operations")
    assert titles(client) == ["of_old"]
    assert client.get(f"/exceptions/{case.pk}/").status_code == 200
    client.post(f"/exceptions/{case.pk}/do/exceptions.dismiss/", {"reason": "NOT_NEEDED", "why": "no longer needed"})
    case.refresh_from_db()
    assert case.state == "DISMISSED"


def test_a_view_is_kept_for_oneself_or_the_team(joined: Connection, at_screen: AtScreen) -> None:
    anna, bert, finn = at_screen("operations", "anna"), at_screen("operations", "bert"), at_screen("finance", "finn")
    keep = {"query": "tab=all&kind=unknown_product&evil=1", "name": "Products"}
    anna.post("/exceptions/views/", keep)
    anna.post("/exceptions/views/", keep | {"name": "For us", "team": "1"})
    assert [item["view"].name for item in anna.get("/exceptions/").context["saved"]] == ["For us", "Products"]
    (shared,) = bert.get("/exceptions/").context["saved"]
    assert (shared["view"].query, shared["mine"]) == ("tab=all&kind=unknown_product", False)
    assert finn.get("/exceptions/").context["saved"] == []
    assert bert.post(f"/exceptions/views/{shared['view'].pk}/delete/").status_code == 404
    anna.post(f"/exceptions/views/{shared['view'].pk}/delete/")
    assert bert.get("/exceptions/").context["saved"] == []


def test_money_in_another_currency_is_shown_as_it_is(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    ExceptionCase.objects.filter(pk=case.pk).update(amount=Decimal("1234.5"), currency="CHF")
    (row,) = at_screen("operations").get("/exceptions/").context["rows"]
    assert (row.amount[:3], row.amount[-8:]) == ("CHF", "1,234.50")


def test_the_assignee_filter_offers_only_people_who_see_cases(
    joined: Connection, at_screen: AtScreen, person: Callable[..., User]
) -> None:
    person("marketing", "mia")
    person("finance", "finn")
    people = at_screen("operations", "anna").get("/exceptions/").context["choices"]["people"]
    assert [name for _pk, name in people] == ["anna", "finn"]
