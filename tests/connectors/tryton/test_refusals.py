"""What Tryton's answers mean, each as it was seen on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses

from integration_hub.connectors._tryton_rest import Rest
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater

from .orders import config

URL = "https://erp.example.com/erp/rest/model/sale.sale"
HTML = "<!doctype html><title>400 Bad Request</title><p>Unable to get RPC method</p>"
RULE = '{"status": 400, "message": "The web ID on the sale must be unique per shop.", "description": "See shop."}'


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def rest() -> Rest:
    settings = config()
    return Rest(Http(secrets=[settings.api_key]), settings.url, settings.database, settings.api_key, {"company": 1})


def refused(wire: responses.RequestsMock, rest: Rest, **answer: Any) -> HubError:
    """The error when a create is answered like this."""
    wire.post(URL, **answer)
    with pytest.raises(HubError) as caught:
        rest.create("sale.sale", {})
    return caught.value


def test_a_rule_of_the_erp_is_final_and_told(wire: responses.RequestsMock, rest: Rest) -> None:
    error = refused(wire, rest, status=400, body=RULE, content_type="application/json")

    assert isinstance(error, Rejected)
    assert "must be unique per shop. See shop." in str(error)


@pytest.mark.parametrize("status", [400, 500, 504])
def test_a_fault_in_html_may_have_been_written(wire: responses.RequestsMock, rest: Rest, status: int) -> None:
    error = refused(wire, rest, status=status, body=HTML, content_type="text/html; charset=utf-8")

    assert isinstance(error, RetryLater)
    assert error.maybe_written


def test_a_lost_race_has_written_nothing(wire: responses.RequestsMock, rest: Rest) -> None:
    error = refused(wire, rest, status=503, body=HTML, content_type="text/html")

    assert isinstance(error, RetryLater)
    assert not error.maybe_written


def test_silence_may_have_been_written(wire: responses.RequestsMock, rest: Rest) -> None:
    error = refused(wire, rest, body=requests.ReadTimeout())

    assert isinstance(error, RetryLater)
    assert error.maybe_written


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_for_the_integrator(wire: responses.RequestsMock, rest: Rest, status: int) -> None:
    assert isinstance(refused(wire, rest, status=status, body="no"), Misconfigured)


def test_too_many_logins_wait_for_five_minutes(wire: responses.RequestsMock, rest: Rest) -> None:
    error = refused(wire, rest, status=429, body="slow")

    assert isinstance(error, RetryLater)
    assert error.after == timedelta(minutes=5)


def test_no_database_and_no_record_are_told_apart(wire: responses.RequestsMock, rest: Rest) -> None:
    wire.put(f"{URL}/7", status=404, body="Not Found")

    with pytest.raises(RetryLater) as gone:
        rest.write("sale.sale", 7, {})

    assert gone.value.code == "gone_meanwhile"
    assert isinstance(refused(wire, rest, status=404, body="Not Found"), Misconfigured)


@pytest.mark.parametrize("row", ['{"id": 1}', '{"id": 1, "party": {"id": 2}}', '{"id": 1, "party": [{"id": 3}]}'])
def test_a_field_that_the_user_may_not_read_is_named(wire: responses.RequestsMock, rest: Rest, row: str) -> None:
    wire.get(URL, body=f"[{row}]", content_type="application/json")

    with pytest.raises(Misconfigured, match=r"party\.code of sale\.sale"):
        rest.search("sale.sale", [], ["party.code"])


def test_an_empty_reference_lacks_nothing(wire: responses.RequestsMock, rest: Rest) -> None:
    wire.get(URL, body='[{"id": 1, "party": null}]', content_type="application/json")

    assert rest.search("sale.sale", [], ["party.code"]) == [{"id": 1, "party": None}]
