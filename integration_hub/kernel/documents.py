"""Documents of the books as news, as reports of those that issue them, and as what is told to other systems."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DocumentIssued:
    """News: a document of the books was issued, here or in the ERP or shop."""

    document_id: int
