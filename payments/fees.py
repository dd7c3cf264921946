"""Fees beside what was agreed: percent of gross plus a fixed amount, by method, country and card, in its time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Sum
from django.utils import timezone

from integration_hub.kernel import money

from .models import FeeCheck, FeeContract, Transaction
from .states import Kind, Standing

BATCH = 20_000

# of the contracts that fit, the one that says most, and of those the newest; rounded to the currency's coin
_CHECK = """
INSERT INTO payments_feecheck AS f (transaction_id, contract_id, currency, expected, actual, difference, beyond, occurred_at)
SELECT id, contract, currency, expected, actual, actual - expected, abs(actual - expected) > tolerance, occurred_at FROM (
  SELECT t.id, c.id AS contract, t.settlement_currency AS currency, t.occurred_at,
    round(t.settled_gross * c.percent / 100 + c.fixed, coalesce(u.digits, 2)) AS expected, coalesce(g.amount, 0) AS actual,
    coalesce(y.fee_tolerance, power(10::numeric, -coalesce(u.digits, 2))) AS tolerance
  FROM payments_transaction t
  JOIN LATERAL (SELECT * FROM payments_feecontract c WHERE c.connection_id = t.connection_id
      AND c.currency = t.settlement_currency AND c.method IN ('', t.method) AND c.country IN ('', t.country)
      AND c.card IN ('', t.card) AND c.valid_from <= t.occurred_at::date
      AND (c.valid_until IS NULL OR c.valid_until >= t.occurred_at::date)
    ORDER BY (c.method <> '')::int + (c.country <> '')::int + (c.card <> '')::int DESC, c.valid_from DESC, c.id LIMIT 1) c
    ON TRUE
  LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM payments_transactionfee
    WHERE transaction_id = t.id AND kind = 'PROCESSING') g ON TRUE
  LEFT JOIN payments_policy y ON y.currency = t.settlement_currency
  LEFT JOIN unnest(%(currencies)s::text[], %(digits)s::int[]) u (currency, digits) ON u.currency = t.settlement_currency
  WHERE t.id = ANY(%(ids)s) AND t.kind = 'CAPTURE' AND t.state = 'SUCCEEDED' AND t.settled_gross IS NOT NULL) found
ON CONFLICT (transaction_id) DO UPDATE SET contract_id = excluded.contract_id, currency = excluded.currency,
  expected = excluded.expected, actual = excluded.actual, difference = excluded.difference, beyond = excluded.beyond,
  occurred_at = excluded.occurred_at
"""


def check(ids: Iterable[int]) -> None:
    """Lay the processing fees of these movements beside what was agreed; those without a contract have no check."""
    if not FeeContract.objects.exists():
        return
    params: dict[str, Any] = {
        "ids": list(ids),
        "currencies": list(money.UNUSUAL),
        "digits": list(money.UNUSUAL.values()),
    }
    with database.cursor() as cursor:
        cursor.execute(_CHECK, params)


def check_again(contract: FeeContract) -> int:
    """Compare everything that this contract may be about anew, after it was entered or changed; returns how many."""
    rows = Transaction.objects.filter(
        connection=contract.connection, kind=Kind.CAPTURE, state=Standing.SUCCEEDED, settled_gross__isnull=False
    ).filter(occurred_at__date__gte=contract.valid_from)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for place in range(0, len(ids), BATCH):
        check(ids[place : place + BATCH])
    return len(ids)


def year() -> list[dict[str, Any]]:
    """By provider and currency, what was taken beyond the contracts in the last 365 days, most first."""
    since = timezone.now() - timedelta(days=365)
    rows = FeeCheck.objects.filter(beyond=True, occurred_at__gte=since)
    found: Any = (
        rows.values("transaction__connection__name", "currency").annotate(sum=Sum("difference")).order_by("-sum")
    )
    return list(found)
