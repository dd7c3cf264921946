"""The played WooCommerce's refunds, as the real one shows and refuses them."""

from __future__ import annotations

from decimal import Decimal

from integration_hub.sandbox.app import Sandbox

from .play import Door, control, until_idle
from .test_woo import ask, place


def test_a_refund_shows_by_amount_in_the_order_and_with_its_lines_by_itself(sandbox: Sandbox, door: Door) -> None:
    (number,) = place(sandbox)
    control(sandbox, "subscribe", shop="woo", url=door.url, secret="s")
    order = ask(sandbox, f"orders/{number}").json()
    line = order["line_items"][0]
    control(sandbox, f"woo/orders/{number}", action="refund", lines={line["sku"]: 1}, reason="zerbrochen")
    after = ask(sandbox, f"orders/{number}").json()
    (refund,) = ask(sandbox, f"orders/{number}/refunds").json()
    named = {"id": refund["id"], "reason": "zerbrochen", "total": f"-{refund['amount']}"}
    assert named.items() <= after["refunds"][0].items()
    assert (after["total"], after["status"]) == (order["total"], order["status"])
    back = refund["line_items"][0]
    assert (back["quantity"], back["meta_data"][0]["value"]) == (-1, str(line["id"]))
    assert -Decimal(back["total"]) - Decimal(back["total_tax"]) == Decimal(refund["amount"])
    until_idle(sandbox)
    assert door.hooks()[-1].headers["x-wc-webhook-topic"] == "order.updated"


def test_the_rest_makes_it_refunded_and_more_is_an_error_of_its_own(sandbox: Sandbox) -> None:
    (number,) = place(sandbox)
    whole = ask(sandbox, f"orders/{number}").json()["total"]
    more = {"amount": str(Decimal(whole) + 1), "api_refund": False}
    answer = ask(sandbox, f"orders/{number}/refunds", "POST", json=more)
    assert (answer.status_code, answer.json()["code"]) == (500, "woocommerce_rest_cannot_create_order_refund")
    made = ask(sandbox, f"orders/{number}/refunds", "POST", json={"amount": whole, "api_refund": False})
    assert (made.status_code, made.json()["line_items"], made.json()["refunded_payment"]) == (201, [], False)
    assert ask(sandbox, f"orders/{number}").json()["status"] == "refunded"
