"""What can go wrong with articles, and when each case of it is opened and settled."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models
from django.db.models import Q

from exceptions import services as cases
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection

from ..models import Kind, Listing, Variant
from .naming import Named

UNKNOWN = "article_unknown"
TWICE = "sku_twice"
NO_PARTS = "bundle_without_parts"
IMPOSSIBLE = "bundle_impossible"


def unknown(connection: Connection, names: Sequence[Named], subject: models.Model, where: Text) -> None:
    """Say which articles ``subject`` (a bundle, a connection …) is told of that nobody knows; none: all are known now.

    One case per name; it closes when the same is called for the same subject without the name.
    """
    still: list[tuple[str, str]] = []
    for name in names:
        called = name.sku or name.product_id or name.title
        cause = f"article:{connection.pk}:{called}"
        still.append((UNKNOWN, cause))
        trouble = Trouble(
            kind=UNKNOWN,
            cause=cause,
            params={"name": called, "connection": connection.name},
            expected=say("An article for %(name)s", name=called),
            found=where,
            data={"product_id": name.product_id, "sku": name.sku},
        )
        cases.open_case(trouble, subject, connection=connection)
    cases.settle(subject, kinds=(UNKNOWN,), still=still)


def twins(connection: Connection, sku: str) -> None:
    """Look whether one system has one number on several articles of which one is left without meaning."""
    if not sku:
        return
    rows = list(Listing.objects.filter(connection=connection, sku=sku).select_related("connection").order_by("pk"))
    live = [row for row in rows if not (row.gone or row.ignored) and row.active]
    left = [row for row in live if row.variant_id is None] if len(live) > 1 else []
    for row in rows:
        if row in left:
            cases.open_case(_twice(row, live), row, connection=connection)
        else:
            cases.settle(row, kinds=(TWICE,))


def _twice(listing: Listing, live: Sequence[Listing]) -> Trouble:
    others = [f"{row.external_id} ({row.title})" for row in live if row.pk != listing.pk]
    return Trouble(
        kind=TWICE,
        cause=f"sku:{listing.connection_id}:{listing.sku}",
        params={"sku": listing.sku, "connection": listing.connection.name},
        expected=say("One article with the number %(sku)s", sku=listing.sku),
        found=say("%(title)s has it, and so have: %(others)s", title=listing.title, others=others),
        data={"listing": listing.pk},
    )


def left_number(connection: Connection, listing: Listing, old: str) -> None:
    """A listing has another number than before: the case of its old one is looked at again."""
    cases.settle(listing, kinds=(TWICE,), still=[(TWICE, f"sku:{connection.pk}:{listing.sku}")])
    twins(connection, old)


def told_of(variant: Variant) -> list[int]:
    """The bundles that wait for this article to be known."""
    called = Q(data__sku=variant.sku)
    for connection, external_id in variant.listings.values_list("connection_id", "external_id"):
        called |= Q(connection=connection, data__product_id=external_id)
    waits = ExceptionCase.objects.open().filter(called, kind=UNKNOWN)
    return sorted({pk for case in waits for pk in cases.held_up(case, Variant)})


def bundle_empty(variant: Variant) -> None:
    """Look whether a bundle has parts."""
    empty = variant.kind == Kind.BUNDLE and not variant.parts.exists()
    if empty:
        _open(variant, NO_PARTS, say("At least one part"), say("No part is defined"))
    cases.settle(variant, kinds=(NO_PARTS,), still=[(NO_PARTS, _cause(variant))] if empty else [])


def bundle_impossible(variant: Variant, problem: Rejected | None) -> None:
    """What is said of a bundle's parts cannot be (None: it can)."""
    if problem:
        _open(variant, IMPOSSIBLE, say("Parts that can be"), problem.text)
    cases.settle(variant, kinds=(IMPOSSIBLE,), still=[(IMPOSSIBLE, _cause(variant))] if problem else [])


def _open(variant: Variant, kind: str, expected: Text, found: Text) -> None:
    trouble = Trouble(kind=kind, cause=_cause(variant), params={"sku": variant.sku}, expected=expected, found=found)
    cases.open_case(trouble, variant)


def _cause(variant: Variant) -> str:
    return f"bundle:{variant.pk}"
