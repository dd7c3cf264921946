"""What must always be true of orders: nothing lost on the way, nothing double, every sum its parts."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant
from integration_hub.kernel import money
from integration_hub.models import OutboundCommand

from .exported import WRITE_SALE
from .models import Order
from .services import HOLDING
from .states import ORDER_TO_ERP


def _orders() -> dict[str, Any]:
    return {
        "order": ContentType.objects.get_for_model(Order).pk,
        "command": ContentType.objects.get_for_model(OutboundCommand).pk,
        "kinds": list(HOLDING),
        "verb": WRITE_SALE,
        "process": ORDER_TO_ERP,
    }


def _coins() -> dict[str, Any]:
    """The smallest coin of every currency that has not a hundred of them."""
    return _orders() | {"currencies": list(money.UNUSUAL), "digits": list(money.UNUSUAL.values())}


# a case of validation that holds the order (s, e), open or closed by a person
_CASE = """SELECT 1 FROM exceptions_casesubject s JOIN exceptions_exceptioncase e ON e.id = s.case_id
  WHERE s.subject_type_id = %(order)s AND s.subject_id = o.id AND e.kind = ANY(%(kinds)s)"""

INVARIANTS = (
    Invariant(
        code="order_is_whole",
        title=_("Every order was taken over whole and stands under its name in the shop"),
        sql="""
        SELECT o.id FROM orders_order o WHERE o.digest = '' OR o.state = ''
          OR o.exchange_id IS NULL AND NOT EXISTS (
          SELECT 1 FROM integration_hub_externalreference r WHERE r.connection_id = o.channel_id AND r.kind = 'order'
            AND r.external_id = o.external_id AND r.subject_type_id = %(order)s AND r.subject_id = o.id)
        """,
        params=_orders,
    ),
    Invariant(
        code="one_order_per_id",
        title=_("An order of a shop is in the hub once"),
        sql="""
        SELECT channel_id || ' ' || external_id FROM orders_order GROUP BY channel_id, external_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        code="one_sale_per_order",
        title=_("An order has one sale in an ERP, and a sale is of one order"),
        sql="""
        SELECT 'order ' || order_id FROM orders_sale GROUP BY order_id, connection_id HAVING count(*) > 1
        UNION ALL SELECT 'sale ' || external_id FROM orders_sale GROUP BY connection_id, external_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        code="accepted_order_goes_on",
        title=_("An accepted order has its sale, or a command to write it, or a person took that back"),
        sql="""
        SELECT o.id FROM orders_order o JOIN integration_hub_processswitch w ON w.channel_id = o.channel_id
          AND w.process = %(process)s AND w.enabled AND w.since <= o.placed_at
        WHERE o.state = 'ACCEPTED' AND NOT EXISTS (SELECT 1 FROM orders_sale a WHERE a.order_id = o.id)
          AND NOT EXISTS (SELECT 1 FROM integration_hub_outboundcommand q WHERE q.subject_type_id = %(order)s
            AND q.subject_id = o.id AND q.verb = %(verb)s AND (q.state <> 'CANCELLED' OR EXISTS (
              SELECT 1 FROM integration_hub_activity y WHERE y.subject_type_id = %(command)s AND y.subject_id = q.id
                AND y.action = 'commands.cancel')))
        """,
        params=_orders,
    ),
    Invariant(
        code="written_order_has_its_sale",
        title=_("A command that wrote an order has left its sale here"),
        sql="""
        SELECT q.subject_id FROM integration_hub_outboundcommand q WHERE q.subject_type_id = %(order)s
          AND q.verb = %(verb)s AND q.state = 'DONE' AND NOT EXISTS (SELECT 1 FROM orders_sale a
            WHERE a.order_id = q.subject_id AND a.connection_id = q.connection_id)
        """,
        params=_orders,
    ),
    Invariant(
        code="held_order_has_case",
        title=_("A held order has an exception that is open or was closed by a person"),
        sql=f"""
        SELECT o.id FROM orders_order o WHERE o.state = 'HELD' AND NOT EXISTS ({_CASE}
          AND ((e.state = 'OPEN' AND s.open) OR e.state = 'DISMISSED'))
        """,  # noqa: S608  our own statements
        params=_orders,
    ),
    Invariant(
        code="case_holds_held_orders",
        title=_("An exception of the checks holds only orders that are held"),
        sql="""
        SELECT o.id FROM exceptions_casesubject s JOIN exceptions_exceptioncase e ON e.id = s.case_id
          AND e.state = 'OPEN' AND e.kind = ANY(%(kinds)s)
        JOIN orders_order o ON o.id = s.subject_id
        WHERE s.open AND s.subject_type_id = %(order)s AND o.state <> 'HELD'
        """,
        params=_orders,
    ),
    Invariant(
        code="line_adds_up",
        title=_("Net and tax of a line make its gross"),
        sql="SELECT order_id FROM orders_orderline WHERE gross <> net + tax",
    ),
    Invariant(
        code="order_adds_up",
        title=_("The lines of an accepted order make its total, or a person accepted the difference"),
        sql=f"""
        SELECT o.id FROM orders_order o
        LEFT JOIN (SELECT order_id, sum(gross) AS gross FROM orders_orderline GROUP BY order_id) l ON l.order_id = o.id
        LEFT JOIN unnest(%(currencies)s::text[], %(digits)s::int[]) u (currency, digits) ON u.currency = o.currency
        WHERE o.state = 'ACCEPTED' AND abs(coalesce(l.gross, 0) - o.total) >= power(10::numeric, -coalesce(u.digits, 2))
          AND NOT EXISTS (SELECT 1 FROM orders_waiver v WHERE v.order_id = o.id AND v.kind = 'totals_disagree')
          AND NOT EXISTS ({_CASE} AND e.kind = 'totals_disagree' AND e.state = 'OPEN' AND s.open)
        """,  # noqa: S608  our own statements
        params=_coins,
    ),
    Invariant(
        code="shipping_is_that_of_the_parcels",
        title=_("How far an order is shipped follows from its parcels and its sale"),
        sql="""
        SELECT o.id FROM orders_order o
        LEFT JOIN (SELECT DISTINCT order_id FROM orders_shipment) p ON p.order_id = o.id
        LEFT JOIN (SELECT DISTINCT order_id FROM orders_sale WHERE stage = 'SHIPPED') d ON d.order_id = o.id
        LEFT JOIN LATERAL (SELECT bool_and(l.quantity <= coalesce(k.packed, 0)) AS whole FROM orders_orderline l
          LEFT JOIN LATERAL (SELECT sum(i.quantity) AS packed FROM orders_shipmentline i WHERE i.line_id = l.id) k ON TRUE
          WHERE l.order_id = o.id AND l.kind = 'ITEM') g ON p.order_id IS NOT NULL
        WHERE o.fulfilment <> CASE
          WHEN p.order_id IS NULL AND d.order_id IS NULL THEN 'NONE'
          WHEN d.order_id IS NOT NULL OR coalesce(g.whole, TRUE) THEN 'FULL' ELSE 'PARTIAL' END
        """,
    ),
    Invariant(
        code="parcel_holds_what_was_ordered",
        title=_("Parcels hold no more of a line than was ordered, and only lines of their own order"),
        sql="""
        SELECT l.order_id FROM orders_shipmentline i JOIN orders_orderline l ON l.id = i.line_id
        JOIN orders_shipment p ON p.id = i.shipment_id
        GROUP BY l.id HAVING sum(i.quantity) > l.quantity OR bool_or(p.order_id <> l.order_id)
        """,
    ),
)
