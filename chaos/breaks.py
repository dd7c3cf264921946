"""The hub broken on purpose, to see that the harness notices.  Nothing of this is in the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from integration_hub.connectors._odoo_writer import SaleWriter
from integration_hub.connectors.odoo import Odoo


def no_keys() -> None:
    """Nothing keeps the same event or command from being stored twice."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE integration_hub_inboundevent DROP CONSTRAINT one_event_per_saying")
        cursor.execute("ALTER TABLE integration_hub_outboundcommand DROP CONSTRAINT one_command_per_key")


def no_looking() -> None:
    """The connector never looks whether the ERP holds the sale already."""
    blind: Callable[..., None] = lambda *_: None  # noqa: E731
    Odoo.find = blind  # type: ignore[method-assign]
    SaleWriter._sale = blind  # type: ignore[method-assign]


def http_in_transaction() -> None:
    """The intent is committed together with the outcome, after the request."""
    from integration_hub.messaging import outbox  # noqa: PLC0415  models are ready only now

    carry_out = outbox._deliver

    def in_one_transaction(row: Any) -> None:
        with transaction.atomic():
            carry_out(row)

    outbox._deliver = in_one_transaction


def no_fence() -> None:
    """Whoever comes late settles all the same, although another worker has taken over."""
    from integration_hub.messaging import claims  # noqa: PLC0415

    def settle(row: Any, **changes: object) -> bool:
        return bool(type(row)._default_manager.filter(pk=row.pk).update(**changes))

    claims.settle = settle


ON_DATABASE: dict[str, Callable[[], None]] = {"key": no_keys}
ON_CODE: dict[str, Callable[[], None]] = {
    "key": lambda: None,
    "find": no_looking,
    "http-in-transaction": http_in_transaction,
    "fence": no_fence,
}
