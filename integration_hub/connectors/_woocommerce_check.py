"""What the connection test of a WooCommerce shop says about products and about the shop's own settings."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel import fields
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.text import Text, say

from ._woocommerce_api import V3, Api
from ._woocommerce_config import WooCommerceConfig
from .base import Finding

PRICES = {"yes": "gross", "no": "net"}


def products(api: Api) -> Sequence[Finding]:
    """Whether the key may read products, and write them: an empty batch changes nothing, but needs the right to write."""
    try:
        api.items(f"{V3}/products", {"per_page": 1, "_fields": "id"})
    except HubError as error:
        return (Finding(False, say("The products cannot be read: %(why)s", why=error.text)),)
    readable = Finding(True, say("The key may read products."))
    try:
        api.write("POST", f"{V3}/products/batch", {"update": []})
    except HubError as error:
        return (readable, Finding(False, say("Products and their stock cannot be written: %(why)s", why=error.text)))
    return (readable, Finding(True, say("The key may write products and their stock.")))


def settings(api: Api, config: WooCommerceConfig) -> Sequence[Finding]:
    """Whether the connection says of the shop what the shop says of itself."""
    told = (
        (say("currency"), "general/woocommerce_currency", config.shop.currency),
        (say("prices of products"), "tax/woocommerce_prices_include_tax", config.prices),
        (say("weight unit"), "products/woocommerce_weight_unit", config.weight_unit),
    )
    return [finding for name, path, ours in told if (finding := _compared(api, name, path, ours)) is not None]


def _compared(api: Api, name: Text, path: str, ours: str) -> Finding | None:
    try:
        found = api.read_or_none(f"{V3}/settings/{path}")
        stated = fields.words(found or {}, "value", 60)
    except HubError:
        stated = ""
    theirs = PRICES.get(stated, stated)
    if theirs and ours and theirs != ours:
        words = say(
            "The shop's setting for %(name)s is “%(theirs)s”, this connection says “%(ours)s”. Correct the connection.",
            name=name,
            theirs=theirs,
            ours=ours,
        )
        return Finding(False, words)
    if theirs and not ours:
        words = say(
            "This connection does not know the shop's %(name)s; in the shop it is “%(theirs)s”.",
            name=name,
            theirs=theirs,
        )
        return Finding(True, words)
    return None
