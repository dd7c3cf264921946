"""The connection test against a real Tryton: what is wrong stands in words."""

from __future__ import annotations

from typing import Any

import pytest

from integration_hub.connectors.http import Http
from tests.erp.office import LOOPBACK
from tests.erp.server import Erp

from .orders import connector

pytestmark = pytest.mark.erp


def test_a_sound_connection(real_erp: Erp) -> None:
    found = connector(real_erp).check()

    assert [item.ok for item in found] == [True] * 6
    assert "Beispiel Handels GmbH" in str(found[1].text)
    assert "Hauptlager" in str(found[5].text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_key": "wrong-key-0123456789"}, "401"),
        ({"database": "elsewhere"}, "no database elsewhere"),
        ({"company": 99}, "no such company"),
        ({"web_shop": "Basar"}, "no web shop with the name Basar"),
        ({"warehouse": "ATTIC"}, "no warehouse with the code ATTIC"),
        ({"fee_product": "GEBÜHR", "shipping_product": "POST"}, "GEBÜHR, POST"),
        ({"url": "http://127.0.0.1:9"}, "connection failed"),
    ],
)
def test_what_is_wrong_is_named(real_erp: Erp, changes: dict[str, Any], words: str) -> None:
    found = connector(real_erp, **changes).check()

    assert [item.ok for item in found] == [True] * (len(found) - 1) + [False]
    assert words in str(found[-1].text)


def test_the_check_changes_nothing(real_erp: Erp) -> None:
    http = Http(allowed=[LOOPBACK])

    connector(real_erp, http).check()

    assert {item.method for item in http.exchanges if not item.url.endswith("/rpc/")} == {"GET"}
