"""What is wrong with an order: all of it at once, each with a code, before anything is written anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from customers import services as customers
from exceptions.services import Trouble
from integration_hub.kernel import codec
from integration_hub.kernel.messages import Address, Buyer
from integration_hub.kernel.money import Money, rounded
from integration_hub.kernel.states import LineKind, OrderStage
from integration_hub.kernel.tax import known_rates
from integration_hub.kernel.text import Text, say

from . import addresses
from .models import AddressRole, Order, OrderLine

KINDS = (
    "unknown_product",
    "address_incomplete",
    "totals_disagree",
    "tax_rate_unknown",
    "customer_unclear",
    "order_implausible",
)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Seen:
    """What the checks look at, read once."""

    order: Order
    lines: Sequence[OrderLine]
    billing: Address
    shipping: Address


def problems(order: Order) -> list[Trouble]:
    """Every trouble of the order that nobody has waived, in a fixed order."""
    billing, shipping = addresses.of(order)
    found = troubles(Seen(order, list(order.lines.all()), billing, shipping))
    waived = set(order.waivers.values_list("kind", "basis"))
    return sorted((t for t in found if (t.kind, basis(t)) not in waived), key=lambda t: (t.kind, t.cause))


def troubles(seen: Seen) -> list[Trouble]:
    """What every check finds, waived or not."""
    return [trouble for check in _CHECKS for trouble in check(seen)]


def basis(trouble: Trouble) -> str:
    """What a waiver rests on: the same kind of trouble with other figures is another trouble."""
    said = [trouble.cause, str(trouble.expected or ""), str(trouble.found or "")]
    return hashlib.sha256(codec.canonical(said)).hexdigest()


def product_cause(order: Order, line: OrderLine) -> str:
    """One cause for all orders of a channel that name the product so."""
    name = (
        f"sku:{line.sku.strip()}"
        if line.sku.strip()
        else f"id:{line.product_id}"
        if line.product_id
        else f"title:{line.title}"
    )
    return f"{order.channel_id}:{name}"


def _products(seen: Seen) -> list[Trouble]:
    order = seen.order
    unknown = {
        product_cause(order, line): line
        for line in seen.lines
        if line.kind in (LineKind.ITEM, LineKind.GIFT_CARD) and line.variant_id is None
    }
    return [
        Trouble(
            kind="unknown_product",
            cause=cause,
            params={"sku": line.sku or line.product_id or line.title},
            expected=say("A product for %(sku)s", sku=line.sku or line.product_id or line.title),
            found=say("No product has this number; the shop calls it “%(title)s”", title=line.title),
            data={"sku": line.sku, "product_id": line.product_id, "gtin": line.gtin, "title": line.title},
        )
        for cause, line in unknown.items()
    ]


def _addresses(seen: Seen) -> list[Trouble]:
    order, billing, shipping = seen.order, seen.billing, seen.shipping
    if _over_the_counter(seen) and not (billing.street or shipping.street):
        return []
    found, same = [], addresses.place(billing) == addresses.place(shipping)
    for role, address in ((AddressRole.BILLING, billing), (AddressRole.SHIPPING, shipping)):
        if (gaps := addresses.missing(address)) and not (role == AddressRole.SHIPPING and same):
            found.append(_gap(order, role, gaps))
    return found


def _over_the_counter(seen: Seen) -> bool:
    order = seen.order
    return order.stage == OrderStage.COMPLETED and not any(line.kind == LineKind.SHIPPING for line in seen.lines)


def _gap(order: Order, role: AddressRole, gaps: Sequence[str]) -> Trouble:
    return Trouble(
        kind="address_incomplete",
        cause=f"order:{order.pk}:{role.value}",
        params={"number": order.number, "fields": ", ".join(gaps)},
        expected=say("A complete address for the country of destination"),
        found=say("Missing or wrong: %(fields)s", fields=", ".join(gaps)),
        data={"role": role.value, "fields": list(gaps)},
    )


def _totals(seen: Seen) -> list[Trouble]:
    order = seen.order
    gross = rounded(sum((line.gross for line in seen.lines), Decimal(0)), order.currency)
    tax = sum((line.tax for line in seen.lines), Decimal(0))
    found = []
    if gross != rounded(order.total, order.currency):
        found.append(_disagree(order, "total", say("Lines sum up to the total"), gross, order.total))
    if abs(tax - order.total_tax) > CENT * max(2, len(seen.lines)):
        found.append(_disagree(order, "tax", say("Tax of the lines sums up to the total tax"), tax, order.total_tax))
    return [*found, *_line_sums(seen)]


def _disagree(order: Order, figure: str, what: Text, computed: Decimal, stated: Decimal) -> Trouble:
    return Trouble(
        kind="totals_disagree",
        cause=f"order:{order.pk}:{figure}",
        params={"number": order.number},
        expected=say("%(stated)s, as the shop states", stated=Money(stated, order.currency)),
        found=say("%(computed)s, as the lines add up", computed=Money(computed, order.currency)),
        data={"stated": str(stated), "computed": str(computed), "what": str(what)},
    )


def _line_sums(seen: Seen) -> list[Trouble]:
    order = seen.order
    computed, stated = Decimal(0), Decimal(0)
    for line in seen.lines:
        total = line.gross if order.prices_include_tax else line.net
        product = line.quantity * line.unit_price - line.discount
        # unit prices come rounded to the cent, so a line may be off by half a cent a piece
        if abs(rounded(product, order.currency) - rounded(total, order.currency)) > CENT * max(
            Decimal(1), abs(line.quantity)
        ):
            computed, stated = computed + product, stated + total
    return [_disagree(order, "lines", say("Quantity times price"), computed, stated)] if computed != stated else []


def _tax_rates(seen: Seen) -> list[Trouble]:
    order, shipping = seen.order, seen.shipping
    known = known_rates(shipping.country, settings.HUB_HOME_COUNTRY)
    taxed = [line.tax_rate for line in seen.lines if line.tax]
    strange = sorted(
        {_percent(rate) for rate in taxed if not rate or rate not in known}
    )  # tax at no rate is strange too
    if not strange:
        return []
    return [
        Trouble(
            kind="tax_rate_unknown",
            cause=f"order:{order.pk}",
            params={"number": order.number, "rates": ", ".join(strange)},
            expected=say("One of %(rates)s", rates=", ".join(_percent(rate) for rate in sorted(known))),
            found=say("%(rates)s for %(country)s", rates=", ".join(strange), country=shipping.country or "?"),
            data={"rates": strange},
        )
    ]


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"


def _customer(seen: Seen) -> list[Trouble]:
    order = seen.order
    buyer = Buyer(**order.buyer)
    if order.customer is None or order.customer_chosen or not (other := customers.rival(order.customer, buyer)):
        return []
    return [
        Trouble(
            kind="customer_unclear",
            cause=f"order:{order.pk}",
            params={"number": order.number},
            expected=say("One customer"),
            found=say(
                "The shop's customer number says %(one)s, the e-mail says %(other)s",
                one=order.customer.code,
                other=other.code,
            ),
            data={"candidates": [order.customer_id, other.pk]},
        )
    ]


def _plausible(seen: Seen) -> list[Trouble]:
    order = seen.order
    found = []
    if not any(line.kind in (LineKind.ITEM, LineKind.GIFT_CARD) for line in seen.lines):
        found.append(_implausible(order, "products", say("An order without products")))
    if wrong := next((line for line in seen.lines if line.quantity <= 0), None):
        words = say(
            "Quantity %(quantity)s of “%(title)s”", quantity=f"{wrong.quantity.normalize():f}", title=wrong.title
        )
        found.append(_implausible(order, "quantity", words))
    if order.total < 0:
        found.append(_implausible(order, "total", say("A negative total")))
    return found


def _implausible(order: Order, what: str, found: Text) -> Trouble:
    return Trouble(
        kind="order_implausible",
        cause=f"order:{order.pk}:{what}",
        params={"number": order.number},
        expected=say("Products, positive quantities and a total that is not negative"),
        found=found,
    )


_Check = Callable[[Seen], list[Trouble]]
_CHECKS: tuple[_Check, ...] = (_plausible, _products, _addresses, _totals, _tax_rates, _customer)
