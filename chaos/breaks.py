"""The hub broken on purpose, to see that the harness notices.  Nothing of this is in the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from integration_hub.connectors._odoo_writer import SaleWriter
from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel import codec


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
    from integration_hub.messaging import outbox, volleys  # noqa: PLC0415  models are ready only now

    def in_one_transaction(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            with transaction.atomic():
                return work(*given)

        return run

    outbox._deliver = in_one_transaction(outbox._deliver)
    volleys.fly = in_one_transaction(volleys.fly)


def no_fence() -> None:
    """Whoever comes late settles all the same, although another worker has taken over."""
    from integration_hub.messaging import claims  # noqa: PLC0415
    from integration_hub.models import OutboundCommand  # noqa: PLC0415

    def settle(row: Any, **changes: object) -> bool:
        return bool(type(row)._default_manager.filter(pk=row.pk).update(**changes))

    def finish(results: Mapping[int, str], token: UUID) -> set[int]:
        for pk, result in results.items():
            OutboundCommand.objects.filter(pk=pk).update(state="DONE", lease_token=None, result=codec.loads(result))
        return set(results)

    claims.settle, claims.finish = settle, finish


ON_DATABASE: dict[str, Callable[[], None]] = {"key": no_keys}
ON_CODE: dict[str, Callable[[], None]] = {
    "key": lambda: None,
    "find": no_looking,
    "http-in-transaction": http_in_transaction,
    "fence": no_fence,
}
