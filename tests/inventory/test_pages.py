"""The pages of articles: what waits, with suggestions; confirm many; what others say differently; who owns what."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from integration_hub.models import Connection, User
from inventory import services
from inventory.models import Field, FieldOwner, How, Kind, Listing, MappingStep, Owner, Variant
from inventory.services import Named
from orders.models import Order
from tests import spine, standin
from tests.inventory.catalogue import article, listing, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(person: Callable[..., User]) -> Client:
    return signed_in(person("operations"))


def signed_in(user: User) -> Client:
    User.objects.filter(pk=user.pk).update(language="en")
    client = Client()
    client.force_login(user)
    return client


def told(answer: object) -> list[str]:
    return [str(message) for message in answer.context["messages"]]  # type: ignore[attr-defined]


def test_ticked_suggestions_are_confirmed_and_orders_run_on(
    joined: Connection, erp: Connection, world: standin.World, operator: Client
) -> None:
    says(erp, id="1", sku="KANNE-1", title="Teekanne 1,0 l", gtin="4006381333931")
    says(erp, id="2", sku="SIEB-1", title="Teesieb")
    for number in (1, 2):
        spine.say(joined, standin.order(number))
    spine.run()
    says(joined, id="900", sku="TK-100", title="Teekanne 1,0 l")
    says(joined, id="901", sku="sieb1", title="Sieb")
    says(joined, id="902", sku="???", title="xyz")
    page = operator.get("/articles/mapping/?waiting=on")
    assert [row.listing.external_id for row in page.context["rows"]] == ["900"]
    rows = operator.get("/articles/mapping/").context["rows"]
    assert [(row.listing.external_id, row.waiting, [s.why for s in row.suggestions]) for row in rows] == [
        ("902", 0, []),
        ("901", 0, ["same_sku"]),
        ("900", 2, ["title"]),
    ]
    ticked = {f"choice-{row.listing.pk}": f"{row.suggestions[0].variant.pk}:98" for row in rows if row.suggestions}
    ticked["pick"] = [str(row.listing.pk) for row in rows]  # type: ignore[assignment]
    answer = operator.post(reverse("mapping_confirm"), ticked, follow=True)
    assert told(answer) == ["2 articles mapped. 2 orders run on.", "??? xyz: no suggestion was chosen."]
    spine.run()
    assert (spine.open_cases(), spine.sales(world)) == ([], [1, 1])
    step = MappingStep.objects.filter(external_id="900").get()
    assert (step.how, step.score, step.by and step.by.username) == (How.SUGGESTION, 98, "operations")
    assert operator.get("/articles/mapping/history/?how=SUGGESTION").context["slice"].rows[0].how == How.SUGGESTION


def test_the_page_costs_the_same_for_one_and_for_many(shop: Connection, operator: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(database) as seen:
            assert operator.get("/articles/mapping/").status_code == 200
        return len(seen)

    Variant.objects.create(sku="TK-1", title="Kanne")
    Listing.objects.create(connection=shop, external_id="x", sku="TK1", title="Kanne")
    few = cost()
    Listing.objects.bulk_create(
        Listing(connection=shop, external_id=str(n), sku=f"S{n}", title=f"Kanne {n}") for n in range(40)
    )
    assert cost() == few


def test_a_listing_is_mapped_set_aside_and_taken_back_on_its_page(
    shop: Connection, erp: Connection, operator: Client
) -> None:
    says(erp, id="1", sku="KANNE-1", title="Kanne")
    says(shop, id="7", sku="other", title="Etwas")
    row = listing(shop, "7")

    def do(code: str, **given: str) -> Listing:
        operator.post(reverse("listing_action", args=[row.pk, code]), given)
        assert operator.get(reverse("listing", args=[row.pk])).status_code == 200
        return listing(shop, "7")

    assert do("inventory.map", sku="nothing").variant is None
    assert do("inventory.map", sku="KANNE-1", why="the same pot").variant == article("KANNE-1")
    assert do("inventory.undo").variant is None
    assert do("inventory.ignore", why="gift wrapping").ignored
    assert "7" not in [row.listing.external_id for row in operator.get("/articles/mapping/").context["rows"]]
    assert not do("inventory.undo").ignored
    assert "KANNE-1" in operator.get(reverse("article_lookup", args=["sku"]), {"q": "kan"}).content.decode()


def test_differences_and_owners(shop: Connection, erp: Connection, person: Callable[..., User]) -> None:
    says(erp, title="Sieb", price="9.90", currency="EUR", price_includes_tax=True)
    says(shop, title="Teesieb", price="8.00", currency="EUR", price_includes_tax=True)
    client = signed_in(person("integrator"))
    said = client.get("/articles/differences/?field=price").context["said"]
    with translation.override("en"):
        shown = [(str(one.label), one.ours, one.theirs, str(one.owner)) for one in said[0][1]]
    assert shown == [
        ("title", "Sieb", "Teesieb", "the ERP"),
        ("price", "€9.90 with tax", "€8.00 with tax", "the ERP"),
    ]
    assert client.get("/articles/owners/").status_code == 200
    row = FieldOwner.objects.get(field=Field.TITLE)
    client.post(reverse("article_own", args=[row.pk]), {"owner": str(shop.pk), "why": "the shop writes them"})
    row.refresh_from_db()
    assert (row.owner, row.connection, article().title) == (Owner.CONNECTION, shop, "Teesieb")
    page = client.get(reverse("article", args=[article().pk]))
    with translation.override("en"):
        others = {str(fact.label): [one.theirs for _system, one, _pk in fact.others] for fact in page.context["facts"]}
    assert (others["title"], others["price"]) == (["Sieb"], ["€8.00 with tax"])


def test_fields_of_another_owner_cannot_be_changed_here(erp: Connection, operator: Client) -> None:
    says(erp, title="Sieb")
    pk, url = article().pk, reverse("article_action", args=[article().pk, "inventory.edit"])
    operator.post(url, {"title": "Anders", "kind": "VOUCHER_MULTI", "deposit": "0.25", "pieces_only": "True"})
    changed = Variant.objects.get(pk=pk)
    assert (changed.title, changed.kind, changed.deposit) == ("Sieb", Kind.GOODS, Decimal("0.25"))
    FieldOwner.objects.create(field=Field.TITLE, owner=Owner.HUB)
    operator.post(url, {"title": "Anders"})
    changed.refresh_from_db()
    assert (changed.title, changed.deposit, changed.pieces_only) == ("Anders", Decimal("0.25"), True)


def test_parts_are_defined_by_lines(erp: Connection, operator: Client) -> None:
    says(erp, id="1", sku="CUP")
    says(erp, id="2", sku="SET", kind="BUNDLE")
    assert spine.open_cases() == [("bundle_without_parts", 1)]
    url = reverse("article_action", args=[article("SET").pk, "inventory.parts"])
    for wrong in ("CUP", "2 NOTHING", "half CUP", "1 SET", "0.5 CUP"):
        operator.post(url, {"parts": wrong, "rule": "BY_PRICE"})
        assert not article("SET").parts.exists(), wrong
    operator.post(url, {"parts": "6 CUP 1,5", "rule": "FIXED"})
    part = article("SET").parts.get()
    assert (part.part, part.quantity, part.share) == (article("CUP"), Decimal(6), Decimal("1.5"))
    assert spine.open_cases() == []
    assert operator.get(reverse("article", args=[article("SET").pk])).status_code == 200
    says(erp, id="2", sku="SET", kind="BUNDLE", parts=[{"sku": "CUP", "quantity": "4"}])
    operator.post(url, {"parts": "1 CUP", "rule": "BY_PRICE"})
    assert article("SET").parts.get().quantity == 4


def test_a_held_order_is_matched_as_the_listing_says(joined: Connection, erp: Connection) -> None:
    says(erp, id="1", sku="KANNE-1")
    says(joined, id="31", sku="TK-100")
    services.mean(joined, Named(product_id="31", sku="TK-100"), article("KANNE-1"))
    spine.say(joined, standin.order(1))
    spine.run()
    line = Order.objects.get().lines.exclude(variant=None).get()
    assert line.variant == article("KANNE-1")
