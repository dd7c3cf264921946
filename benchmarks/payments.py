"""Money: a million payments tied to a million orders beside the plain statement that writes the same pairs; a large payout."""

from __future__ import annotations

import os
import resource
import time

from django.db import connection as database
from django.db import transaction

from payments import balances, matching, payouts
from payments.models import Payout

ROWS = int(os.environ.get("PAIRS", "1000000"))
ITEMS = 50_000
GOAL = 0.7

_SYSTEMS = """
INSERT INTO integration_hub_connection (kind, slug, name, role, mode, state, state_reason, max_concurrent, per_minute, config,
  sealed) VALUES ('woocommerce', 'kasse', 'kasse', 'SHOP', 'TEST', 'ACTIVE', '{}', 2, 0, '{}', ''),
  ('stripe', 'konto', 'konto', 'PAYMENT', 'TEST', 'ACTIVE', '{}', 2, 0, '{}', '')
"""
_ORDERS = """
INSERT INTO orders_order (channel_id, external_id, number, customer_chosen, buyer, placed_at, source_updated_at, digest,
  stage, state, vendor_status, fulfilment, payment, payment_method, transaction_id, currency, prices_include_tax, total,
  total_tax, refunded, note)
SELECT c.id, n::text, 'P' || n, false, '{}', now(), now(), 'x', 'READY', 'RECORDED', '', 'NONE', 'PAID', '', '', 'EUR', true,
  10 + n %% 1000, 0, 0, '' FROM generate_series(1, %s) n, integration_hub_connection c WHERE c.slug = 'kasse'
"""
# every payment names its order, in another order than the orders came in
_PAYMENTS = """
INSERT INTO payments_transaction (connection_id, external_id, kind, state, vendor_status, occurred_at, source_updated_at,
  gross, currency, settlement_currency, settled_gross, net, fees, fee_tax, reserve, booked_currency, rate_source,
  parent_external_id, payout_external_id, method, country, card, order_reference, reference, payment_ids, text, payer, email,
  iban)
SELECT c.id, 'ch_' || n, 'CAPTURE', 'SUCCEEDED', '', now(), now(), 10 + m %% 1000, 'EUR', 'EUR', 10 + m %% 1000, 10 + m %% 1000,
  0, 0, 0, '', '', '', CASE WHEN n <= %s THEN 'po_large' ELSE '' END, 'card', 'DE', '', 'kasse:' || m, 'KASSE' || m,
  ARRAY['ch_' || n], '', '', '', ''
FROM (SELECT n, ((%s - n)::bigint * 7919 %% %s + 1) AS m FROM generate_series(1, %s) n) numbered, integration_hub_connection c
WHERE c.slug = 'konto'
"""
_LOOKING = """
INSERT INTO payments_unassigned (transaction_id, search, ask_at) SELECT id, 'NEW', now() + interval '1 day'
FROM payments_transaction WHERE external_id LIKE 'ch_%'
"""
_PLAIN = """
INSERT INTO plain_allocation (transaction_id, position, order_id, amount, order_amount, how, ground)
SELECT t.id, 1, o.id, t.gross, t.gross, 'CERTAIN', 'REFERENCE' FROM payments_transaction t
JOIN integration_hub_connection c ON c.slug = split_part(t.order_reference, ':', 1)
JOIN orders_order o ON o.channel_id = c.id AND o.external_id = split_part(t.order_reference, ':', 2) AND o.currency = t.currency
"""


def run() -> None:
    """The pairs, then the payout."""
    _fill()
    plain = _plainly()
    began, looked = time.perf_counter(), 0
    while moved := matching.sweep():
        looked += moved
        print(f"  payments: {looked} of {ROWS} looked at", flush=True)
    took = time.perf_counter() - began
    assert _value("SELECT count(*) FROM payments_allocation") == ROWS == _value("SELECT count(*) FROM plain_allocation")
    print(f"  payments: the plain statement took {plain:.1f} s, matching {took:.1f} s")
    print(f"bench match_payments {ROWS / took:.0f} payments/s ratio={plain / took:.2f} goal={GOAL}", flush=True)
    _payout()
    _open_items()


def _fill() -> None:
    _do(_SYSTEMS)
    _do(_ORDERS, [ROWS])
    _do(_PAYMENTS, [ITEMS, ROWS, ROWS, ROWS])
    _do(_LOOKING)
    _do("CREATE TABLE plain_allocation (LIKE payments_allocation INCLUDING ALL)")
    _do("VACUUM ANALYZE")


def _plainly() -> float:
    """The same pairs into a table with the same columns and indexes, in one statement; the second of two runs counts."""
    _timed(_PLAIN)
    _do("TRUNCATE plain_allocation")
    return _timed(_PLAIN)


def _payout() -> None:
    """Announce a payout of fifty thousand items and explain it."""
    amount = _value("SELECT sum(net) FROM payments_transaction WHERE payout_external_id = 'po_large'")
    _do(
        "INSERT INTO payments_payout (connection_id, external_id, state, stage, vendor_status, amount, currency, remainder,"
        " created_at, source_updated_at, reference, has_items, items_listed, awaited) SELECT id, 'po_large', 'ANNOUNCED',"
        " 'PAID', '', %s, 'EUR', 0, now(), now(), '', true, false, '{}' FROM integration_hub_connection WHERE slug = 'konto'",
        [amount],
    )
    payout, before = Payout.objects.get(external_id="po_large"), _memory()
    began = time.perf_counter()
    with transaction.atomic():
        payouts.attach([payout.pk])
    took = time.perf_counter() - began
    payout.refresh_from_db()
    assert payout.state == "EXPLAINED"
    assert payout.items.count() == ITEMS
    print(f"  payout: {ITEMS} items explained in {took:.2f} s, {_memory() - before:.0f} MB more memory")
    print(f"bench explain_payout {ITEMS / took:.0f} items/s ratio={10 / took:.2f} goal=1", flush=True)


def _open_items() -> None:
    """What follows the matching: the open items of the first hundred thousand orders."""
    ids = list(range(1, 100_001))
    began = time.perf_counter()
    balances.refresh(ids)
    print(f"  open items: {len(ids) / (time.perf_counter() - began):.0f} orders/s computed")


def _memory() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(statement: str) -> float:
    began = time.perf_counter()
    _do(statement)
    return time.perf_counter() - began


def _do(statement: str, params: list[object] | None = None) -> None:
    with database.cursor() as cursor:
        cursor.execute(statement, params)


def _value(statement: str) -> object:
    with database.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
