"""What must always be true of the ledger: it balances, nothing stands twice, clearing accounts can be proven, the chain holds."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant

from .services.entries import CHAIN

INVARIANTS = (
    Invariant(
        code="entries_balance",
        title=_("Every row of every entry has as much debit as credit"),
        sql="""
        SELECT entry_id FROM accounting_posting GROUP BY entry_id, row
        HAVING sum(debit) <> sum(credit) OR count(*) FILTER (WHERE side = 'HEAD') <> 1
        UNION ALL SELECT e.id FROM accounting_entry e
        WHERE NOT EXISTS (SELECT 1 FROM accounting_posting p WHERE p.entry_id = e.id)
        """,
    ),
    Invariant(
        code="nothing_stands_twice",
        title=_("Of everything that is posted, exactly one entry stands; what was posted before it is reversed"),
        sql="""
        SELECT e.source || ' ' || e.subject_id FROM accounting_entry e
          LEFT JOIN accounting_entry r ON r.reverses_id = e.id
        WHERE e.reverses_id IS NULL AND r.id IS NULL
          AND NOT EXISTS (SELECT 1 FROM accounting_booking b WHERE b.entry_id = e.id)
        UNION ALL SELECT b.source || ' ' || b.subject_id FROM accounting_booking b
          JOIN accounting_entry r ON r.reverses_id = b.entry_id
        """,
    ),
    Invariant(
        code="entries_are_chained",
        title=_("Every entry says what it said when it was posted, and follows on the one before it"),
        sql=CHAIN,
    ),
    Invariant(
        code="clearing_is_provable",
        title=_("The clearing account of a provider is what its posted movements, payouts and remainders make"),
        sql="""
        SELECT c.name FROM integration_hub_connection c LEFT JOIN (
          SELECT channel_id, sum(debit - credit) AS balance FROM accounting_posting
          WHERE event = 'CLEARING' AND side <> 'TAX' GROUP BY channel_id) l ON l.channel_id = c.id
        LEFT JOIN (
          SELECT connection_id, sum(amount) AS balance FROM (
            SELECT t.connection_id, t.net - t.reserve AS amount FROM accounting_booking b
              JOIN payments_transaction t ON t.id = b.subject_id
              WHERE b.source = 'MOVEMENT' AND b.state = 'POSTED'
            UNION ALL SELECT p.connection_id, -p.amount FROM accounting_booking b
              JOIN payments_payout p ON p.id = b.subject_id WHERE b.source = 'PAYOUT' AND b.state = 'POSTED'
            UNION ALL SELECT p.connection_id, a.amount FROM accounting_booking b
              JOIN payments_acceptedremainder a ON a.id = b.subject_id JOIN payments_payout p ON p.id = a.payout_id
              WHERE b.source = 'REMAINDER' AND b.state = 'POSTED') m GROUP BY connection_id) m ON m.connection_id = c.id
        WHERE c.role = 'PAYMENT' AND coalesce(l.balance, 0) <> coalesce(m.balance, 0)
          AND NOT EXISTS (SELECT 1 FROM payments_transaction t WHERE t.connection_id = c.id
            AND t.settlement_currency NOT IN ('', t.booked_currency))
          AND NOT EXISTS (SELECT 1 FROM accounting_booking b JOIN payments_transaction t ON t.id = b.subject_id
            WHERE b.source = 'MOVEMENT' AND b.state = 'DUE' AND t.connection_id = c.id)
        """,
    ),
    Invariant(
        code="exports_hold_each_entry_once",
        title=_(
            "A batch of a month begins where the one before it ended, and a ready one has the rows it was made for"
        ),
        sql="""
        SELECT e.id FROM accounting_export e LEFT JOIN accounting_export b
          ON b.year = e.year AND b.month = e.month AND b.number = e.number - 1
        WHERE e.after <> coalesce(b.upto, 0) OR (e.state = 'READY' AND e.total <>
          (SELECT coalesce(sum(f.rows), 0) FROM accounting_exportfile f WHERE f.export_id = e.id))
        """,
    ),
)
