"""Start pages: real numbers, each a link to the list it counts, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration_hub.dashboards import figures, panels, rollup
from integration_hub.messaging import pump
from integration_hub.models import User
from tests import standin
from tests.dashboards.filled import Filled, deliver

pytestmark = pytest.mark.django_db

# lists that say what will appear in them; the administrator's and operations' charts say it, too
EMPTY = {"finance": 4, "operations": 7, "integrator": 3, "marketing": 0, "auditor": 1, "administrator": 6}


@pytest.fixture
def admin(person: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(person("administrator"))
    return client


def tiles(client: Client, role: str) -> dict[str, Any]:
    """The tiles of a start page by where they lead."""
    return {tile.url: tile for tile in client.get(reverse("start_page", args=[role])).context["tiles"]}


def test_numbers_are_those_of_the_lists_they_lead_to(filled: Filled, admin: Client) -> None:
    found = tiles(admin, "operations") | tiles(admin, "integrator")
    held, waiting = found["/orders/?state=HELD"], found["/orders/?state=WAITING"]
    parked = found["/events/?state=PARKED"]
    assert (held.value, held.remark) == ("1", "30,70\xa0€")
    assert [order.number for order in admin.get(held.url).context["slice"].rows] == ["#3"]
    assert [order.number for order in admin.get(waiting.url).context["slice"].rows] == ["#4"]
    assert len(admin.get(parked.url).context["slice"].rows) == int(parked.value) == 1


def test_the_backlog_is_what_is_not_over_yet(filled: Filled, admin: Client) -> None:
    before = tiles(admin, "operations")["/events/?state=UNSETTLED"]
    deliver(standin.order(7))
    after = tiles(admin, "operations")["/events/?state=UNSETTLED"]
    assert (before.value, after.value) == ("0", "1")
    assert len(admin.get(after.url).context["slice"].rows) == 1


def test_orders_today_are_those_placed_since_midnight(filled: Filled, admin: Client, time_machine: Any) -> None:
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    tile = figures.orders_today()
    assert tile.value == "5"
    assert len(admin.get(tile.url).context["slice"].rows) == 5
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    assert figures.orders_today().value == "0"


def test_kinds_lead_to_their_cases_and_name_the_money(filled: Filled, admin: Client) -> None:
    sections = dict(admin.get(reverse("start_page", args=["finance"])).context["sections"])
    (row,) = sections["dashboards/_kinds.html"]
    assert (row.number, row.amounts) == (1, "30,70\xa0€")
    assert "role=finance" in row.url
    assert admin.get(row.url).status_code == 200


@pytest.mark.parametrize("role", ["finance", "operations", "integrator", "marketing", "auditor", "administrator"])
def test_an_empty_hub_says_what_will_appear(role: str, admin: Client) -> None:
    page = admin.get(reverse("start_page", args=[role]))
    assert page.content.decode().count('class="hub-empty"') == EMPTY[role]


def test_the_number_of_queries_does_not_grow_with_what_there_is(filled: Filled, admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            admin.get(reverse("start_page", args=["administrator"]))
        return len(seen)

    few = queries()
    for number in range(20, 30):
        deliver(standin.order(number, total="99.00"))
    assert queries() == few


def test_the_living_part_is_the_same_for_those_who_may_see_it_and_for_nobody_else(
    filled: Filled, admin: Client, person: Callable[..., User]
) -> None:
    page = admin.get(reverse("start_page", args=["operations"])).content.decode()
    now = admin.get(reverse("start_live", args=["operations"])).content.decode()
    assert "<html" not in now
    for part in ('id="tile-1"', 'id="section-3"', "/orders/?state=HELD"):
        assert part in page
        assert part in now
    other = Client()
    assert other.get(reverse("start_live", args=["operations"])).status_code == 302
    other.force_login(person("marketing"))
    assert other.get(reverse("start_live", args=["operations"])).status_code == 403
    assert admin.get(reverse("start_live", args=["nobody"])).status_code == 404


def test_what_is_due_first_stands_on_top(filled: Filled, admin: Client) -> None:
    page = admin.get(reverse("start_page", args=["finance"])).content.decode()
    first = page.index('id="next"')
    assert "30,70" in page[first : first + 1500]


@pytest.mark.parametrize("role", ["finance", "operations", "integrator", "auditor"])
def test_each_room_asks_the_same_number_of_questions_whatever_there_is(
    role: str, filled: Filled, admin: Client
) -> None:
    def queries() -> int:
        rollup.run()
        with CaptureQueriesContext(database) as seen:
            admin.get(reverse("start_page", args=[role]))
        return len(seen)

    few = queries()
    for number in range(20, 30):
        deliver(standin.order(number, total="99.00"))
    pump.drain()
    assert queries() == few


def test_floors_above_add_their_panel_for_those_who_may_see_it(
    admin: Client, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = panels.Panel(
        roles=frozenset({"finance"}),
        permission="payments.view_payout",
        template="dashboards/_kinds.html",
        facts=lambda _user: [],
    )
    monkeypatch.setattr(panels, "_PANELS", [])
    panels.register([panel])
    assert panels.of("finance", person("auditor")) == [("dashboards/_kinds.html", [])]
    assert panels.of("operations", person("finance")) == []
    assert panels.of("finance", person("marketing")) == []
    page = admin.get(reverse("start_page", args=["finance"])).content.decode()
    assert page.count('aria-labelledby="kinds"') == 2
