"""The page of the API works under our content policy: it draws, and nothing of it is blocked."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from integration_hub.models import User


def test_the_page_of_the_api_draws_and_nothing_is_blocked(page: Page, sign_in: Callable[..., User]) -> None:
    said: list[tuple[str, str]] = []
    page.on("console", lambda message: said.append((message.type, message.text)))
    sign_in("integrator")
    page.goto("/api/docs/")
    report = page.get_by_role("button", name="POST /api/v1/reports/orders/")
    expect(report.first).to_be_visible()
    report.first.click()
    expect(page.get_by_text("Idempotency-Key").first).to_be_visible()
    assert not [text for kind, text in said if kind == "error"]
