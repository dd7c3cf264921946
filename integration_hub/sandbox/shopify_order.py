"""A basket as Shopify's webhooks state it: REST-shaped JSON, gross prices with the tax inside, discounts as allocations."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from .basket import Basket, Item, Sum
from .catalogue import ARTICLES, GIFT_CARD, Article, title
from .people import Person
from .store import Record, Store

SHOP_ZONE = timezone(timedelta(hours=1))
GATEWAYS = {"paypal": "paypal", "stripe": "mollie", "bacs": "Banküberweisung", "cod": "Nachnahme"}
FIRST_ORDER = 6_200_000_000_001
VARIANT_BASE = 50_398_373_000_000
PRODUCT_BASE = 9_782_123_000_000


# What live orders carry as well and an ordinary order leaves empty.
_EMPTY: Record = {
    **dict.fromkeys(
        "cart_token checkout_id checkout_token company current_total_additional_fees_set current_total_duties_set device_id"
        " landing_site landing_site_ref location_id merchant_of_record_app_id original_total_additional_fees_set"
        " original_total_duties_set payment_terms po_number reference referring_site source_identifier source_url user_id".split()
    ),
    **dict.fromkeys("buyer_accepts_marketing duties_included estimated_taxes tax_exempt test".split(), False),
    "app_id": 580111,
    "returns": [],
    "total_outstanding": "0.00",
    "total_tip_received": "0.00",
    "total_weight": 0,
}


def product_id(article: Article) -> int:
    """The product that a variant belongs to: the sizes of the shirt share one."""
    first = next((item for item in ARTICLES if article.family and item.family == article.family), article)
    return PRODUCT_BASE + first.number


def local(moment: datetime) -> str:
    """A moment as webhooks state it: with the shop's offset."""
    return moment.astimezone(SHOP_ZONE).isoformat(timespec="seconds")


def money_set(amount: str, currency: str) -> Record:
    money = {"amount": amount, "currency_code": currency}
    return {"shop_money": money, "presentment_money": dict(money)}


def _tax_lines(amount: Sum, currency: str) -> list[Record]:
    if not amount.tax:
        return []
    rate = float(amount.rate)
    return [
        {
            "title": "DE MwSt",
            "rate": rate,
            "price": str(amount.tax),
            "price_set": money_set(str(amount.tax), currency),
            "channel_liable": False,
        }
    ]


def _line(number: int, item: Item, currency: str) -> Record:
    article, taken = item.article, item.before.gross - item.after.gross
    allocation = {"amount": str(taken), "amount_set": money_set(str(taken), currency), "discount_application_index": 0}
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{number}",
        "current_quantity": item.quantity,
        "fulfillable_quantity": item.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": article is GIFT_CARD,
        "grams": 0,
        "name": title(article),
        "price": str(article.price),
        "price_set": money_set(str(article.price), currency),
        "product_exists": True,
        "product_id": product_id(article),
        "properties": [],
        "quantity": item.quantity,
        "requires_shipping": True,
        "sku": article.sku,
        "taxable": True,
        "title": article.title,
        "total_discount": "0.00",  # the allocations hold it, as in live orders
        "total_discount_set": money_set("0.00", currency),
        "variant_id": VARIANT_BASE + article.number,
        "variant_inventory_management": "shopify",
        "variant_title": article.option or None,
        "vendor": "Sandkasten",
        "tax_lines": _tax_lines(item.after, currency),
        "duties": [],
        "discount_allocations": [allocation] if taken else [],
    }


def _address(person: Person) -> Record:
    return {
        "first_name": person.first,
        "last_name": person.last,
        "name": f"{person.first} {person.last}",
        "company": person.company or None,
        "address1": person.street,
        "address2": person.street2 or None,
        "city": person.city,
        "zip": person.postcode,
        "province": None,
        "province_code": None,
        "country": "Germany",
        "country_code": person.country,
        "phone": person.phone,
        "latitude": None,
        "longitude": None,
    }


def _customer(person: Person) -> Record | None:
    if not person.customer:
        return None
    number = 7_300_000_000_000 + person.customer
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Customer/{number}",
        "email": person.email,
        "first_name": person.first,
        "last_name": person.last,
        "phone": None,
        "tags": "",
    }


def _shipping(number: int, amount: Sum, currency: str) -> Record:
    price = str(amount.gross)
    return {
        "id": number,
        "carrier_identifier": None,
        "code": "DHL",
        "price": price,
        "price_set": money_set(price, currency),
        "discounted_price": price,
        "discounted_price_set": money_set(price, currency),
        "is_removed": False,
        "phone": None,
        "source": "shopify",
        "title": "DHL Paket",
        "tax_lines": _tax_lines(amount, currency),
        "discount_allocations": [],
    }


def _totals(basket: Basket) -> dict[str, str]:
    before = sum((item.before.gross for item in basket.items), Decimal(0))
    after = sum((item.after.gross for item in basket.items), Decimal(0))
    tax = sum((item.after.tax for item in basket.items), Decimal(0)) + basket.shipping.tax
    total = basket.total - (basket.fee.gross if basket.fee else 0)  # Shopify has no fee lines
    amounts = {
        "total_line_items_price": before,
        "total_discounts": before - after,
        "subtotal_price": after,
        "total_tax": tax,
        "total_price": total,
    }
    return {name: str(amount) for name, amount in amounts.items()}


def _with_sets(totals: dict[str, str], currency: str) -> Record:
    """Every total with its money set and its ``current_`` twin."""
    found: Record = {}
    for name, amount in totals.items():
        found[name] = amount
        found[f"{name}_set"] = money_set(amount, currency)
        if name != "total_line_items_price":
            found[f"current_{name}"] = amount
            found[f"current_{name}_set"] = money_set(amount, currency)
    return found


def _order_taxes(basket: Basket) -> list[Record]:
    found: list[Record] = []
    fee_tax = {basket.fee.rate: basket.fee.tax} if basket.fee else {}
    for rate, (goods, shipping) in sorted(basket.by_rate().items(), reverse=True):
        amount = str(goods + shipping - fee_tax.get(rate, Decimal(0)))
        if Decimal(amount):
            line = {"title": "DE MwSt", "rate": float(rate), "price": amount, "channel_liable": False}
            found.append({**line, "price_set": money_set(amount, basket.currency)})
    return found


def new_order(store: Store, basket: Basket) -> Record:
    """Store the basket as an order under the next id."""
    number, currency = store.next_id("shopify.orders"), basket.currency
    short = number - FIRST_ORDER + 1
    ids = [store.next_id("shopify.lines") for _ in range(len(basket.items) + 1)]
    placed = local(basket.placed_at)
    shipping = [_shipping(ids[-1], basket.shipping, currency)]
    record: Record = {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "name": f"#{5000 + short}",
        "number": short,
        "order_number": 5000 + short,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": placed,
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "currency": currency,
        "presentment_currency": currency,
        "taxes_included": True,
        "total_shipping_price_set": money_set(str(basket.shipping.gross), currency),
        **_EMPTY,
        **_with_sets(_totals(basket), currency),
        **_people(basket),
        **_payment(basket),
        **_discounts(basket),
        "tax_lines": _order_taxes(basket),
        "line_items": [_line(ids[place], item, currency) for place, item in enumerate(basket.items)],
        "shipping_lines": shipping if basket.shipping.gross else [],
        "fulfillments": [],
        "refunds": [],
    }
    return store.put("shopify.orders", record)


def _people(basket: Basket) -> Record:
    vat = basket.buyer.vat_id
    return {
        "email": basket.buyer.email,
        "contact_email": basket.buyer.email,
        "phone": None,
        "customer": _customer(basket.buyer),
        "billing_address": _address(basket.buyer),
        "shipping_address": _address(basket.recipient),
        "note": basket.note or None,
        "note_attributes": [{"name": "vat_id", "value": vat}] if vat else [],
        "tags": "",
        "source_name": "web",
        "customer_locale": "de-DE",
    }


def _payment(basket: Basket) -> Record:
    paid = basket.payment in ("paypal", "stripe")
    return {
        "confirmed": True,
        "financial_status": "paid" if paid else "pending",
        "fulfillment_status": None,
        "payment_gateway_names": [GATEWAYS[basket.payment]],
    }


def _discounts(basket: Basket) -> Record:
    taken = sum((item.before.gross - item.after.gross for item in basket.items), Decimal(0))
    if not taken:
        return {"discount_codes": [], "discount_applications": []}
    application: dict[str, Any] = {
        "target_type": "line_item",
        "type": "discount_code",
        "value": f"{basket.percent}.0",
        "value_type": "percentage",
        "allocation_method": "across",
        "target_selection": "all",
        "code": basket.coupon,
    }
    code = {"code": basket.coupon, "amount": str(taken), "type": "percentage"}
    return {"discount_codes": [code], "discount_applications": [application]}
