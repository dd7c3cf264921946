"""The rooms in the browser: figures that change without a reload, no serious finding of axe-core, fit for a tablet."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from integration_hub.dashboards import rollup
from integration_hub.models import User
from tests import standin
from tests.dashboards.filled import Filled, deliver, fill

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TABLET = {"width": 820, "height": 1180}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "/start/finance/ /start/operations/ /start/integrator/ /start/auditor/ /figures/exceptions/ /exceptions/?tab=all /orders/"
    " /connections/ /commands/ /activity/ /payouts/ /mapping/ /stock/"
).split()


@pytest.fixture
def filled(joined: Any, erp: Any, world: standin.World) -> Filled:
    made = fill(joined, erp, world)
    rollup.run()
    return made


def findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical: the rule and where."""
    page.evaluate(AXE.read_text())
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_finding(scheme: str, page: Page, sign_in: Callable[..., User], filled: Filled) -> None:
    sign_in("administrator")
    page.evaluate("scheme => localStorage.setItem('adminTheme', JSON.stringify(scheme))", scheme)
    found = {}
    for url in PAGES:
        page.goto(url)
        if serious := findings(page):
            found[url] = serious
    assert found == {}


def test_figures_change_without_a_reload_and_can_be_halted(
    page: Page, sign_in: Callable[..., User], filled: Filled
) -> None:
    sign_in("operations")
    page.goto("/start/operations/")
    page.evaluate("window.kept = true")
    waiting = page.locator("a.hub-tile", has_text="Warten auf Verarbeitung").locator("b")
    expect(waiting).to_have_text("0")
    deliver(standin.order(41))
    expect(waiting).to_have_text("1", timeout=15_000)
    assert page.evaluate("window.kept") is True
    page.get_by_role("button", name="Anhalten").click()
    deliver(standin.order(42))
    page.wait_for_timeout(6_000)
    expect(waiting).to_have_text("1")


def test_the_rooms_fit_a_tablet(page: Page, sign_in: Callable[..., User], filled: Filled) -> None:
    sign_in("administrator")
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    for url in ("/start/finance/", "/start/operations/", "/start/integrator/", "/figures/exceptions/"):
        page.goto(url)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, url


def test_charts_say_their_numbers_as_a_table(page: Page, sign_in: Callable[..., User], filled: Filled) -> None:
    sign_in("operations")
    page.goto("/start/operations/?period=week")
    chart = page.locator("figure#tries")
    chart.get_by_text("Zahlen als Tabelle").click()
    expect(chart.get_by_role("row")).to_have_count(2)
    expect(chart.get_by_role("columnheader").first).to_have_text("Stunde")


@pytest.mark.skipif("HUB_PICTURES" not in os.environ, reason="makes pictures for the manual")
@pytest.mark.parametrize(("scheme", "language"), [("light", "de"), ("dark", "en")])
def test_pictures_of_the_rooms(
    scheme: str, language: str, page: Page, sign_in: Callable[..., User], filled: Filled
) -> None:
    user = sign_in("administrator")
    User.objects.filter(pk=user.pk).update(language=language)
    page.evaluate("scheme => localStorage.setItem('adminTheme', JSON.stringify(scheme))", scheme)
    page.set_viewport_size({"width": 1280, "height": 1000})
    for url in ("/start/finance/", "/start/operations/", "/figures/exceptions/"):
        page.goto(url)
        page.wait_for_timeout(600)
        name = re.sub(r"\W+", "-", url.strip("/")).replace("start-", "room-")
        page.screenshot(path=Path(os.environ["HUB_PICTURES"]) / f"{name}-{scheme}-{language}.png")
