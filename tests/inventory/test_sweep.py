"""Articles that a system has deleted without a word are found by asking."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from integration_hub.connectors.base import Capability, Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import polling, pump
from integration_hub.models import PollState
from inventory.models import Listing
from tests import standin
from tests.conftest import make_connection
from tests.inventory.stocked import article, listed

pytestmark = pytest.mark.django_db


class ForgetfulShop(standin.StandinShop):
    """Deletes articles and says nothing."""

    code, label = "standin-forgetful", "Forgetful shop"
    capabilities = standin.StandinShop.capabilities | {Capability.SWEEP_PRODUCTS}

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        return [one for one in product_ids if one in standin.WORLD.missing]

    def gone_product_delivery(self, product_id: str) -> Delivery:
        return Delivery("product.gone", product_id, codec.canonical({"external_id": product_id}))


def test_a_deleted_article_is_found_by_the_sweep(world: standin.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "SWEEP_PAGE", 2)
    shop = make_connection("standin-forgetful", "laden", "SHOP")
    for name in ("A", "B", "C"):
        listed(shop, article(name))
    standin.WORLD.missing = {"B"}
    polling.prepare(shop)
    PollState.objects.filter(stream="sweep_products").update(due_at="2020-01-01T00:00:00Z")
    pump.drain(lanes=("poll", "in"))
    assert dict(Listing.objects.values_list("external_id", "gone")) == {"A": False, "B": True, "C": False}
