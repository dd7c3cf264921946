"""What must always be true of money: every sum its parts, nothing twice, no two currencies added."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant

INVARIANTS = (
    Invariant(
        code="movement_adds_up",
        title=_("Gross less fees is net for every movement, and its fees are the sum of their rows"),
        sql="""
        SELECT t.id FROM payments_transaction t LEFT JOIN (SELECT transaction_id, sum(amount) AS amount
          FROM payments_transactionfee GROUP BY transaction_id) f ON f.transaction_id = t.id
        WHERE coalesce(f.amount, 0) <> t.fees OR t.net <> t.settled_gross - t.fees
        """,
    ),
    Invariant(
        code="allocation_fits",
        title=_("No more of a movement is given to orders than it has, and in one currency amounts are the same"),
        sql="""
        SELECT a.transaction_id FROM payments_allocation a LEFT JOIN payments_transaction t ON t.id = a.transaction_id
          LEFT JOIN orders_order o ON o.id = a.order_id
        GROUP BY a.transaction_id, t.id, t.gross HAVING t.id IS NULL OR abs(sum(a.amount)) > abs(t.gross)
          OR bool_or(o.id IS NULL OR a.amount * t.gross <= 0 OR (o.currency = t.currency AND a.amount <> a.order_amount))
        """,
    ),
    Invariant(
        code="payment_has_order_or_looks",
        title=_("A payment has its order, looks for it, or a person said that it has none"),
        sql="""
        SELECT t.id FROM payments_transaction t WHERE t.kind IN ('CAPTURE', 'REFUND', 'DISPUTE') AND t.gross <> 0
          AND t.state IN ('PENDING', 'SUCCEEDED')
          AND NOT EXISTS (SELECT 1 FROM payments_allocation a WHERE a.transaction_id = t.id)
          AND NOT EXISTS (SELECT 1 FROM payments_unassigned u WHERE u.transaction_id = t.id)
        """,
    ),
    Invariant(
        code="payout_is_explained_and_remainder",
        title=_("What explains a payout is the sum of its items, and with the remainder it is the payout"),
        sql="""
        SELECT p.id FROM payments_payout p LEFT JOIN (SELECT payout_id, sum(amount) AS amount FROM payments_payoutitem
          GROUP BY payout_id) i ON i.payout_id = p.id
        WHERE p.explained <> coalesce(i.amount, 0) OR p.explained + p.remainder <> p.amount
        """,
    ),
    Invariant(
        code="item_is_its_movement",
        title=_("An item of a payout is what its movement moved, at the same provider, in the same currency"),
        sql="""
        SELECT i.id FROM payments_payoutitem i JOIN payments_payout p ON p.id = i.payout_id
          JOIN payments_transaction t ON t.id = i.transaction_id
        WHERE t.connection_id <> p.connection_id OR t.settlement_currency <> p.currency OR i.amount <> t.net - t.reserve
        """,
    ),
    Invariant(
        code="refunds_stay_within_payments",
        title=_("No more goes back than was paid"),
        sql="""
        SELECT r.capture_id FROM payments_refund r JOIN payments_transaction t ON t.id = r.capture_id
        WHERE r.state NOT IN ('FAILED', 'DECLINED') GROUP BY r.capture_id, t.gross HAVING sum(r.amount) > t.gross
        """,
    ),
    Invariant(
        code="settled_refund_has_its_movement",
        title=_("A refund counts as done only with the provider's movement"),
        sql="SELECT id FROM payments_refund WHERE state = 'SETTLED' AND transaction_id IS NULL",
    ),
    Invariant(
        code="nobody_approves_alone",
        title=_("Nobody approved their own refund or write-off"),
        sql="""
        SELECT 'refund ' || id FROM payments_refund WHERE approved_by_id = requested_by_id
        UNION ALL SELECT 'write-off ' || id FROM payments_writeoff WHERE approved_by_id = requested_by_id
        """,
    ),
    Invariant(
        code="statement_adds_up",
        title=_("A bank statement's opening balance and lines make its closing balance"),
        sql="SELECT id FROM payments_bankstatement WHERE closing <> opening + moved",
    ),
    Invariant(
        code="open_item_is_computed",
        title=_("What is kept as paid of an order is the sum of what its payments give it"),
        sql="""
        SELECT i.order_id FROM payments_openitem i LEFT JOIN (SELECT a.order_id, sum(a.order_amount) AS amount
          FROM payments_allocation a JOIN payments_transaction t ON t.id = a.transaction_id
          WHERE t.kind = 'CAPTURE' AND t.state = 'SUCCEEDED' AND a.at < now() - interval '1 hour'
          GROUP BY a.order_id) s ON s.order_id = i.order_id
        WHERE i.captured < coalesce(s.amount, 0)
        """,
    ),
)
