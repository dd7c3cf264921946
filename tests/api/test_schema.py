"""The schema says what the API does, without a warning, and its page works under our content policy."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.conftest import order

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", "--format", "openapi-json", stdout=out)
    return dict(json.loads(out.getvalue()))


def test_it_names_every_endpoint(schema: dict[str, Any]) -> None:
    paths = {path.removeprefix("/api/v1/") for path in schema["paths"]}
    assert {
        "orders/",
        "orders/{id}/",
        "orders/{id}/actions/{code}/",
        "movements/",
        "movements/{id}/",
        "movements/{id}/actions/{code}/",
        "payouts/",
        "payouts/{id}/",
        "payouts/{id}/actions/{code}/",
        "refunds/",
        "refunds/{id}/",
        "refunds/{id}/actions/{code}/",
        "disputes/",
        "disputes/{id}/",
        "bank-lines/",
        "bank-lines/{id}/",
        "open-items/",
        "open-items/{order}/",
        "documents/",
        "documents/{id}/",
        "documents/{id}/actions/{code}/",
        "account-rules/",
        "account-rules/{id}/",
        "entries/",
        "entries/{id}/",
        "entries/{id}/actions/{code}/",
        "exports/",
        "exports/{id}/",
        "exports/{id}/actions/{code}/",
        "exports/{id}/files/{part}/",
        "exports/make/",
        "after-sales/",
        "after-sales/{id}/",
        "after-sales/{id}/actions/{code}/",
        "stock/levels/",
        "stock/levels/{id}/",
        "stock/movements/",
        "stock/movements/{id}/",
        "stock/reservations/",
        "stock/reservations/{id}/",
        "stock/availability/",
        "stock/availability/{id}/",
        "stock/drifts/",
        "stock/drifts/{id}/",
        "customers/",
        "customers/{id}/",
        "products/",
        "products/{id}/",
        "products/{id}/actions/{code}/",
        "listings/",
        "listings/{id}/",
        "listings/{id}/actions/{code}/",
        "exceptions/",
        "exceptions/{id}/",
        "exceptions/{id}/actions/{code}/",
        "connections/",
        "connections/{slug}/",
        "completeness/",
        "completeness/{id}/",
        "completeness/{id}/actions/{code}/",
        "events/{id}/",
        "reports/orders/",
        "statements/",
        "approvals/",
        "approvals/{id}/",
        "approvals/{id}/actions/{code}/",
        "exception-jobs/",
        "exception-jobs/{id}/",
        "exception-jobs/{id}/stop/",
        "exception-rules/",
        "exception-rules/{id}/",
        "exception-rules/{id}/actions/{code}/",
        "exceptions/{id}/try/{code}/",
        "reports/special-cases/",
        "self-healings/",
        "self-healings/{id}/",
    } == paths


def test_the_example_keeps_to_the_schema_and_a_number_for_money_does_not(schema: dict[str, Any]) -> None:
    wanted = {"$ref": "#/components/schemas/OrderInRequest", "components": schema["components"]}
    check = jsonschema.Draft202012Validator(wanted)
    assert not list(check.iter_errors(order()))
    assert list(check.iter_errors(order(total=28.7)))
    assert list(check.iter_errors(order(stage="SOLD")))


def test_a_login_is_asked_for(person: Callable[..., Any]) -> None:
    assert Client().get("/api/schema/").status_code == 401
    browser = Client()
    browser.force_login(person("integrator"))
    assert browser.get("/api/schema/").status_code == 200


def test_the_page_has_no_inline_script(person: Callable[..., Any]) -> None:
    browser = Client()
    browser.force_login(person("integrator"))
    page = browser.get("/api/docs/").content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert scripts
    assert all("src=" in head and not body.strip() for head, body in scripts)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert not re.search(r"\son\w+=", page)
