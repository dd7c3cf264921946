"""Oversold in the browser: from the exception to the back-order, and to the page that says who holds what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox
from integration_hub.models import Connection
from integration_hub.models.inbound import Door
from orders import stock
from tests import standin
from tests.inventory import stocked


@pytest.fixture
def oversold(joined: Connection, erp: Connection) -> Any:
    """Ten teapots, three orders of two each, then only three are left."""
    pot, main = stocked.article("TK-100"), stocked.place(source=erp)
    stocked.sells(joined, main)
    stocked.switch(joined, stock.RESERVE_STOCK, erp)
    stocked.put(pot, main, 10)
    rows = [standin.order(number) for number in (1, 2, 3)]
    inbox.store(joined, [Delivery("order.updated", str(row["id"]), codec.canonical(row)) for row in rows], Door.WEBHOOK)
    stocked.run()
    stocked.state(erp, ("TK-100", "haupt", 3, "TK-100"))
    return pot


def test_what_is_missing_is_back_ordered(oversold: Any, page: Page, sign_in: Callable[[str], Any]) -> None:
    sign_in("operations")
    page.goto("/exceptions/?tab=all&kind=oversold")
    page.get_by_role("link", name="überverkauft").first.click()
    expect(page.get_by_text("2 Aufträge von Laden können nicht bedient werden").first).to_be_visible()
    form = page.locator("form", has=page.get_by_label("Lieferbar bis")).first
    form.get_by_label("Lieferbar bis").fill("2030-01-31")
    form.get_by_role("button").last.click()
    expect(page.get_by_text("3 in Rückstand genommen").first).to_be_visible()
    page.goto(f"/stock/{oversold.pk}/")
    expect(page.get_by_role("row", name="Laden #3").first).to_contain_text("Rückstand")
    expect(page.get_by_role("row", name="Laden #1").first).not_to_contain_text("Rückstand")
    expect(page.get_by_role("img", name="Bestand im Zeitverlauf")).to_be_visible()
