"""Every error is a problem (RFC 9457), whoever raised it and wherever."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.test import Client
from rest_framework.exceptions import ValidationError

from integration_hub.api import problems
from integration_hub.kernel import errors as hub
from orders.api import OrderViewSet
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


def assert_problem(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = dict(answer.json())
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    assert said["type"].startswith("urn:hub:problem:")
    if code:
        assert said["type"] == f"urn:hub:problem:{code}"
    return said


def test_an_address_that_is_none_is_404(caller: Caller) -> None:
    client = caller("operations")
    for url in (
        "/api/",
        "/api/v1/nothing/",
        "/api/v1/orders/1/",
        "/api/v1/orders/x/",
        "/api/v1/orders/" + "9" * 40 + "/",
    ):
        assert_problem(client.get(url), 404)
    assert_problem(Client().get("/api/v1/nothing/"), 404)


def test_pages_that_are_not_the_api_keep_their_own_404() -> None:
    answer = Client().get("/no/such/page")
    assert answer.status_code == 404
    assert "problem" not in answer.headers["Content-Type"]


def test_method_type_and_format_have_their_problems(caller: Caller) -> None:
    client = caller("administrator")
    wrong = assert_problem(client.delete("/api/v1/orders/"), 405, "method-not-allowed")
    assert "DELETE" in wrong["detail"]
    assert "Allow" in client.delete("/api/v1/orders/").headers
    assert_problem(client.post("/api/v1/reports/orders/", b"<a/>", content_type="application/xml"), 415)
    assert_problem(client.get("/api/v1/orders/", headers={"Accept": "application/xml"}), 406)
    assert_problem(Client().get("/api/schema/", headers={"Accept": "application/yaml"}), 401)


def test_a_session_without_its_csrf_token_changes_nothing(person: Callable[..., Any]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("administrator"))
    answer = browser.post("/api/v1/reports/orders/", b"{}", content_type="application/json")
    assert_problem(answer, 403)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (hub.NotNow("no", code="not_now"), 409, "not-now"),
        (hub.RetryLater("busy"), 503, "service-unavailable"),
        (hub.Rejected("no"), 422, "unprocessable-entity"),
        (hub.Misconfigured("no", code="no_key"), 503, "no-key"),
        (hub.Unauthentic("no"), 401, "unauthorized"),
        (hub.TooLarge("no"), 413, "request-entity-too-large"),
        (hub.Defect("no"), 500, "internal-server-error"),
        (OperationalError("gone"), 503, "service-unavailable"),
        (RequestDataTooBig("much"), 413, "request-entity-too-large"),
    ],
)
def test_the_errors_of_the_house_have_their_status(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def broken(*_args: Any) -> None:
        raise error

    monkeypatch.setattr(OrderViewSet, "get_queryset", broken)
    answer = caller("operations").get("/api/v1/orders/")
    assert_problem(answer, status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_an_error_nobody_foresaw_is_a_problem_without_its_inside(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any) -> None:
        raise ZeroDivisionError("the inside")

    monkeypatch.setattr(OrderViewSet, "get_queryset", broken)
    client = caller("operations")
    client.raise_request_exception = False
    said = assert_problem(client.get("/api/v1/orders/"), 500, "defect")
    assert "inside" not in str(said)


def test_a_host_that_is_not_ours_is_a_problem_too() -> None:
    assert_problem(Client().get("/api/v1/orders/", headers={"Host": "evil.example"}), 400)


def test_places_are_json_pointers() -> None:
    error = ValidationError({"a/b": [{"c~d": ["wrong"]}], "non_field_errors": ["all of it"]})
    answer = problems.problem_handler(error, {})
    assert answer is not None
    assert [(place["pointer"], place["detail"]) for place in json.loads(answer.content)["errors"]] == [
        ("#/a~1b/0/c~0d", "wrong"),
        ("#", "all of it"),
    ]
