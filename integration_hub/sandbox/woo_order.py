"""A basket as WooCommerce 11 stores it: net lines with tax apart, money as strings, unit price as a float."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from .basket import Basket, Item, Sum
from .catalogue import STANDARD, Article, title
from .people import Person
from .purse import payment_key
from .store import Record, Store

SITE_OFFSET = timedelta(hours=1)  # a German shop states its dates in local time without offset
PAYMENTS = {"paypal": "PayPal", "stripe": "Kreditkarte (Stripe)", "bacs": "Vorkasse", "cod": "Nachnahme"}
FAMILY_ID = 20
DATES = ("date_created", "date_modified", "date_completed", "date_paid")


def product_id(article: Article) -> tuple[int, int]:
    """Product and variation id."""
    return (FAMILY_ID, 100 + article.number) if article.variant else (100 + article.number, 0)


def gmt(moment: datetime) -> str:
    """UTC without zone, as the ``_gmt`` fields have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _rate_id(rate: Decimal) -> int:
    return int(rate * 100)


def _taxes(amount: Sum, before: Sum | None = None) -> list[dict[str, Any]]:
    if not amount.rate:
        return []
    return [{"id": _rate_id(amount.rate), "total": str(amount.tax), "subtotal": str(before.tax) if before else ""}]


def _line(number: int, item: Item) -> Record:
    article, after, before = item.article, item.after, item.before
    product, variation = product_id(article)
    name = {
        "id": number * 10,
        "key": "grose",
        "value": article.option,
        "display_key": "Größe",
        "display_value": article.option,
    }
    return {
        "id": number,
        "name": title(article),
        "product_id": product,
        "variation_id": variation,
        "quantity": item.quantity,
        "tax_class": "" if item.rate == STANDARD else "reduced-rate",
        "subtotal": str(before.net),
        "subtotal_tax": str(before.tax),
        "total": str(after.net),
        "total_tax": str(after.tax),
        "taxes": _taxes(after, before),
        "meta_data": [name] if article.variant else [],
        "sku": article.sku,
        "global_unique_id": article.gtin,
        "price": float(after.gross / (1 + after.rate) / item.quantity),
        "image": {"id": "", "src": ""},
        "parent_name": article.title if article.variant else None,
    }


def _address(person: Person, billing: bool) -> Record:
    address = {
        "first_name": person.first,
        "last_name": person.last,
        "company": person.company,
        "address_1": person.street,
        "address_2": person.street2,
        "city": person.city,
        "state": "",
        "postcode": person.postcode,
        "country": person.country,
        "phone": person.phone,
    }
    return {**address, "email": person.email} if billing else address


def _tax_lines(basket: Basket, ids: Iterable[int]) -> list[Record]:
    return [
        {
            "id": number,
            "rate_code": f"DE-MWST. {_rate_id(rate)}%-1",
            "rate_id": _rate_id(rate),
            "label": f"MwSt. {_rate_id(rate)}%",
            "compound": False,
            "tax_total": str(goods),
            "shipping_tax_total": str(shipping),
            "rate_percent": _rate_id(rate),
            "meta_data": [],
        }
        for number, (rate, (goods, shipping)) in zip(ids, sorted(basket.by_rate().items(), reverse=True), strict=False)
    ]


def _shipping_line(number: int, amount: Sum) -> Record:
    return {
        "id": number,
        "method_title": "DHL Paket" if amount.gross else "Kostenloser Versand",
        "method_id": "flat_rate" if amount.gross else "free_shipping",
        "instance_id": "1",
        "total": str(amount.net),
        "total_tax": str(amount.tax),
        "taxes": _taxes(amount),
        "tax_status": "taxable",
        "meta_data": [],
    }


def _fee_line(number: int, amount: Sum) -> Record:
    return {
        "id": number,
        "name": "Nachnahmegebühr",
        "tax_class": "",
        "tax_status": "taxable",
        "amount": "",
        "total": str(amount.net),
        "total_tax": str(amount.tax),
        "taxes": _taxes(amount),
        "meta_data": [],
    }


def _coupon_line(number: int, basket: Basket, net: Decimal, tax: Decimal) -> Record:
    return {
        "id": number,
        "code": basket.coupon.lower(),
        "discount": str(net),
        "discount_tax": str(tax),
        "meta_data": [],
        "discount_type": "percent",
        "nominal_amount": basket.percent,
        "free_shipping": False,
    }


def new_order(store: Store, basket: Basket) -> Record:
    """Store the basket as an order under the next id."""
    order_id = store.next_id("woo.orders")
    ids = iter([store.next_id("woo.lines") for _ in range(len(basket.items) + 8)])
    lines = [_line(next(ids), item) for item in basket.items]
    discount = sum((item.before.net - item.after.net for item in basket.items), Decimal(0))
    discount_tax = sum((item.before.tax - item.after.tax for item in basket.items), Decimal(0))
    shipping, fee = _shipping_line(next(ids), basket.shipping), basket.fee
    rates = basket.by_rate().values()
    cart_tax = sum((goods for goods, _ in rates), Decimal(0))
    record = {
        "id": order_id,
        "parent_id": 0,
        "currency": basket.currency,
        "version": "11.0.1",
        "prices_include_tax": True,
        "discount_total": str(discount),
        "discount_tax": str(discount_tax),
        "shipping_total": str(basket.shipping.net),
        "shipping_tax": str(basket.shipping.tax),
        "cart_tax": str(cart_tax),
        "total": str(basket.total),
        "total_tax": str(cart_tax + basket.shipping.tax),
        **_person_part(order_id, basket),
        **_payment_part(order_id, basket),
        "number": str(order_id),
        "line_items": lines,
        "shipping_lines": [shipping],
        "fee_lines": [_fee_line(next(ids), fee)] if fee else [],
        "coupon_lines": [_coupon_line(next(ids), basket, discount, discount_tax)] if basket.coupon else [],
        "tax_lines": _tax_lines(basket, ids),
        "refunds": [],
    }
    return store.put("woo.orders", record)


def _person_part(order_id: int, basket: Basket) -> Record:
    vat = basket.buyer.vat_id
    key = hashlib.sha256(f"sandbox {order_id}".encode()).hexdigest()[:13]
    return {
        "customer_id": basket.buyer.customer,
        "order_key": f"wc_order_{key}",
        "billing": _address(basket.buyer, billing=True),
        "shipping": _address(basket.recipient, billing=False),
        "customer_ip_address": "203.0.113.7",
        "customer_user_agent": "Mozilla/5.0",
        "created_via": "checkout",
        "customer_note": basket.note,
        "cart_hash": "",
        "meta_data": [{"id": order_id * 10, "key": "_billing_vat_id", "value": vat}] if vat else [],
    }


def _payment_part(order_id: int, basket: Basket) -> Record:
    placed = gmt(basket.placed_at)
    paid = basket.payment in ("paypal", "stripe")
    return {
        "status": "on-hold" if basket.payment == "bacs" else "processing",
        "payment_method": basket.payment,
        "payment_method_title": PAYMENTS[basket.payment],
        "transaction_id": payment_key(basket.payment, "woo", order_id) if paid else "",
        "date_created_gmt": placed,
        "date_modified_gmt": placed,
        "date_completed_gmt": None,
        "date_paid_gmt": placed if paid else None,
    }


def shown(order: Record, base: str) -> Record:
    """The order as the REST interface and webhooks give it: local dates, links and flags added."""
    local = {name: _local(order.get(f"{name}_gmt")) for name in DATES}
    pay = f"{base}/checkout/order-pay/{order['id']}/?pay_for_order=true&key={order['order_key']}"
    links = {"self": [{"href": f"{base}/wp-json/wc/v3/orders/{order['id']}"}]}
    flags = {
        "payment_url": pay,
        "is_editable": order["status"] in ("pending", "on-hold"),
        "needs_payment": order["status"] == "pending",
        "needs_processing": True,
        "currency_symbol": {"EUR": "€"}.get(order["currency"], order["currency"]),
    }
    return {**order, **local, **flags, "_links": links}


def _local(value: str | None) -> str | None:
    return gmt(datetime.fromisoformat(value) + SITE_OFFSET) if value else None
