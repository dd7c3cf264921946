"""What must always be true of cases."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.invariants import Invariant, dangling

INVARIANTS = (
    Invariant(
        code="case_is_measured",
        title=_("The size and amount of an open exception are those of what it holds up"),
        sql="""
        SELECT c.id FROM exceptions_exceptioncase c
        LEFT JOIN (SELECT s.case_id, s.currency, count(*) AS held, sum(s.amount) AS amount
                   FROM exceptions_casesubject s WHERE s.open GROUP BY 1, 2) m ON m.case_id = c.id
        WHERE c.state = 'OPEN' GROUP BY c.id
        HAVING c.size <> coalesce(sum(m.held), 0)
          OR c.amount <> coalesce(sum(m.amount) FILTER (WHERE m.currency = c.currency), 0)
        """,
    ),
    Invariant(
        code="open_case_holds_something",
        title=_("Every open exception holds something up"),
        sql="""
        SELECT c.id FROM exceptions_exceptioncase c WHERE c.state = 'OPEN'
          AND NOT EXISTS (SELECT 1 FROM exceptions_casesubject s WHERE s.case_id = c.id AND s.open)
        """,
    ),
    Invariant(
        code="closed_case_holds_nothing",
        title=_("A closed exception holds nothing up"),
        sql="""
        SELECT c.id FROM exceptions_exceptioncase c WHERE c.state <> 'OPEN'
          AND EXISTS (SELECT 1 FROM exceptions_casesubject s WHERE s.case_id = c.id AND s.open)
        """,
    ),
    Invariant(
        code="one_open_case_per_cause",
        title=_("A cause has one open exception at most"),
        sql="""
        SELECT kind || ' ' || cause FROM exceptions_exceptioncase WHERE state = 'OPEN'
        GROUP BY kind, cause HAVING count(*) > 1
        """,
    ),
    Invariant(
        code="held_object_exists",
        title=_("What an open exception holds up exists"),
        sql=dangling("exceptions_casesubject", "p.case_id", "p.open"),
    ),
)
