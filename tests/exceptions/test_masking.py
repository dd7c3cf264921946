"""Masking: what people without the permission must not see, and what nobody sees."""

from __future__ import annotations

import json

import pytest

from integration_hub.backoffice import masking

ORDER = {
    "id": 727,
    "number": "727",
    "order_key": "wc_order_58d2d042d1d",
    "payment_url": "https://shop.example/pay/?order=727&key=wc_order_58d2d042d1d",
    "total": "29.35",
    "billing": {"first_name": "Erika", "last_name": "Mustermann", "city": "Hamburg", "country": "DE", "phone": "040 1"},
    "customer_ip_address": "203.0.113.7",
    "customer_note": "Bitte bei Nachbarin Schmidt klingeln",
    "line_items": [{"name": "Teekanne", "sku": "TK-100", "gtin": "4006381333931", "price": 11.9}],
    "meta_data": [
        {"key": "_billing_email", "value": "erika@example.com"},
        {"key": "gift", "value": "an erika@example.com oder +49 40 1234567"},
        {"key": "_api_token", "value": "abc"},
    ],
    "date_created_gmt": "2026-11-20T10:00:00",
    "empty_name": {"email": ""},
}


def shown(*, personal: bool) -> str:
    return masking.pretty(json.dumps(ORDER).encode(), personal=personal)


@pytest.mark.parametrize(
    "hidden", ["Erika", "Mustermann", "Hamburg", "040 1", "203.0.113.7", "Schmidt", "erika@example.com", "1234567"]
)
def test_personal_data_is_hidden_from_those_without_the_permission(hidden: str) -> None:
    assert hidden not in shown(personal=False)
    assert hidden in shown(personal=True)


@pytest.mark.parametrize("kept", ["Teekanne", "TK-100", "4006381333931", "29.35", '"DE"', "2026-11-20T10:00:00", "727"])
def test_what_the_trouble_is_about_stays_readable(kept: str) -> None:
    assert kept in shown(personal=False)


@pytest.mark.parametrize("personal", [True, False])
def test_secrets_are_hidden_from_everybody(personal: bool) -> None:
    assert "wc_order_58d2d042d1d" not in shown(personal=personal)
    assert '"abc"' not in shown(personal=personal)


def test_a_name_beside_an_address_is_a_person() -> None:
    assert masking.masked({"name": "Erika", "street": "Weg 1"}, personal=False) == {"name": "•••", "street": "•••"}
    assert masking.masked({"name": "Teekanne", "sku": "1"}, personal=False)["name"] == "Teekanne"


def test_a_key_in_a_link_is_hidden_from_everybody() -> None:
    assert masking.text("see https://x.example/?a=1&key=s3cret&b=2", personal=True).endswith("?a=1&key=•••&b=2")


def test_what_is_no_json_is_not_shown_without_the_permission() -> None:
    assert masking.pretty(b"name=Erika", personal=False) == masking.MASK
    assert masking.pretty(b"name=Erika&token=abc", personal=True) == "name=Erika&token=•••"


def test_a_huge_payload_is_cut() -> None:
    body = json.dumps({"lines": ["x" * 100] * 2000}).encode()
    assert len(masking.pretty(body, personal=True)) <= masking.LONGEST + 2


def test_a_list_of_streets_is_hidden_as_a_whole() -> None:
    assert masking.masked({"street": ["Weg 1", "2. Stock"]}, personal=False) == {"street": "•••"}
