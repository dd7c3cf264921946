"""What must always be true of the books' documents: sums, numbers, one document per delivery."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant

INVARIANTS = (
    Invariant(
        code="document_is_its_lines",
        title=_("A document is the sum of its lines, and of its taxes"),
        sql="""
        SELECT d.id FROM accounting_document d
          LEFT JOIN (SELECT document_id, sum(net) AS net, sum(tax) AS tax FROM accounting_documentline GROUP BY 1) l
            ON l.document_id = d.id
          LEFT JOIN (SELECT document_id, sum(net) AS net, sum(tax) AS tax FROM accounting_documenttax GROUP BY 1) t
            ON t.document_id = d.id
        WHERE d.state = 'ISSUED' AND ((d.net, d.tax) <> (coalesce(l.net, 0), coalesce(l.tax, 0))
          OR (d.net, d.tax) <> (coalesce(t.net, 0), coalesce(t.tax, 0)))
        """,
    ),
    Invariant(
        code="numbers_have_no_gap",
        title=_("Every number of a series has its document or stands in the register of voided numbers"),
        sql="""
        SELECT s.id FROM accounting_series s
          LEFT JOIN (SELECT series_id, count(*) AS n FROM accounting_document WHERE state = 'ISSUED' GROUP BY 1) d
            ON d.series_id = s.id
          LEFT JOIN (SELECT series_id, sum(last - first + 1) AS n FROM accounting_voidnumber GROUP BY 1) v
            ON v.series_id = s.id
        WHERE coalesce(d.n, 0) + coalesce(v.n, 0) <> s.next - 1
        """,
    ),
    Invariant(
        code="documents_are_chained",
        title=_("Every document carries the seal of the one before it in its series"),
        sql="""
        SELECT d.id FROM accounting_document d LEFT JOIN LATERAL (SELECT p.digest FROM accounting_document p
          WHERE p.series_id = d.series_id AND p.sequence < d.sequence ORDER BY p.sequence DESC LIMIT 1) b ON true
        WHERE d.state = 'ISSUED' AND d.previous <> coalesce(b.digest, '')
        """,
    ),
    Invariant(
        code="delivery_is_billed_once",
        title=_("No delivery is billed by two documents"),
        sql="""
        SELECT order_id FROM accounting_origin WHERE released_by_id IS NULL AND scope NOT LIKE 'advance:%%'
        GROUP BY order_id HAVING count(*) > count(DISTINCT scope) OR (count(*) > 1 AND bool_or(scope = 'order'))
        """,
    ),
    Invariant(
        code="corrections_stay_within_documents",
        title=_("No more of a document is corrected than it billed"),
        sql="""
        SELECT d.id FROM accounting_document d JOIN accounting_document c ON c.corrects_id = d.id
        WHERE c.kind IN ('CORRECTION', 'CANCELLATION') GROUP BY d.id, d.gross HAVING d.gross + sum(c.gross) < 0
        """,
    ),
)
