"""Bank statements over the API and on the page: whole or not at all, known the second time, refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from integration_hub.messaging import files as door
from integration_hub.messaging import pump
from integration_hub.models import Activity, Connection, InboundEvent, User
from tests.api.conftest import Caller
from tests.connectors.bank import files

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(db: None) -> Connection:
    return Connection.objects.create(kind="bank", slug="hausbank", name="Hausbank", role="BANK")


def send(client: Client, body: bytes, connection: str = "hausbank", name: str = "auszug.xml") -> Any:
    address = f"{reverse('api:statements')}?connection={connection}&name={name}"
    return client.post(address, body, content_type="application/octet-stream")


def test_a_file_is_taken_once_whatever_it_is_called(bank: Connection, caller: Caller) -> None:
    client = caller("finance")
    answer = send(client, files.camt())
    assert answer.status_code == 202, answer.content
    (taken,) = answer.json()
    assert (taken["new"], taken["state"]) == (True, "DUE")
    again = send(client, files.camt(), name="derselbe.xml")
    assert again.status_code == 200
    assert [one["new"] for one in again.json()] == [False]
    assert InboundEvent.objects.get().door == "FILE"
    pump.drain()
    assert InboundEvent.objects.get().state != "PARKED"
    assert Activity.objects.filter(action="files.taken").count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (files.camt()[:-80], 422), (files.camt(closing="1.00"), 422), (b"<html></html>", 422)],
)
def test_what_is_not_whole_is_refused_and_nothing_is_kept(
    bank: Connection, caller: Caller, body: bytes, status: int
) -> None:
    answer = send(caller("finance"), body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert not InboundEvent.objects.exists()


def test_a_file_that_is_too_large_and_an_unknown_bank_are_refused(
    bank: Connection, shop: Connection, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MAX_BYTES", 100)
    assert send(caller("finance"), files.camt()).status_code == 413
    assert send(caller("finance"), b"x", connection="nobody").status_code == 400
    assert send(caller("finance"), b"x", connection=shop.slug).status_code == 409


def upload(client: Client, bank: Connection, *bodies: bytes) -> Any:
    given = [SimpleUploadedFile(f"auszug-{number}.xml", body) for number, body in enumerate(bodies)]
    return client.post(reverse("statements"), {"connection": bank.pk, "chosen": given}, follow=True)


def test_finance_uploads_and_sees_what_came_of_it(
    bank: Connection, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("finance"))
    page = upload(client, bank, files.camt(), files.MT940).content.decode()
    assert "auszug-0.xml" in page
    assert InboundEvent.objects.count() == 2
    upload(client, bank, files.camt())
    assert InboundEvent.objects.count() == 2


def test_each_file_gets_an_answer_of_its_own(bank: Connection, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("finance"))
    answer = upload(client, bank, files.camt()[:-80], files.MT940)
    assert answer.status_code == 422
    assert InboundEvent.objects.count() == 1
    assert "auszug-0.xml" in answer.content.decode()


def test_others_have_no_door(bank: Connection, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("marketing"))
    assert client.get(reverse("statements")).status_code == 403


def test_without_a_bank_the_page_says_what_to_do(client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("finance"))
    assert "Integrator" in client.get(reverse("statements")).content.decode()
