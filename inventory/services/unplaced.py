"""Levels that could not be taken over: kept with the reason until it is gone, one case per system and reason."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.text import say
from integration_hub.models import Connection

from ..models import Unplaced, UnplacedLevel
from .stated import Stated

KINDS = {
    Unplaced.ARTICLE: "stock_article_unknown",
    Unplaced.LOCATION: "stock_location_unknown",
    Unplaced.FRACTION: "stock_fraction",
    Unplaced.TWICE: "stock_article_twice",
}
EXPECTED = {
    Unplaced.ARTICLE: say("An article of the hub for each"),
    Unplaced.LOCATION: say("A location of the hub for each"),
    Unplaced.FRACTION: say("Whole pieces"),
    Unplaced.TWICE: say("One article there for each article here"),
}
SAMPLE = 10


def row(connection: Connection, one: Stated, reason: Unplaced) -> UnplacedLevel:
    """What is to be kept of a level that has no place."""
    return UnplacedLevel(
        connection=connection,
        product_id=one.name,
        sku=one.sku,
        place=one.place,
        on_hand=one.on_hand,
        stated_at=one.at,
        reason=reason,
    )


def keep(connection: Connection, rows: Sequence[UnplacedLevel], *, placed: Sequence[Stated]) -> None:
    """Keep these, let go of what found its place, and bring the cases in line."""
    names = {one.name for one in placed}
    found = UnplacedLevel.objects.filter(connection=connection, product_id__in=names)
    let_go = found.delete()[0] if names else 0
    if rows:
        UnplacedLevel.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["connection", "product_id", "place"],
            update_fields=["sku", "on_hand", "stated_at", "reason"],
        )
    if rows or let_go:
        tell(connection)


def tell(connection: Connection) -> None:
    """Open a case for each reason there is, close those that are gone."""
    held = UnplacedLevel.objects.filter(connection=connection)
    counts = dict(held.values_list("reason").annotate(size=Count("pk")).order_by("reason"))
    gone = [_cause(connection, reason) for reason in Unplaced if reason not in counts]
    cases.clear(connection, causes=gone)
    for reason, size in counts.items():
        sample = list(held.filter(reason=reason).order_by("pk")[:SAMPLE])
        cases.open_case(_trouble(connection, Unplaced(reason), size, sample), connection, connection=connection)


def _cause(connection: Connection, reason: str) -> str:
    return f"unplaced:{connection.pk}:{reason}"


def _trouble(connection: Connection, reason: Unplaced, size: int, sample: Sequence[UnplacedLevel]) -> Trouble:
    names = sorted({one.place if reason == Unplaced.LOCATION else one.sku or one.product_id for one in sample})
    return Trouble(
        kind=KINDS[reason],
        cause=_cause(connection, reason),
        params={"connection": connection.name, "count": size},
        expected=EXPECTED[reason],
        found=say("%(count)s levels, among them %(sample)s", count=size, sample=", ".join(names)),
        data={"reason": reason.value},
    )
