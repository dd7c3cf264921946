"""Mapping as a person does it: an unmapped listing, a suggestion with its reason, one click, and the orders run on."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import translation
from playwright.sync_api import Page, expect

from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from inventory.models import Listing, Variant
from tests import spine, standin
from tests.inventory.catalogue import says


def german(text: str) -> str:
    with translation.override("de"):
        return str(translation.gettext(text))


def test_a_suggestion_is_confirmed_and_the_waiting_order_runs_on(
    page: Page,
    sign_in: Callable[..., User],
    joined: Connection,
    erp: Connection,
    world: standin.World,
    picture: Callable[[str], None],
) -> None:
    says(erp, id="1", sku="KANNE-1", title="Teekanne 1,0 l, weiß", gtin="4006381333931")
    says(erp, id="2", sku="SIEB-2", title="Teesieb Edelstahl")
    spine.say(joined, standin.order(1))
    spine.run()
    says(joined, id="900", sku="TK-100", title="Teekanne 1,0 l")
    says(joined, id="901", sku="sieb 2", title="Sieb", options={"Farbe": "silber"})
    says(joined, id="902", sku="GESCHENK", title="Geschenkverpackung")
    assert spine.open_kinds() == {"unknown_product"}

    sign_in("operations", "anna")
    page.goto("/articles/mapping/")
    row = page.get_by_role("row").filter(has_text="TK-100")
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    picture("mapping")
    row.get_by_text("KANNE-1").click()
    expect(row.get_by_role("checkbox")).to_be_checked()  # choosing ticks the row
    page.get_by_role("button", name=german("Confirm the ticked ones")).click()

    expect(page.get_by_text("1 Artikel zugeordnet. 1 Auftrag läuft weiter.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="TK-100")).to_have_count(0)
    pump.drain()
    assert (spine.open_cases(), spine.sales(world)) == ([], [1])

    page.get_by_label(german("Tick every row with a suggestion chosen")).check()  # the sure ones
    page.get_by_role("button", name=german("Confirm the ticked ones")).click()
    expect(page.get_by_role("row").filter(has_text="SIEB")).to_have_count(0)
    assert Listing.objects.get(external_id="901").variant == Variant.objects.get(sku="SIEB-2")

    page.get_by_role("link", name=german("Another article …")).click()
    number = page.get_by_label(german("Number of the article"))
    number.press_sequentially("KAN")
    expect(page.locator("datalist option[value='KANNE-1']")).to_have_count(1)
    picture("listing")
    page.goto(f"/articles/{Variant.objects.get(sku='KANNE-1').pk}/")
    expect(page.get_by_role("heading", name=german("Called elsewhere"))).to_be_visible()
    picture("article")
