"""Headless Chromium for the browser tests: ``page`` is a fresh German browser, ``sign_in(role)`` goes through the door.

Chromium is HUB_CHROMIUM or the one on PATH.  Where there is none the tests are skipped, in CI (CI=true) they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from integration_hub.models import User

WIDE: ViewportSize = {"width": 1440, "height": 900}
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid.replace(os.sep, "/"):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


def _chromium() -> str:
    found = os.environ.get("HUB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(
            "no Chromium on this machine, and CI must not skip the browser tests (install it or set HUB_CHROMIUM)"
        )
    pytest.skip("no Chromium on this machine (install it or set HUB_CHROMIUM)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session.  Playwright's loop runs in this thread, so Django must be told that this is meant."""
    path = _chromium()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page of a fresh German browser at the live server; a script error or a blocked resource fails the test."""
    context = browser.new_context(base_url=live_server.url, locale="de-DE", timezone_id="Europe/Berlin", viewport=WIDE)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.extend(_refusals(message)))
    yield opened
    context.close()
    assert not wrong, wrong


def _refusals(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" and "Content Security Policy" in message.text else []


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """``picture("exception-list")`` keeps what the page shows for the documentation, where HUB_PICTURES names a folder."""

    def keep(name: str) -> None:
        if folder := os.environ.get("HUB_PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}.png")

    return keep


@pytest.fixture
def sign_in(page: Page, person: Callable[..., User]) -> Callable[..., User]:
    """``sign_in("operations")`` makes somebody of that role and signs them in through the real login page."""

    def through_the_door(role: str, name: str = "") -> User:
        user = person(role, name)
        page.goto("/admin/login/?next=/")
        page.fill("input[name=username]", user.username)
        page.fill("input[name=password]", "pw-for-tests-1")
        page.click("form button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        return user

    return through_the_door
