"""The pages of the books: who may open them, what their addresses need."""

from __future__ import annotations

from typing import Any

from accounting.models import ProcedureDocument
from accounting.services import procedure
from integration_hub.models import User
from tests.accounting import posted

_READERS = {"finance", "auditor", "administrator"}
_KEEPERS = {"finance", "administrator"}

PAGES: dict[str, set[str]] = {
    "fee_report": _READERS | {"operations"},
    **dict.fromkeys(
        "procedures procedure procedure_file postings entry account_mapping books_choices exports export_month export"
        " months month month_rows revenue revenue_rows oss audit_export".split(),
        _READERS,
    ),
}
DEEDS: dict[str, set[str]] = dict.fromkeys(
    "procedure_draw_up entry_action account_mapping_action books_action export_make export_action export_take"
    " month_action".split(),
    _KEEPERS,
)


def arguments() -> dict[str, list[Any]]:
    """Makes what the addresses name."""
    by, _made = User.objects.get_or_create(username="schreiber")
    drawn = ProcedureDocument.objects.first() or procedure.draw_up(by=by, why="for the table of pages")
    return {
        "procedure": [drawn.version],
        "procedure_file": [drawn.version],
        "month": [2026, 11],
        "month_rows": [2026, 11, "orders"],
        "month_action": [2026, 11, "accounting.close"],
        **posted.arguments(),
    }
