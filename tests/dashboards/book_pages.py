"""The pages of the books: who may open them, what their addresses need."""

from __future__ import annotations

from typing import Any

from accounting.models import ProcedureDocument
from accounting.services import procedure
from integration_hub.models import User

_READERS = {"finance", "auditor", "administrator"}

PAGES: dict[str, set[str]] = {"procedures": _READERS, "procedure": _READERS, "procedure_file": _READERS}
DEEDS: dict[str, set[str]] = {"procedure_draw_up": {"finance", "administrator"}}


def arguments() -> dict[str, list[Any]]:
    """Makes what the addresses name."""
    by, _made = User.objects.get_or_create(username="schreiber")
    drawn = ProcedureDocument.objects.first() or procedure.draw_up(by=by, why="for the table of pages")
    return {"procedure": [drawn.version], "procedure_file": [drawn.version]}
