"""The page of the audit trail: found by who, what and when; exported without formulas; read at a fixed cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from exceptions.models import ExceptionCase
from integration_hub.backoffice import seals
from integration_hub.models import AuditEntry, User
from tests.dashboards.filled import Filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(person: Callable[..., User]) -> Client:
    client, user = Client(), person("auditor")
    User.objects.filter(pk=user.pk).update(language="en")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def acted(filled: Filled, person: Callable[..., User]) -> User:
    """Somebody has closed a case with a reason that looks like a formula."""
    case, client, somebody = (
        ExceptionCase.objects.filter(state="OPEN").earliest("pk"),
        Client(),
        person("finance", "fin"),
    )
    client.force_login(somebody, backend="django.contrib.auth.backends.ModelBackend")
    client.post(f"/exceptions/{case.pk}/do/exceptions.dismiss/", {"reason": "OTHER", "why": "=HYPERLINK(1) geklärt"})
    return somebody


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_who_when_what_why_and_from_where(auditor: Client, acted: User) -> None:
    seals.seal()
    shown = text(auditor, f"?actor={acted.pk}")
    for words in (
        "fin",
        "exceptions.dismiss",
        "=HYPERLINK(1) geklärt",
        "127.0.0.1",
        "<del>OPEN</del>",
        "<ins>DISMISSED</ins>",
    ):
        assert words in shown
    head = seals.heads()[0]
    assert bytes(head.hash).hex() in shown


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("?deed=UPDATE&relation=exceptions_exceptioncase&action=exceptions.dis", True),
        ("?relation=orders_order&action=exceptions", False),
        ("?address=127.0.0.1&deed=UPDATE", True),
        ("?address=10.0.0.1", False),
        ("?since=2020-01-01", True),
        ("?until=2020-01-01", False),
        ("?row_id=no-such-row", False),
    ],
)
def test_it_is_searched(auditor: Client, acted: User, query: str, there: bool) -> None:
    assert ("exceptions.dismiss" in text(auditor, query)) is there


def test_what_a_filter_does_not_take_is_said(auditor: Client) -> None:
    assert "hub-errors" in text(auditor, "?since=yesterday&actor=none")


def test_the_export_is_a_table_and_on_record(auditor: Client, acted: User) -> None:
    answer = auditor.get(f"/audit/?actor={acted.pk}&deed=UPDATE&export=csv")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(content)))
    closed = next(row for row in rows if row["action"] == "exceptions.dismiss")
    assert closed["why"] == "'=HYPERLINK(1) geklärt"
    assert (closed["who"], closed["Address"], closed["table"]) == ("fin", "127.0.0.1", "exceptions_exceptioncase")
    assert '"DISMISSED"' in closed["after"]
    assert AuditEntry.objects.filter(deed="READ", relation="sheet:audit_trail").exists()


def test_the_cost_of_a_page_does_not_depend_on_what_is_there(auditor: Client, acted: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            text(auditor)
        return len(seen)

    few = queries()
    with database.cursor() as cursor:
        for _time in range(60):
            cursor.execute("UPDATE orders_order SET total = total + 1")
    assert queries() == few


def test_it_speaks_german(auditor: Client, acted: User) -> None:
    User.objects.update(language="de")
    with translation.override("de"):
        assert "Prüfspur" in text(auditor)
