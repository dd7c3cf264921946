"""The books as a person uses them: why an account, a change of the mapping shown before, a month from dry run to file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounting.models import Export
from accounting.services import exporting
from integration_hub.models import Connection, User
from orders.models import Order
from tests import spine, standin
from tests.accounting import ledger, reader
from tests.accounting.test_export import month
from tests.browser.test_exception_list import german
from tests.conftest import make_connection
from tests.payments import provider

SignIn = Callable[..., User]


@pytest.fixture
def psp(db: None) -> Connection:
    provider.TILL = provider.Till()
    return make_connection(provider.StandinProvider.code, "stripe", "PAYMENT")


@pytest.fixture
def ordered(shop: Connection) -> Callable[..., Order]:
    def make(number: int = 1, **changes: Any) -> Order:
        spine.say(shop, standin.order(number, **changes))
        spine.run()
        return Order.objects.get(channel=shop, external_id=str(number))

    return make


def test_a_month_from_the_mapping_to_the_file(
    page: Page,
    sign_in: SignIn,
    psp: Connection,
    ordered: Callable[..., Order],
    picture: Callable[[str], None],
    tmp_path: Path,
) -> None:
    month(psp, ordered)
    sign_in("finance")
    page.goto(reverse("postings"))
    picture("postings")
    page.get_by_role("row").filter(has_text="RE-2026-1").filter(has_text="8400").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=german("Lines, and why these accounts"))).to_be_visible()
    picture("entry")
    page.goto(reverse("account_mapping") + "?event=REVENUE")
    page.get_by_role("row").filter(has_text="8400").get_by_role("link", name=german("change")).click()
    page.fill("input[name=account]", "8401")
    page.fill("input[name=why]", "Versand getrennt")
    page.get_by_label(german("Post again what stands in open months")).check()
    page.get_by_role("button", name=german("Show what would change")).click()
    expect(page.get_by_role("status")).to_contain_text("8401")
    picture("account-mapping")
    page.get_by_role("button", name=german("Keep as a new version")).click()
    page.wait_for_url(lambda url: "account=" not in url)
    ledger.post()
    assert "8401" in ledger.balances()
    page.goto(reverse("exports"))
    page.get_by_role("link", name=german("Dry run")).click()
    expect(page.get_by_text(german("DATEV would take all of it"))).to_be_visible()
    picture("dry-run")
    page.get_by_role("button", name=german("Export"), exact=True).click()
    page.wait_for_url(lambda url: url.rstrip("/").endswith(str(Export.objects.get().pk)))
    while exporting.work():
        pass
    page.reload()
    expect(page.get_by_role("heading", name=german("Proof"))).to_be_visible()
    picture("export")
    with page.expect_download() as taken:
        page.get_by_role("button", name=german("Take"), exact=True).click()
    taken.value.save_as(tmp_path / "file.csv")
    batch = reader.read((tmp_path / "file.csv").read_bytes())
    assert (taken.value.suggested_filename[:5], batch.findings, len(batch.rows)) == ("EXTF_", [], 11)
    page.goto(reverse("books_choices"))
    picture("books-choices")
    page.goto(reverse("chain", args=["order", Order.objects.get(external_id="1").pk]))
    picture("chain-posted")
