"""What systems say about articles: the owner makes and changes them, everybody else's word is kept beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exceptions.models import ExceptionCase
from integration_hub.models import Connection, ExternalReference, User
from inventory import services
from inventory.models import Field, How, Kind, Listing, MappingStep, Owner, Product, Variant
from inventory.services import Named, ownership
from tests import spine, standin
from tests.inventory.catalogue import article, drops, listing, says

pytestmark = pytest.mark.django_db
FULL = {
    "gtin": "4006381333931",
    "unit": "kg",
    "group": "Zubehör",
    "tax_class": "voll",
    "weight": "0.25",
    "price": "9.90",
    "currency": "EUR",
    "price_includes_tax": True,
    "product_id": "P1",
    "product_title": "Siebe",
    "options": {"Farbe": "rot"},
}


def test_the_erp_makes_articles_with_all_it_states(erp: Connection) -> None:
    assert says(erp, **FULL) == "DONE"
    made = article()
    assert (made.group, made.tax_class, made.weight, made.price) == (
        "Zubehör",
        "voll",
        Decimal("0.25"),
        Decimal("9.90"),
    )
    assert (made.options, made.pieces_only, made.kind) == ([["Farbe", "rot"]], False, Kind.GOODS)
    assert made.product == Product.objects.get(title="Siebe")
    assert (listing(erp).variant, listing(erp).how, listing(erp).differs) == (made, How.OWNER, [])
    assert says(erp, **FULL, updated_at="2026-11-20T10:00:00Z") == "IGNORED"  # nothing new
    assert says(erp, title="Alt", updated_at="2026-11-19T10:00:00Z") == "IGNORED"  # older
    assert article().title == "Sieb"


def test_what_is_not_stated_changes_nothing(erp: Connection) -> None:
    says(erp, **FULL)
    assert says(erp, title="Teesieb") == "DONE"
    assert (article().title, article().price, article().gtin) == ("Teesieb", Decimal("9.90"), "4006381333931")


def test_a_shop_never_makes_an_article_unless_it_owns_them(shop: Connection, erp: Connection, person: object) -> None:
    assert says(shop) == "DONE"
    assert (Variant.objects.count(), listing(shop).variant) == (0, None)
    owns(shop, Field.ARTICLE)
    says(shop, id="10", sku="TK-10")
    assert listing(shop, "10").variant == article("TK-10")
    assert says(erp, id="1", sku="NEW") == "DONE"
    assert not Variant.objects.filter(sku="NEW").exists()


def owns(connection: Connection | None, *fields: Field) -> None:
    chief, _made = User.objects.get_or_create(username="chief")
    for field in fields:
        ownership.set_owner(field, Owner.CONNECTION if connection else Owner.HUB, connection, by=chief)


def test_the_owner_of_a_field_is_never_overwritten_and_differences_show(shop: Connection, erp: Connection) -> None:
    says(erp, **FULL)
    says(shop, title="Teesieb, rot", price="12.00", currency="EUR", price_includes_tax=True)
    assert (article().title, article().price) == ("Sieb", Decimal("9.90"))
    assert listing(shop).differs == ["title", "price"]
    owns(shop, Field.TITLE)
    assert (article().title, listing(shop).differs, listing(erp).differs) == ("Teesieb, rot", ["price"], ["title"])
    says(erp, title="Sieb 2", price="11.00", currency="EUR", price_includes_tax=True)
    assert (article().title, article().price) == ("Teesieb, rot", Decimal("11.00"))
    says(shop, title="Teesieb")
    assert (article().title, listing(erp).differs) == ("Teesieb", ["title"])
    owns(None, Field.TITLE, Field.PRICE)
    says(shop, title="Anders")
    assert article().title == "Teesieb"


def test_net_and_gross_are_not_compared(shop: Connection, erp: Connection) -> None:
    says(erp, **FULL)
    says(shop, price="8.32", currency="EUR", price_includes_tax=False)
    assert listing(shop).differs == []


def test_of_two_listings_of_one_owner_the_first_speaks(shop: Connection, erp: Connection) -> None:
    says(erp)
    owns(shop, Field.TITLE)
    says(shop, id="1", title="Eins")
    says(shop, id="2", sku="other", title="Zwei")
    services.mean(shop, Named(product_id="2"), article())
    says(shop, id="2", sku="other", title="Drei")
    assert article().title == "Eins"


def test_a_shops_product_is_matched_as_an_order_would_be(shop: Connection, erp: Connection) -> None:
    says(erp, gtin="4006381333931")
    says(shop, id="1")
    says(shop, id="2", sku="X", gtin="4006381333931")
    assert (listing(shop, "1").variant, listing(shop, "1").how) == (article(), How.SKU)
    assert listing(shop, "2").variant is None  # another product of this shop is it already
    assert services.match(shop, [Named(product_id="1", sku="TK-9")]) == [article()]
    says(shop, id="1", sku="other")
    assert listing(shop, "1").variant is None
    assert MappingStep.objects.filter(connection=shop).count() == 2


def test_listings_wait_for_the_article(shop: Connection, erp: Connection) -> None:
    says(shop)
    says(erp)
    assert listing(shop).variant == article()


def test_another_number_keeps_the_article_and_its_old_names(shop: Connection, erp: Connection) -> None:
    says(erp)
    says(shop)
    known = article()
    says(erp, sku="TK-10")
    known.refresh_from_db()
    assert known.sku == "TK-10"
    assert services.match(shop, [Named(sku="TK-9"), Named(sku="TK-10")]) == [known, known]


def test_two_products_with_one_number_are_a_case_and_nothing_is_overwritten(erp: Connection) -> None:
    says(erp)
    says(erp, id="10", title="Ein anderes Sieb")
    assert article().title == "Sieb"
    assert spine.open_cases() == [("sku_twice", 1)]
    says(erp, id="10", sku="TK-10", title="Ein anderes Sieb")
    assert (spine.open_cases(), article("TK-10").title) == ([], "Ein anderes Sieb")


def test_an_article_made_again_in_the_erp_takes_the_place_of_the_old_one(erp: Connection) -> None:
    says(erp)
    says(erp, active=False)
    says(erp, id="10", title="Sieb neu")
    assert (article().title, article().active) == ("Sieb neu", True)
    assert services.target_ids(erp, [article().pk]) == {article().pk: "10"}
    assert spine.open_cases() == []


def test_two_products_of_a_shop_with_one_number(shop: Connection, erp: Connection) -> None:
    says(erp)
    says(shop, id="1")
    says(shop, id="2")
    assert spine.open_cases() == [("sku_twice", 1)]
    names = [Named(product_id="1", sku="TK-9"), Named(product_id="2", sku="TK-9")]
    assert services.match(shop, names) == [article(), None]
    services.mean(shop, Named(product_id="2", sku="TK-9"), article(), why="the same")
    assert services.match(shop, names) == [article(), article()]
    assert (spine.open_cases(), listing(shop, "2").variant) == ([], article())


def test_what_is_gone_stays_known_and_comes_back(shop: Connection, erp: Connection) -> None:
    says(erp, product_id="P", options={"a": "1"})
    says(shop, product_id="P", options={"a": "1"})
    assert drops(shop, product_id="P", kept=["9"]) == "IGNORED"
    assert drops(shop, product_id="P") == "DONE"
    assert (listing(shop).gone, listing(shop).variant, article().active) == (True, article(), True)
    drops(erp, external_id="9")
    assert (article().active, services.target_ids(erp, [article().pk])) == (False, {})
    says(erp, product_id="P")
    assert (article().active, services.target_ids(erp, [article().pk])) == (True, {article().pk: "9"})
    assert drops(shop, external_id="unknown") == "IGNORED"


@pytest.mark.parametrize(
    "wrong", [{"price": "-1", "currency": "EUR"}, {"weight": "1e30"}, {"id": " "}, {"sku": "x" * 81}, {"price": "NaN"}]
)
def test_what_no_article_can_be_is_refused(erp: Connection, wrong: dict[str, str]) -> None:
    assert says(erp, **wrong) == "PARKED"
    assert not Listing.objects.exists()


def test_bundles_come_with_their_parts_and_wait_for_those_unknown(erp: Connection) -> None:
    parts = [{"sku": "CUP", "quantity": "6"}, {"product_id": "77", "quantity": "1"}]
    says(erp, id="1", sku="SET", kind="BUNDLE", parts=parts)
    assert spine.open_cases() == [("article_unknown", 1), ("article_unknown", 1), ("bundle_without_parts", 1)]
    says(erp, id="2", sku="CUP")
    says(erp, id="77", sku="POT")
    assert spine.open_cases() == []
    needs = {
        Variant.objects.get(pk=need.variant_id).sku: need.quantity
        for need in services.parts_of([article("SET").pk])[article("SET").pk]
    }
    assert needs == {"CUP": 6, "POT": 1}


def test_a_cycle_is_a_case_and_the_known_parts_stay(erp: Connection) -> None:
    says(erp, id="1", sku="CUP")
    says(erp, id="2", sku="SIX", kind="BUNDLE", parts=[{"sku": "CUP", "quantity": "6"}])
    says(erp, id="3", sku="SET", kind="BUNDLE", parts=[{"sku": "SIX", "quantity": "1"}])
    says(erp, id="2", sku="SIX", kind="BUNDLE", parts=[{"sku": "SET", "quantity": "1"}])
    assert spine.open_cases() == [("bundle_impossible", 1)]
    assert article("SIX").parts.get().part == article("CUP")
    says(erp, id="2", sku="SIX", kind="BUNDLE", parts=[{"sku": "CUP", "quantity": "12"}])
    assert spine.open_cases() == []


def test_a_mapping_by_a_person_lets_orders_run_on_and_can_be_undone(
    joined: Connection, erp: Connection, world: standin.World, person: object
) -> None:
    says(erp, id="5", sku="KANNE-1")
    spine.say(joined, standin.order(1))
    spine.run()
    assert spine.open_cases() == [("unknown_product", 1)]
    case = ExceptionCase.objects.open().get()
    says(joined, id=case.data["product_id"] or "900", sku="TK-100", title="Teekanne")
    listed = Listing.objects.get(connection=joined)
    assert services.waiting([listed]) == {listed.pk: 1}
    user = User.objects.create_user("anna")
    services.mean(joined, services.named(listed), article("KANNE-1"), by=user, why="same pot")
    spine.run()
    case.refresh_from_db()
    assert (spine.open_cases(), spine.sales(world), case.closed_by) == ([], [1], user)
    listed.refresh_from_db()
    services.undo(listed, by=user)
    assert services.match(joined, [services.named(listed)]) == [None]
    steps = [(step.after, step.how, step.by) for step in services.steps(listed)]
    assert steps == [(None, How.PERSON, user), (article("KANNE-1"), How.PERSON, user)]


def test_what_a_person_took_away_is_not_matched_again_by_its_number(shop: Connection, erp: Connection) -> None:
    says(erp)
    says(shop)
    user = User.objects.create_user("anna")
    services.undo(listing(shop), by=user)
    says(shop, title="Sieb 2")
    assert listing(shop).variant is None
    assert services.match(shop, [Named(product_id="9", sku="TK-9")]) == [None]
    services.ignore(listing(shop), by=user, why="a gift wrapping")
    assert listing(shop).ignored
    services.undo(listing(shop), by=user)
    assert not listing(shop).ignored
    assert ExternalReference.objects.filter(connection=shop).count() == 0


def test_an_article_of_the_hubs_own_lets_orders_run_on(joined: Connection, world: standin.World) -> None:
    spine.say(joined, standin.order(1))
    spine.run()
    made = services.make(sku="TK-100", title="Teekanne", by=User.objects.create_user("anna"))
    spine.run()
    assert (spine.open_cases(), spine.sales(world), made.plain) == ([], [1], "tk100")
