"""The cockpit of a month with a hundred thousand orders, each billed, posted and paid."""

from __future__ import annotations

import os
import time

from django.db import connection as database

from accounting.services import cockpit
from accounting.services.cockpit import Month

ORDERS = int(os.environ.get("MONTH_ORDERS", "100000"))
MOST = 2.0
MONTH = Month(2026, 10)

_STATEMENTS = (
    """INSERT INTO integration_hub_connection (kind, slug, name, role, mode, state, state_reason, max_concurrent, per_minute,
      config, sealed) VALUES ('woocommerce', 'abschluss', 'abschluss', 'SHOP', 'TEST', 'ACTIVE', '{}', 2, 0, '{}', ''),
      ('stripe', 'abschluss-konto', 'abschluss-konto', 'PAYMENT', 'TEST', 'ACTIVE', '{}', 2, 0, '{}', '')""",
    """INSERT INTO orders_order (channel_id, external_id, number, customer_chosen, buyer, placed_at, source_updated_at, digest,
      stage, state, vendor_status, fulfilment, payment, payment_method, transaction_id, currency, prices_include_tax, total,
      total_tax, refunded, note)
      SELECT c.id, n::text, 'A' || n, false, '{}', timestamptz '2026-10-01 08:00+02' + n %% 30 * interval '1 day', now(), 'x',
      'READY', 'ACCEPTED', '', 'FULL', 'PAID', '', '', 'EUR', true, 119, 19, 0, ''
      FROM generate_series(1, %(n)s) n, integration_hub_connection c WHERE c.slug = 'abschluss'""",
    """INSERT INTO accounting_series (source_id, year, next, head)
      SELECT id, 0, %(n)s + 1, 'x' FROM integration_hub_connection WHERE slug = 'abschluss'""",
    """INSERT INTO accounting_document (kind, state, issuer, number, series_id, sequence, channel_id, order_id, scope, currency,
      prices_include_tax, net, tax, gross, prepaid, payment_method, issued_on, issued_at, language, country, buyer_vat_id,
      routing_id, seller, buyer, delivery, why, doubts, source_id, external_id, digest, previous)
      SELECT 'INVOICE', 'ISSUED', 'SHOP', 'RE-' || o.external_id, s.id, o.external_id::int, o.channel_id, o.id, 'order', 'EUR',
      true, 100, 19, 119, 119, '', o.placed_at::date, o.placed_at, 'de', 'DE', '', '', '{}', '{}', '{}', '', '[]', o.channel_id,
      o.external_id, 'x', '' FROM orders_order o JOIN integration_hub_connection c ON c.id = o.channel_id AND c.slug = 'abschluss'
      JOIN accounting_series s ON s.source_id = c.id""",
    """INSERT INTO accounting_origin (document_id, order_id, scope) SELECT id, order_id, 'order' FROM accounting_document
      WHERE number LIKE 'RE-%%'""",
    """INSERT INTO accounting_entry (chart, source, subject_id, revision, booked_on, belegfeld1, belegfeld2, text, version_id,
      document_id, order_id, why, digest, previous)
      SELECT '03', 'DOCUMENT', d.id, 1, d.issued_on, d.number, '', 'Verkauf', v.id, d.id, d.order_id, '', '', ''
      FROM accounting_document d, (SELECT min(id) AS id FROM accounting_mappingversion) v WHERE d.number LIKE 'RE-%%'""",
    """INSERT INTO accounting_posting (entry_id, position, row, side, account, contra, debit, credit, currency, tax_key,
      cost_centre, eu_id, belegfeld1, text, event, location, product_group, payment_method, country, tax_case)
      SELECT e.id, s, 1, (ARRAY['HEAD', 'CONTRA', 'TAX'])[s], (ARRAY['10001', '8400', '1776'])[s], '',
      CASE s WHEN 1 THEN 119 ELSE 0 END, (ARRAY[0, 100, 19])[s], 'EUR', '', '', '', '', '', 'REVENUE', '', '', '', 'DE',
      'DOMESTIC' FROM accounting_entry e, generate_series(1, 3) s WHERE e.belegfeld1 LIKE 'RE-%%'""",
    """INSERT INTO accounting_booking (source, subject_id, state, entry_id, why, seen)
      SELECT 'DOCUMENT', document_id, 'POSTED', id, '{}', '' FROM accounting_entry WHERE belegfeld1 LIKE 'RE-%%'""",
    """INSERT INTO payments_transaction (connection_id, external_id, kind, state, vendor_status, occurred_at, source_updated_at,
      gross, currency, settlement_currency, settled_gross, net, fees, fee_tax, reserve, booked_currency, rate_source,
      parent_external_id, payout_external_id, method, country, card, order_reference, reference, payment_ids, text, payer, email,
      iban)
      SELECT c.id, 'ab_' || n, 'CAPTURE', 'SUCCEEDED', '', timestamptz '2026-10-01 09:00+02' + n %% 30 * interval '1 day', now(),
      119, 'EUR', 'EUR', 119, 119, 0, 0, 0, 'EUR', '', '', '', 'card', 'DE', '', '', '', '{}', '', '', '', ''
      FROM generate_series(1, %(n)s) n, integration_hub_connection c WHERE c.slug = 'abschluss-konto'""",
    """INSERT INTO accounting_booking (source, subject_id, state, why, seen)
      SELECT 'MOVEMENT', id, 'NOTHING', '{}', '' FROM payments_transaction WHERE external_id LIKE 'ab_%%'""",
)


def run() -> None:
    """Fill, then compute all points three times; the best counts."""
    with database.cursor() as cursor:
        cursor.execute("SET session_replication_role = 'replica'")  # what guards the rows is not measured
        for statement in _STATEMENTS:
            cursor.execute(statement, {"n": ORDERS})
        cursor.execute("SET session_replication_role = 'origin'")
        cursor.execute("VACUUM ANALYZE")
    took = []
    for _time in range(3):
        began = time.perf_counter()
        found = cockpit.lines(MONTH)
        took.append(time.perf_counter() - began)
    whole = {line.point.code: line.whole for line in found}
    assert (whole["orders"], whole["posted"]) == (ORDERS, ORDERS), whole
    still = {line.point.code: line.count for line in found if not line.is_good}
    print(
        f"  cockpit: {ORDERS} orders, documents and movements, {len(found)} points in {min(took):.2f} s, open: {still}"
    )
    print(f"bench cockpit {min(took) * 1000:.0f} ms ratio={MOST / min(took):.2f} goal=1", flush=True)
