"""What must always be true of stock: levels are the sums of their ledger, and what is reserved is what is promised."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant

INVARIANTS = (
    Invariant(
        code="level_is_the_sum_of_its_ledger",
        title=_("A stock level is the sum of its movements"),
        sql="""
        SELECT coalesce(l.variant_id, m.variant_id) || ' ' || coalesce(l.location_id, m.location_id)
        FROM inventory_stocklevel l FULL JOIN (
          SELECT variant_id, location_id, sum(quantity) AS quantity, sum(reserved) AS reserved
          FROM inventory_stockmovement GROUP BY variant_id, location_id) m USING (variant_id, location_id)
        WHERE coalesce(l.on_hand, 0) <> coalesce(m.quantity, 0) OR coalesce(l.reserved, 0) <> coalesce(m.reserved, 0)
        """,
    ),
    Invariant(
        code="reserved_is_what_is_promised",
        title=_("What is reserved of a level is the sum of the open reservations"),
        sql="""
        SELECT coalesce(l.variant_id, r.variant_id) || ' ' || coalesce(l.location_id, r.location_id)
        FROM inventory_stocklevel l FULL JOIN (
          SELECT variant_id, location_id, sum(open) AS held FROM inventory_reservation
          WHERE location_id IS NOT NULL AND open > 0 GROUP BY variant_id, location_id) r USING (variant_id, location_id)
        WHERE coalesce(l.reserved, 0) <> coalesce(r.held, 0)
        """,
    ),
    Invariant(
        code="transfer_balances",
        title=_("What a transfer takes from one location it brings to another"),
        sql="""
        SELECT pair FROM inventory_stockmovement WHERE pair IS NOT NULL GROUP BY pair
        HAVING sum(quantity) <> 0 OR count(*) <> 2 OR min(variant_id) <> max(variant_id)
        """,
    ),
    Invariant(
        code="pieces_are_whole",
        title=_("Piece goods lie and are promised in whole pieces"),
        sql="""
        SELECT l.id FROM inventory_stocklevel l JOIN inventory_variant v ON v.id = l.variant_id
        WHERE v.pieces_only AND (l.on_hand <> trunc(l.on_hand) OR l.reserved <> trunc(l.reserved))
        """,
    ),
)
