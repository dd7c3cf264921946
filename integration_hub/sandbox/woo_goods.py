"""Products on the wire of the played WooCommerce: lists, variations, batches with errors per item, settings."""

from __future__ import annotations

from collections.abc import Callable

from .http import Request, Response, json_response
from .store import Record
from .woo_lists import listed
from .woo_products import WooProducts
from .woo_shop import WooError
from .world import World

SETTINGS = {
    "woocommerce_currency": "EUR",
    "woocommerce_prices_include_tax": "yes",
    "woocommerce_weight_unit": "kg",
}
EDITABLE = (
    "name",
    "status",
    "sku",
    "global_unique_id",
    "regular_price",
    "price",
    "weight",
    "tax_class",
    "manage_stock",
)
BATCH_LIMIT = 100


class WooGoods:
    """The handlers; ``products`` is the shelf behind them."""

    def __init__(self, world: World, products: WooProducts) -> None:
        self._world = world
        self._products = products

    def routes(self, api: str) -> list[tuple[str, str, Callable[..., Response]]]:
        found: list[tuple[str, str, Callable[..., Response]]] = [
            ("GET", f"{api}/products", self._list),
            ("POST", f"{api}/products/batch", self._batch),
            ("GET", f"{api}/products/{{id}}", self._get),
            ("PUT", f"{api}/products/{{id}}", self._put),
            ("DELETE", f"{api}/products/{{id}}", self._delete),
            ("GET", f"{api}/products/{{id}}/variations", self._list_variations),
            ("POST", f"{api}/products/{{id}}/variations/batch", self._batch),
            ("GET", f"{api}/variations", self._list_all_variations),
        ]
        for group, name in (("general", "currency"), ("tax", "prices_include_tax"), ("products", "weight_unit")):
            found.append(("GET", f"{api}/settings/{group}/woocommerce_{name}", self._setting))
        return found

    def _setting(self, request: Request) -> Response:
        name = request.path.rstrip("/").rpartition("/")[2]
        return json_response({"id": name, "value": SETTINGS[name]})

    def _list(self, request: Request) -> Response:
        """Products; variations are in no list of products."""
        return listed(request, self._products.rows(), self._products.shown)

    def _list_variations(self, request: Request, id: int) -> Response:
        self._found(id)
        return listed(request, self._products.rows(id, variations=True), self._variation)

    def _list_all_variations(self, request: Request) -> Response:
        if not self._world.switch("woo_lists_variations"):
            words = "No route was found matching the URL and request method."
            raise WooError("rest_no_route", words, 404)
        return listed(request, self._products.rows(variations=True), self._variation)

    def _variation(self, row: Record) -> Record:
        """In these lists a variation's name is that of its options."""
        return {**self._products.shown(row), "name": ", ".join(item["option"] for item in row["attributes"])}

    def _found(self, number: int) -> Record:
        row = self._products.get(number)
        if row is None:
            raise WooError("woocommerce_rest_product_invalid_id", "Invalid ID.", 404)
        return row

    def _get(self, request: Request, id: int) -> Response:
        return json_response(self._products.shown(self._found(id)))

    def _put(self, request: Request, id: int) -> Response:
        self._found(id)
        return json_response(self._update(id, request.json()))

    def _delete(self, request: Request, id: int) -> Response:
        shown = self._products.shown(self._found(id))
        self._products.delete(id, force=request.query.get("force") in ("true", "1"))
        return json_response(shown)

    def _batch(self, request: Request, id: int = 0) -> Response:
        """At most a hundred; what is wrong with one stands beside the others' success."""
        items = request.json().get("update") or []
        if len(items) > BATCH_LIMIT:
            words = f"Unable to accept more than {BATCH_LIMIT} items for this request."
            raise WooError("woocommerce_rest_request_entity_too_large", words, 413)
        answers = [self._one(item, id) for item in items]
        return json_response({"update": answers} if answers else [])

    def _one(self, item: Record, parent: int) -> Record:
        row = self._products.get(int(item["id"]))
        if row is None or row["status"] == "trash" or row["parent_id"] != parent:
            kind = "product_variation" if parent else "product"
            return _refused(item, f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.")
        if row.get("fault"):
            return _refused(item, "woocommerce_rest_cannot_edit", row["fault"])
        return self._update(row["id"], item)

    def _update(self, number: int, given: Record) -> Record:
        """The shop's own habit: a number of pieces is cut to a whole one, and ignored where stock is not kept."""
        changes = {name: given[name] for name in EDITABLE if name in given}
        if changes:
            self._products.edit(number, changes)
        if "stock_quantity" in given:
            self._products.set_stock(number, int(float(given["stock_quantity"])))
        return self._products.shown(self._found(number))


def _refused(item: Record, code: str, message: str) -> Record:
    return {"id": item["id"], "error": {"code": code, "message": message, "data": {"status": 400}}}
