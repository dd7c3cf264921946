"""The help page of a kind of case, in the language of the person, and the way to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from exceptions import guide
from exceptions.kinds import all_kinds
from integration_hub.models import Connection, User
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
HEADINGS = {"en": "How to solve it", "de": "So lösen Sie es"}


@pytest.mark.parametrize("language", HEADINGS)
def test_every_kind_has_its_page_in_the_language_of_the_person(at_screen: AtScreen, language: str) -> None:
    client = at_screen("auditor")
    User.objects.update(language=language)
    for kind in all_kinds():
        answer = client.get(f"/exceptions/help/{kind.code}/")
        assert answer.status_code == 200, kind.code
        text = answer.content.decode()
        assert f"<h2>{HEADINGS[language]}</h2>" in text
        assert "<ol>" in text
        assert guide.title(kind.code, language) in text
        assert f"kind={kind.code}" in text


def test_the_case_leads_to_the_help_of_its_kind(joined: Connection, at_screen: AtScreen) -> None:
    case = scene.unknown_product(1)
    text = at_screen("operations").get(f"/exceptions/{case.pk}/").content.decode()
    assert f'href="/exceptions/help/{case.kind}/"' in text


def test_links_between_pages_lead_to_pages(at_screen: AtScreen) -> None:
    text = at_screen("finance").get("/exceptions/help/totals_disagree/").content.decode()
    assert 'href="/exceptions/help/target_refused/"' in text


def test_the_contents_name_every_kind(at_screen: AtScreen) -> None:
    text = at_screen("integrator").get("/exceptions/help/").content.decode()
    assert [kind.code for kind in all_kinds() if f'href="/exceptions/help/{kind.code}/"' not in text] == []


def test_what_is_no_kind_has_no_page(at_screen: AtScreen) -> None:
    client = at_screen("operations")
    assert client.get("/exceptions/help/nothing_we_know/").status_code == 404
    assert client.get("/exceptions/help/..%2f..%2fREADME/").status_code == 404


def test_help_is_for_those_who_see_exceptions(at_screen: AtScreen) -> None:
    client = at_screen("marketing")
    assert {client.get(f"/exceptions/help/{page}").status_code for page in ("", "defect/")} == {403}
    assert Client().get("/exceptions/help/").status_code == 302
