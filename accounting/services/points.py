"""What must be true of a month before it is closed, each as one statement that finds the rows of which it is not.

A statement gives (what, id, label, amount, currency); ``what`` names the page that a row leads to.  ``whole`` counts what was
looked at.  Days are those of the merchant's time zone: ``first`` to ``last``, moments from ``start`` to before ``end``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

_ISSUED = "d.state = 'ISSUED' AND d.issued_on BETWEEN %(first)s AND %(last)s"
_DOCUMENTS = f"SELECT count(*) FROM accounting_document d WHERE {_ISSUED}"

_DUE_ORDERS = """
  FROM (SELECT id FROM orders_order WHERE placed_at >= %(start)s AND placed_at < %(end)s
    UNION SELECT order_id FROM orders_shipment WHERE shipped_at >= %(start)s AND shipped_at < %(end)s) m
  JOIN orders_order o ON o.id = m.id LEFT JOIN accounting_issuingrule r ON r.channel_id = o.channel_id
  WHERE o.state = 'ACCEPTED' AND o.total <> 0 AND (r.since IS NULL OR o.placed_at >= r.since)
    AND CASE coalesce(r.trigger, 'SHIPPED') WHEN 'CONFIRMED' THEN TRUE
      WHEN 'PAID' THEN o.payment IN ('PAID', 'PARTLY_REFUNDED') WHEN 'EACH_SHIPMENT' THEN o.fulfilment <> 'NONE'
      ELSE o.fulfilment = 'FULL' END
"""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One line of the cockpit: what is well if nothing is found, what is open if something is."""

    code: str
    good: Any
    open: Any
    sql: str
    whole: str = ""


POINTS = (
    Point(
        code="orders",
        good=_("All orders that are due have a document"),
        open=_("Orders without a document"),
        sql=f"""SELECT 'order', o.id, o.number, o.total, o.currency {_DUE_ORDERS}
          AND NOT EXISTS (SELECT 1 FROM accounting_origin g WHERE g.order_id = o.id AND g.released_by_id IS NULL)""",
        whole=f"SELECT count(*) {_DUE_ORDERS}",
    ),
    Point(
        code="doubts",
        good=_("No document is in doubt"),
        open=_("Documents in doubt"),
        sql="""SELECT 'document', d.id, coalesce(o.number, d.scope), d.gross, d.currency FROM accounting_document d
          LEFT JOIN orders_order o ON o.id = d.order_id WHERE d.state = 'DOUBT' AND d.recorded_at < %(end)s""",
    ),
    Point(
        code="numbers",
        good=_("Numbers of documents have no gaps"),
        open=_("Numbers that no document has"),
        sql=f"""SELECT 'numbers', g.series_id, n::text, 0, 'EUR' FROM (
            SELECT d.series_id, min(d.sequence) AS low, max(d.sequence) AS high FROM accounting_document d
            WHERE {_ISSUED} AND d.issuer = 'HUB' GROUP BY d.series_id) g, generate_series(g.low, g.high) n
          WHERE NOT EXISTS (SELECT 1 FROM accounting_document d WHERE d.series_id = g.series_id AND d.sequence = n)
            AND NOT EXISTS (SELECT 1 FROM accounting_voidnumber v WHERE v.series_id = g.series_id
              AND n BETWEEN v.first AND v.last)""",
        whole=_DOCUMENTS,
    ),
    Point(
        code="posted",
        good=_("All documents are posted"),
        open=_("Documents that are not posted"),
        sql=f"""SELECT 'document', d.id, d.number, d.gross, d.currency FROM accounting_document d
          LEFT JOIN accounting_booking b ON b.source = 'DOCUMENT' AND b.subject_id = d.id
          WHERE {_ISSUED} AND coalesce(b.state, 'DUE') NOT IN ('POSTED', 'NOTHING')""",
        whole=_DOCUMENTS,
    ),
    Point(
        code="tax",
        good=_("The tax of the documents is the tax of their postings"),
        open=_("Documents whose tax is posted otherwise"),
        sql=f"""SELECT 'document', d.id, d.number, d.tax - t.tax, d.currency FROM accounting_document d
          JOIN (SELECT e.document_id, coalesce(sum(p.credit - p.debit) FILTER (WHERE p.side = 'TAX'), 0) AS tax
            FROM accounting_entry e JOIN accounting_posting p ON p.entry_id = e.id
            WHERE e.document_id IS NOT NULL AND e.booked_on BETWEEN %(first)s AND %(last)s GROUP BY e.document_id) t
            ON t.document_id = d.id
          WHERE {_ISSUED} AND d.currency = %(books)s AND d.kind <> 'FINAL_INVOICE' AND d.tax <> t.tax""",
        whole=_DOCUMENTS,
    ),
    Point(
        code="money",
        good=_("All movements of money are posted"),
        open=_("Movements of money that are not posted"),
        sql="""SELECT 'transaction', t.id, t.external_id, t.gross, t.currency FROM payments_transaction t
          LEFT JOIN accounting_booking b ON b.source = 'MOVEMENT' AND b.subject_id = t.id
          WHERE t.occurred_at >= %(start)s AND t.occurred_at < %(end)s AND t.state = 'SUCCEEDED'
            AND coalesce(b.state, 'DUE') IN ('DUE', 'REFUSED')""",
        whole="""SELECT count(*) FROM payments_transaction
          WHERE occurred_at >= %(start)s AND occurred_at < %(end)s AND state = 'SUCCEEDED'""",
    ),
    Point(
        code="payouts",
        good=_("All payouts are explained"),
        open=_("Payouts with a remainder"),
        sql="""SELECT 'payout', p.id, p.external_id, p.remainder - coalesce(a.amount, 0), p.currency
          FROM payments_payout p LEFT JOIN payments_acceptedremainder a ON a.payout_id = p.id
          WHERE p.created_at >= %(start)s AND p.created_at < %(end)s AND p.remainder <> coalesce(a.amount, 0)
            AND p.stage NOT IN ('FAILED', 'CANCELLED')""",
        whole="SELECT count(*) FROM payments_payout WHERE created_at >= %(start)s AND created_at < %(end)s",
    ),
    Point(
        code="bank",
        good=_("All bank lines are explained"),
        open=_("Bank lines that nothing explains"),
        sql="""SELECT 'bank_line', l.id, to_char(l.booked_on, 'DD.MM.') || ' ' || l.name, l.amount, l.currency
          FROM payments_bankline l WHERE l.purpose = 'OPEN' AND l.booked_on BETWEEN %(first)s AND %(last)s""",
        whole="SELECT count(*) FROM payments_bankline WHERE booked_on BETWEEN %(first)s AND %(last)s",
    ),
    Point(
        code="refunds",
        good=_("All refunds have a correction"),
        open=_("Refunds without a correction"),
        sql="""SELECT 'refund', f.id, 'R-' || f.id, f.amount, f.currency FROM payments_refund f
          JOIN orders_order o ON o.id = f.order_id LEFT JOIN payments_openitem i ON i.order_id = o.id
          WHERE f.state = 'SETTLED' AND f.settled_at >= %(start)s AND f.settled_at < %(end)s
            AND EXISTS (SELECT 1 FROM accounting_origin g WHERE g.order_id = o.id)
            AND (SELECT sum(r.amount) FROM payments_refund r
              WHERE r.order_id = o.id AND r.state = 'SETTLED' AND r.settled_at < %(end)s)
              > greatest(coalesce(i.captured, 0) - o.total, 0) - coalesce((SELECT sum(d.gross) FROM accounting_document d
                WHERE d.order_id = o.id AND d.state = 'ISSUED' AND d.kind IN ('CORRECTION', 'CANCELLATION')), 0)""",
        whole="""SELECT count(*) FROM payments_refund
          WHERE state = 'SETTLED' AND settled_at >= %(start)s AND settled_at < %(end)s""",
    ),
    Point(
        code="clearing",
        good=_("Clearing accounts stand at what can be proven"),
        open=_("Clearing accounts that stand otherwise than the provider's movements make them"),
        sql="""SELECT 'connection', c.id, c.name, coalesce(l.balance, 0) - coalesce(m.balance, 0), %(books)s
          FROM integration_hub_connection c LEFT JOIN (
            SELECT p.channel_id, sum(p.debit - p.credit) AS balance FROM accounting_posting p
            JOIN accounting_entry e ON e.id = p.entry_id
            WHERE p.event = 'CLEARING' AND p.side <> 'TAX' AND e.booked_on <= %(last)s GROUP BY p.channel_id) l
            ON l.channel_id = c.id
          LEFT JOIN (SELECT s.connection_id, sum(s.amount) AS balance FROM (
            SELECT t.connection_id, t.net - t.reserve AS amount FROM accounting_booking b
              JOIN payments_transaction t ON t.id = b.subject_id JOIN accounting_entry e ON e.id = b.entry_id
              WHERE b.source = 'MOVEMENT' AND b.state = 'POSTED' AND e.booked_on <= %(last)s
            UNION ALL SELECT p.connection_id, -p.amount FROM accounting_booking b
              JOIN payments_payout p ON p.id = b.subject_id JOIN accounting_entry e ON e.id = b.entry_id
              WHERE b.source = 'PAYOUT' AND b.state = 'POSTED' AND e.booked_on <= %(last)s
            UNION ALL SELECT p.connection_id, a.amount FROM accounting_booking b
              JOIN payments_acceptedremainder a ON a.id = b.subject_id JOIN payments_payout p ON p.id = a.payout_id
              JOIN accounting_entry e ON e.id = b.entry_id
              WHERE b.source = 'REMAINDER' AND b.state = 'POSTED' AND e.booked_on <= %(last)s) s
            GROUP BY s.connection_id) m ON m.connection_id = c.id
          WHERE c.role = 'PAYMENT' AND coalesce(l.balance, 0) <> coalesce(m.balance, 0)
            AND NOT EXISTS (SELECT 1 FROM payments_transaction t WHERE t.connection_id = c.id
              AND t.settlement_currency NOT IN ('', t.booked_currency))""",
        whole="SELECT count(*) FROM integration_hub_connection WHERE role = 'PAYMENT'",
    ),
    Point(
        code="cases",
        good=_("No exception of this month is open"),
        open=_("Open exceptions"),
        sql="""SELECT 'case', c.id, c.kind, c.amount, c.currency FROM exceptions_exceptioncase c
          WHERE c.state = 'OPEN' AND c.first_seen_at < %(end)s""",
    ),
    Point(
        code="exported",
        good=_("All postings are in an export"),
        open=_("Postings that no export holds"),
        sql="""SELECT 'entry', e.id, e.belegfeld1 || ' ' || e.text, 0, %(books)s
          FROM accounting_entry e WHERE e.booked_on BETWEEN %(first)s AND %(last)s
            AND (e.id > coalesce((SELECT max(x.upto) FROM accounting_export x
                WHERE x.state = 'READY' AND x.year = %(year)s AND x.month = %(month)s), 0)
              OR EXISTS (SELECT 1 FROM accounting_heldback h JOIN accounting_export x ON x.id = h.export_id
                WHERE h.entry_id = e.id AND x.year = %(year)s AND x.month = %(month)s AND x.number = (
                  SELECT max(y.number) FROM accounting_export y
                  WHERE y.state = 'READY' AND y.year = %(year)s AND y.month = %(month)s)))""",
        whole="SELECT count(*) FROM accounting_entry WHERE booked_on BETWEEN %(first)s AND %(last)s",
    ),
)
