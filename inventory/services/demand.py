"""How fast articles sell, from the ledger, against what is free: which will be oversold next."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection as database

from ..models import Variant

DAYS = 14
SOON = 14  # days of stock left from which an article is worth showing
MOST = 100

# what orders took, less what they gave back, and what left without an order
_RISK = """
WITH sold AS (
  SELECT m.variant_id, sum(CASE WHEN m.kind = 'SALE' THEN CASE WHEN m.reserved = 0 THEN -m.quantity ELSE 0 END
    ELSE m.reserved END) AS pieces
  FROM inventory_stockmovement m
  WHERE m.at >= statement_timestamp() - make_interval(days => %(days)s) AND m.kind IN ('RESERVED', 'RELEASED', 'SALE')
  GROUP BY m.variant_id HAVING sum(CASE WHEN m.kind = 'SALE' THEN CASE WHEN m.reserved = 0 THEN -m.quantity ELSE 0 END
    ELSE m.reserved END) > 0),
held AS (
  SELECT l.variant_id, sum(l.on_hand) AS on_hand, sum(l.reserved) AS reserved FROM inventory_stocklevel l
  WHERE l.variant_id IN (SELECT variant_id FROM sold) GROUP BY l.variant_id)
SELECT s.variant_id, s.pieces / %(days)s, h.on_hand, h.reserved, (h.on_hand - h.reserved) / (s.pieces / %(days)s) AS days
FROM sold s JOIN held h ON h.variant_id = s.variant_id
WHERE h.on_hand - h.reserved < s.pieces / %(days)s * %(soon)s ORDER BY days, s.pieces DESC, s.variant_id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Risk:
    """An article that sells so many a day, with what is on hand and reserved, and for how many days that lasts."""

    variant: Variant
    per_day: Decimal
    on_hand: Decimal
    reserved: Decimal
    days: Decimal

    @property
    def free(self) -> Decimal:
        return self.on_hand - self.reserved


def risks(most: int = MOST) -> list[Risk]:
    """The articles that are oversold or soon will be, the most urgent first."""
    with database.cursor() as cursor:
        cursor.execute(_RISK, {"days": DAYS, "soon": SOON, "most": most})
        rows = cursor.fetchall()
    variants = Variant.objects.in_bulk([row[0] for row in rows])
    return [Risk(variants[pk], *figures) for pk, *figures in rows]
