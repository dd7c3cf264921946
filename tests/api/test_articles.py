"""Articles and listings over REST: what waits, with suggestions, and saying what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from integration_hub.models import Connection
from inventory.models import Listing, Variant
from tests.api.conftest import Caller
from tests.inventory.catalogue import says

pytestmark = pytest.mark.django_db


def act(client: Client, url: str, code: str, **data: Any) -> Any:
    return client.post(f"{url}actions/{code}/", json.dumps(data), content_type="application/json")


def test_a_listing_is_found_and_mapped(caller: Caller, shop: Connection, erp: Connection, teapot: Variant) -> None:
    says(shop, id="7", sku="tk100", title="Kanne", options={"Farbe": "rot"})
    client = caller("operations")
    (waits,) = client.get("/api/v1/listings/?mapped=false&connection=laden").json()["results"]
    url = f"/api/v1/listings/{waits['id']}/"
    found = client.get(url).json()
    assert (found["product"], found["options"], found["waiting_orders"]) == (
        None,
        [{"axis": "Farbe", "value": "rot"}],
        0,
    )
    (best,) = found["suggestions"]
    assert (best["product"], best["score"], best["why"]) == (teapot.pk, 98, "same_sku")
    assert act(client, url, "inventory.map", sku="nothing").status_code == 400
    done = act(client, url, "inventory.map", variant=teapot.pk, score=98)
    assert (done.status_code, Listing.objects.get().variant) == (200, teapot)
    assert client.get("/api/v1/listings/?mapped=false").json()["results"] == []
    assert [
        row["sku"] for row in client.get(f"/api/v1/listings/?product={teapot.pk}&differs=title").json()["results"]
    ] == ["tk100"]
    detail = client.get(f"/api/v1/products/{teapot.pk}/").json()
    assert [row["external_id"] for row in detail["listings"]] == ["7"]


def test_what_is_not_given_stays_as_it_is(caller: Caller, teapot: Variant) -> None:
    client, url = caller("operations"), f"/api/v1/products/{teapot.pk}/"
    assert act(client, url, "inventory.edit", deposit="0.25", currency="EUR").status_code == 200
    teapot.refresh_from_db()
    assert (str(teapot.deposit), teapot.title, teapot.pieces_only) == ("0.2500", "Teekanne 1,0 l", True)
    assert act(client, url, "inventory.edit", gtin="123").status_code == 422
    assert act(client, url, "inventory.edit", price="1.00", currency="").status_code == 400
