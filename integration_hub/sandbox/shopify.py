"""A Shopify shop on the wire: the GraphQL Admin API with the queries and mutations an order connector needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from . import world as facts
from .graphql import GraphqlError, execute, is_mutation
from .hooks import Sender, is_local
from .http import Request, Response, json_response
from .shopify_back import ShopifyBack
from .shopify_goods import ShopifyGoods
from .shopify_graph import Node, connection, gid, matches, number_of, uncursor, utc
from .shopify_hooks import GOODS_TOPICS, TOPICS, enum
from .shopify_shop import ShopifyShop
from .shopify_types import fulfillment, fulfillment_order
from .store import Record
from .world import World

_PATH = re.compile(r"/shopify/admin/api/[\w-]+/graphql\.json")
_SCOPES = (
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_products",
    "read_locations",
    "write_inventory",
    "read_fulfillments",
    "write_fulfillments",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_returns",
)
_SORT = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "processed_at", "ID": "id"}
_MAXIMUM = 2000.0


def _errors(*problems: tuple[list[str] | None, str]) -> list[Node]:
    return [
        {"__typename": "UserError", "field": field, "message": message, "code": None} for field, message in problems
    ]


class Shopify:
    """The played Shopify shop."""

    name = "shopify"
    prefix = "/shopify/"

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._store = world.store
        self.shop = ShopifyShop(world, sender)
        self.back = ShopifyBack(world, self.shop)
        self._goods = ShopifyGoods(self.shop.shelf)

    def handle(self, request: Request) -> Response:
        if request.headers.get("x-shopify-access-token") != facts.SHOPIFY_TOKEN:
            words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_response({"errors": words}, 401)
        if not _PATH.fullmatch(request.path) or request.method != "POST":
            return json_response({"errors": "Not Found"}, 404)
        try:
            given = request.json()
            query, variables = str(given["query"]), given.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        return self._answer(query, variables, given.get("operationName") or "")

    def _answer(self, query: str, variables: Mapping[str, Any], name: str) -> Response:
        with self._world.lock:
            try:
                roots = {"query": self._queries(), "mutation": self._mutations()}
                result = execute(query, variables, name, roots)
            except GraphqlError as error:
                extensions = {"code": error.code} if error.code else {}
                return json_response({"errors": [{"message": error.message, "extensions": extensions}]})
        return json_response({"data": result.data, "extensions": {"cost": _cost(result.fields)}})

    def writes(self, request: Request) -> bool:
        try:
            return is_mutation(str(request.json().get("query", "")))
        except (ValueError, AttributeError):
            return False

    def failure(self, status: int, retry_after: int) -> Response:
        """Too many points are an answer with status 200; the rest is Shopify's edge."""
        if status == 429 and not retry_after:
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return json_response({"errors": [error], "extensions": {"cost": _cost(0, available=0.0)}})
        headers = {"Retry-After": f"{retry_after}.0"} if retry_after else {}
        return json_response({"errors": "Service Unavailable"}, status, headers)

    def _queries(self) -> Node:
        return {
            "__typename": "QueryRoot",
            "shop": {
                "__typename": "Shop",
                "id": gid("Shop", 1),
                "name": "Sandkasten Tee",
                "email": "shop@example.com",
                "currencyCode": "EUR",
                "myshopifyDomain": facts.SHOPIFY_SHOP,
                "primaryDomain": {"__typename": "Domain", "url": f"https://{facts.SHOPIFY_SHOP}"},
                "taxesIncluded": True,
                "ianaTimezone": "Europe/Berlin",
                "plan": {"__typename": "ShopPlan", "displayName": "Basic", "partnerDevelopment": True},
            },
            "currentAppInstallation": {
                "__typename": "AppInstallation",
                "id": gid("AppInstallation", 1),
                "accessScopes": [{"__typename": "AccessScope", "handle": scope} for scope in _SCOPES],
                "app": {"__typename": "App", "title": "Hub"},
            },
            "orders": self._orders,
            "order": lambda id: self._node(id, "Order"),
            "node": self._node,
            "nodes": lambda ids: [self._node(item) for item in ids],
            "fulfillment": self._fulfillment,
            "return": lambda id: self.back.node(number_of(id, "Return")),
            "fulfillmentOrder": lambda id: self._node(id, "FulfillmentOrder"),
            **self._goods.queries(),
            "webhookSubscriptions": self._subscriptions,
        }

    def _mutations(self) -> Node:
        names: dict[str, Callable[..., Node]] = {
            "fulfillmentCreate": self._fulfillment_create,
            "tagsAdd": self._tags_add,
            "orderUpdate": self._order_update,
            "orderCancel": self._order_cancel,
            "orderMarkAsPaid": self._order_mark_as_paid,
            "refundCreate": self._refund_create,
            "webhookSubscriptionCreate": self._webhook_create,
            "webhookSubscriptionDelete": self._webhook_delete,
        }
        return {"__typename": "Mutation", **names, **self._goods.mutations()}

    def _orders(self, query: str | None = None, sortKey: str = "PROCESSED_AT", **page: Any) -> Node:  # noqa: N803
        """Sorted by a time and the id; a cursor holds both, so orders that move meanwhile do no harm."""
        column, reverse, after = _SORT[sortKey], bool(page.get("reverse")), page.pop("after", None)

        def key(row: Record) -> str:
            return f"{utc(row[column]) if column != 'id' else ''}|{row['id']}"

        rows = [row for row in self._store.rows("shopify.orders") if matches(row, query)]
        if after:
            last = uncursor(after)
            rows = [row for row in rows if (key(row) < last if reverse else key(row) > last)]
        rows.sort(key=key)
        return connection("Order", rows, self.back.view, key)(**page)

    def _order(self, global_id: Any, kind: str = "Order") -> Record | None:
        return self._store.get("shopify.orders", number_of(global_id, kind))

    def _node(self, global_id: str, kind: str = "") -> Node | None:
        for name, view in (("Order", self.back.view), ("FulfillmentOrder", fulfillment_order)):
            row = self._order(global_id, name)
            if row is not None and kind in ("", name):
                return view(row)
        return self._goods.node(global_id) if not kind else None

    def _fulfillment(self, id: str) -> Node | None:
        row = self._store.get("shopify.fulfillments", number_of(id, "Fulfillment"))
        return fulfillment(row) if row is not None else None

    def _subscription(self, row: Record) -> Node:
        endpoint = {"__typename": "WebhookHttpEndpoint", "callbackUrl": row["url"]}
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", row["id"]),
            "legacyResourceId": str(row["id"]),
            "topic": enum(row["topic"]),
            "uri": row["url"],
            "callbackUrl": row["url"],
            "endpoint": endpoint,
            "format": "JSON",
            "filter": "",
            "includeFields": [],
            "createdAt": utc(row["created_at"]),
            "updatedAt": utc(row["created_at"]),
        }

    def _subscriptions(self, topics: list[str] | None = None, **page: Any) -> Node:
        rows = [row for row in self._store.rows("shopify.webhooks") if not topics or enum(row["topic"]) in topics]
        return connection("WebhookSubscription", rows, self._subscription)(**page)

    def _webhook_create(self, topic: str, webhookSubscription: Mapping[str, Any]) -> Node:  # noqa: N803
        url = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or ""
        known = {enum(name): name for name in TOPICS + GOODS_TOPICS}
        if topic not in known:
            raise GraphqlError(f"Variable $topic of type WebhookSubscriptionTopic! was provided invalid value {topic}")
        made, problem = None, _errors((["webhookSubscription", "callbackUrl"], "Address is not allowed"))
        if is_local(url):
            made, problem = self._subscription(self.shop.hooks.subscribe(known[topic], url)), []
        return {"__typename": "WebhookSubscriptionCreatePayload", "webhookSubscription": made, "userErrors": problem}

    def _webhook_delete(self, id: str) -> Node:
        number = number_of(id, "WebhookSubscription")
        found = self._store.get("shopify.webhooks", number) is not None
        self._store.remove("shopify.webhooks", number)
        problem = [] if found else _errors((["id"], "Webhook subscription does not exist"))
        deleted = id if found else None
        return {
            "__typename": "WebhookSubscriptionDeletePayload",
            "deletedWebhookSubscriptionId": deleted,
            "userErrors": problem,
        }

    def _tags_add(self, id: str, tags: list[str] | str) -> Node:
        row = self._order(id)
        if row is None:
            return {
                "__typename": "TagsAddPayload",
                "node": None,
                "userErrors": _errors((["id"], "Order does not exist")),
            }
        old = [tag.strip() for tag in row["tags"].split(",") if tag.strip()]
        new = [tags] if isinstance(tags, str) else tags
        changed = self.shop.edit(row["id"], {"tags": ", ".join(dict.fromkeys([*old, *new]))})
        return {"__typename": "TagsAddPayload", "node": self.back.view(changed), "userErrors": []}

    def _order_update(self, input: Mapping[str, Any]) -> Node:
        row = self._order(input.get("id"))
        if row is None:
            return {
                "__typename": "OrderUpdatePayload",
                "order": None,
                "userErrors": _errors((["id"], "Order does not exist")),
            }
        changes: dict[str, Any] = {name: input[name] for name in ("note", "email") if name in input}
        if "tags" in input:
            changes["tags"] = ", ".join(input["tags"])
        if "customAttributes" in input:
            changes["note_attributes"] = [
                {"name": item["key"], "value": item["value"]} for item in input["customAttributes"]
            ]
        changed = self.shop.edit(row["id"], changes)
        return {"__typename": "OrderUpdatePayload", "order": self.back.view(changed), "userErrors": []}

    def _refund_create(self, input: Mapping[str, Any], idempotent: str | None = None) -> Node:
        if not idempotent:
            raise GraphqlError("The @idempotent directive is required for this mutation but was not provided.")
        made, problem = self.back.write(input, idempotent)
        errors = _errors((None, problem)) if problem else []
        return {"__typename": "RefundCreatePayload", "refund": made, "userErrors": errors}

    def _order_mark_as_paid(self, input: Mapping[str, Any]) -> Node:
        row = self._order(input.get("id"))
        problem = (
            [] if row and row["financial_status"] == "pending" else _errors((["id"], "Order cannot be marked as paid."))
        )
        if row and not problem:
            self.shop.pay(row["id"])
        return {"__typename": "OrderMarkAsPaidPayload", "userErrors": problem}

    def _order_cancel(
        self,
        orderId: str,  # noqa: N803
        reason: str,
        restock: bool,
        refundMethod: Mapping[str, Any] | None = None,  # noqa: N803
        **_: Any,
    ) -> Node:
        row = self._order(orderId)
        problem = []
        if row is None:
            problem = _errors((["orderId"], "Order does not exist"))
        elif row["cancelled_at"]:
            problem = _errors((None, "Order has already been cancelled"))
        elif row["fulfillments"]:
            problem = _errors((None, "Cannot cancel a fulfilled order"))
        else:
            unpaid = row["financial_status"] in ("pending", "authorized")
            sends = bool((refundMethod or {}).get("originalPaymentMethodsRefund"))
            self.shop.cancel(row["id"], reason, restock=restock, void=unpaid or sends)
        job = None if problem else {"__typename": "Job", "id": gid("Job", orderId[-4:]), "done": False}
        return {"__typename": "OrderCancelPayload", "job": job, "orderCancelUserErrors": problem, "userErrors": problem}

    def _fulfillment_create(self, fulfillment: Mapping[str, Any], message: str | None = None) -> Node:
        """A parcel of one fulfilment order: the lines given, else everything that is left."""
        made, problems = self._fulfilled(fulfillment)
        return {"__typename": "FulfillmentCreatePayload", "fulfillment": made, "userErrors": problems}

    def _fulfilled(self, given: Mapping[str, Any]) -> tuple[Node | None, list[Node]]:
        parts = given["lineItemsByFulfillmentOrder"]
        row = self._order(parts[0]["fulfillmentOrderId"], "FulfillmentOrder")
        if row is None or len(parts) != 1:
            return None, _errors((["fulfillment"], "Fulfillment order does not exist."))
        left = {line["id"]: line["fulfillable_quantity"] for line in row["line_items"]}
        if row["cancelled_at"] or not any(left.values()):
            words = f"Fulfillment order {row['id']} has an unfulfillable status= closed."
            return None, _errors((["fulfillment"], words))
        items = parts[0].get("fulfillmentOrderLineItems")
        wanted = (
            {number_of(item["id"], "FulfillmentOrderLineItem"): item["quantity"] for item in items} if items else left
        )
        if any(not 0 < quantity <= left.get(number, 0) for number, quantity in wanted.items() if items):
            return None, _errors((["fulfillment"], "Invalid fulfillment order line item quantity requested."))
        made = self.shop.fulfil(row, wanted, given.get("trackingInfo") or {})
        return fulfillment(made), []


def _cost(fields: int, available: float = _MAXIMUM - 100) -> Record:
    status = {"maximumAvailable": _MAXIMUM, "currentlyAvailable": available, "restoreRate": 100.0}
    return {
        "requestedQueryCost": max(fields // 10, 1),
        "actualQueryCost": max(fields // 10, 1),
        "throttleStatus": status,
    }
