"""The page, the API and the command of the completeness check: the same figures, differences beside their cases."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.models import Connection, Duty, PollState, User
from orders import completeness
from orders.tally import DayTally
from tests import standin
from tests.dashboards.filled import Filled
from tests.dashboards.filled import fill as fill_hub

pytestmark = pytest.mark.django_db


@pytest.fixture
def compared(joined: Connection, erp: Connection, world: standin.World) -> Filled:
    """A filled hub whose shop lists one order more than the hub holds, compared."""
    filled = fill_hub(joined, erp, world)
    world.placed = [standin.order(number) for number in (1, 2, 4, 5, 7)]
    world.placed.append(standin.order(3, total="30.70"))
    PollState.objects.update(since=timezone.now())
    DayTally.objects.create(connection=joined, day="2026-11-20", due_at=timezone.now())
    while completeness.work():
        pass
    return filled


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_sides_and_differences_with_their_cases(compared: Filled, person: Callable[..., User]) -> None:
    text = signed_in(person("finance")).get(reverse("completeness"), {"until": "2026-11-21"}).content.decode()
    case = ExceptionCase.objects.get(kind="order_missing_here")
    assert f'href="{reverse("exception", args=[case.pk])}"' in text
    assert "#7" in text
    assert text.count("174,20") == 1  # there: 5 x 28.70 + 30.70
    assert text.count("145,50") == 1  # here: without order 7


def test_the_page_takes_the_same_queries_however_many_days(
    compared: Filled, person: Callable[..., User], django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(person("auditor"))
    DayTally.objects.bulk_create(
        DayTally(connection=compared.shop, day=f"2026-11-{day:02}", checked_at=timezone.now()) for day in range(8, 20)
    )
    with django_assert_max_num_queries(25):  # type: ignore[attr-defined]
        assert client.get(reverse("completeness"), {"until": "2026-11-21"}).status_code == 200


def test_a_day_is_compared_again_by_its_button(compared: Filled, person: Callable[..., User]) -> None:
    tally = DayTally.objects.get()
    url = reverse("completeness_again", args=[tally.pk, "completeness.again"])
    assert signed_in(person("operations")).post(url).status_code == 302
    tally.refresh_from_db()
    assert tally.due_at is not None


def test_a_shops_last_days_are_compared_by_its_button(compared: Filled, person: Callable[..., User]) -> None:
    url = reverse("completeness_compare", args=[compared.shop.pk, "completeness.compare"])
    assert signed_in(person("operations")).post(url).status_code == 302
    assert DayTally.objects.filter(due_at__isnull=False).count() == 8


def test_nonsense_in_the_address_shows_the_latest_days(compared: Filled, person: Callable[..., User]) -> None:
    client = signed_in(person("finance"))
    for until in ("nonsense", "2026-99-99", "0001-01-01"):
        assert client.get(reverse("completeness"), {"until": until}).status_code == 200


def test_the_api_says_the_same(compared: Filled, person: Callable[..., User]) -> None:
    client = signed_in(person("integrator"))
    (row,) = client.get("/api/v1/completeness/").json()["results"]
    assert (row["day"], row["connection"], row["differing"]) == ("2026-11-20", "laden", 1)
    assert row["figures"]["there"] == {"count": 6, "sums": {"EUR": "174.20"}}
    detail = client.get(f"/api/v1/completeness/{row['id']}/").json()
    assert [(one["what"], one["number"]) for one in detail["differences"]] == [("MISSING_HERE", "#7")]
    assert detail["differences"][0]["case"] == ExceptionCase.objects.get(kind="order_missing_here").pk
    done = client.post(f"/api/v1/completeness/{row['id']}/actions/completeness.again/", content_type="application/json")
    assert done.status_code == 200
    assert DayTally.objects.get().due_at is not None


def test_the_command_compares_and_tells(compared: Filled) -> None:
    said = StringIO()
    call_command("completeness", days=2, stdout=said)
    lines = said.getvalue().splitlines()
    assert len([line for line in lines if " laden: there " in line]) == 2


def test_the_connections_page_tells_of_its_silence(compared: Filled, person: Callable[..., User]) -> None:
    url = reverse("connection", args=[compared.shop.pk])
    client = signed_in(person("integrator"))
    client.cookies["hub_language"] = "en"
    assert "silence alarm" not in client.get(url).content.decode()
    now = timezone.now()
    seen = {"last": now.isoformat(), "gap": 1500.0, "alarm_at": now.isoformat()}
    Duty.objects.filter(name="silence").update(last_result={"shops": {str(compared.shop.pk): seen}})
    text = client.get(url).content.decode()
    assert reverse("connection", args=[compared.shop.pk]) in text
    assert "25" in text[text.index(now.astimezone().strftime("%Y")) :]
