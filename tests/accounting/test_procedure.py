"""The procedural documentation is drawn up from what is in force, stored for good, and says what changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounting.models import IssuingRule, NumberRange, ProcedureDocument, Seller
from accounting.services import procedure
from accounting.services.retention import PERIODS, kept_until
from integration_hub.messaging import switches
from integration_hub.messaging.switches import Setting
from integration_hub.models import Connection, ProcessSwitch, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(person: Callable[..., User]) -> User:
    return person("finance", "frida")


def rows_of(document: ProcedureDocument, code: str) -> list[list[str]]:
    (found,) = [chapter["rows"] for chapter in document.chapters if chapter["code"] == code]
    return list(found)


def test_it_says_what_is_in_force(joined: Connection, writer: User) -> None:
    Seller.objects.create(valid_from=date(2026, 1, 1), name="Teehaus GmbH", street="Gasse 1", postal_code="20095", city="Hamburg", vat_id="DE136695976")  # fmt: skip
    numbers = NumberRange.objects.create(name="Rechnungen", pattern="RE-{year}-{number}")
    IssuingRule.objects.create(channel=joined, invoices=numbers)
    made = procedure.draw_up(by=writer, why="before going live")
    assert ["Name", "Teehaus GmbH"] not in rows_of(made, "purpose")
    assert ["Firma", "Teehaus GmbH"] in rows_of(made, "purpose")
    assert [row[:2] for row in rows_of(made, "processes")] == [
        ["Laden", "Aufträge ins ERP"],
        ["Laden", "Status zurück an den Shop"],
    ]
    assert [row[0] for row in rows_of(made, "systems")] == ["Erp", "Laden"]
    assert rows_of(made, "issuing")[0][:2] == ["Laden", "der Hub"]
    assert "RE-{year}-{number}" in rows_of(made, "numbers")[0]
    assert {row[0] for row in rows_of(made, "roles")} >= {"Finanzen", "Prüfung"}
    for chapter in made.chapters:
        assert chapter["title"] in made.content
        assert all(len(row) == len(chapter["head"]) for row in chapter["rows"])


def test_secrets_are_not_in_it(joined: Connection, writer: User) -> None:
    assert "s3cret-for-tests" not in procedure.draw_up(by=writer, why="first version").content


def test_a_version_names_what_changed_since_the_one_before(joined: Connection, writer: User) -> None:
    assert procedure.changes(procedure.draw_up(by=writer, why="first version")) == []
    assert procedure.changes(procedure.draw_up(by=writer, why="nothing happened")) == []
    switch = ProcessSwitch.objects.filter(channel=joined, process="order_to_erp").get()
    process = switches.process_of("order_to_erp")
    assert process
    switches.put(joined, process, Setting(enabled=False, target=switch.target, since=switch.since), by=writer)
    (change, history) = procedure.changes(procedure.draw_up(by=writer, why="switched off"))
    assert [row[3] for row in change.went] == ["ja"]
    assert [row[3] for row in change.came] == ["nein"]
    assert history.came


def test_versions_are_numbered_chained_and_stay(writer: User) -> None:
    first, second = (procedure.draw_up(by=writer, why="for the year", language=code) for code in ("de", "en"))
    assert (first.version, second.version, second.previous) == (1, 2, first.sha256)
    assert sha256(second.content.encode()).hexdigest() == second.sha256
    assert "Purpose and company" in second.content
    for change in (
        lambda: ProcedureDocument.objects.update(content="nothing"),
        lambda: ProcedureDocument.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_finance_draws_up_the_auditor_reads_and_others_stay_out(
    writer: User, person: Callable[..., User], client: Client
) -> None:
    client.force_login(writer)
    asked = {"language": "de", "why": "for the tax audit"}
    made = client.post(reverse("procedure_draw_up"), asked, follow=True)
    assert made.status_code == 200
    assert client.post(reverse("procedure_draw_up"), {"language": "de", "why": ""}).status_code == 422
    client.force_login(person("auditor"))
    for name, args in (("procedures", []), ("procedure", [1]), ("procedure_file", [1])):
        assert client.get(reverse(name, args=args)).status_code == 200
    assert client.post(reverse("procedure_draw_up"), asked).status_code == 403
    file = client.get(reverse("procedure_file", args=[1]))
    assert file.content.decode() == ProcedureDocument.objects.get().content
    assert "attachment" in file["Content-Disposition"]
    client.force_login(person("marketing"))
    assert client.get(reverse("procedures")).status_code == 403


def test_records_are_kept_to_the_end_of_a_year() -> None:
    assert kept_until("documents", date(2026, 1, 1)) == date(2034, 12, 31)
    assert kept_until("postings", date(2026, 12, 31)) == date(2036, 12, 31)
    with translation.override("de"):
        assert all(str(one.label) for one in PERIODS)
