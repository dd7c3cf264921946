"""News becomes calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.messages import DocumentIssued

from .services import doubts


def documents_issued(news: Sequence[DocumentIssued]) -> None:
    """What was in doubt about these deliveries is decided."""
    doubts.decided([one.document_id for one in news])
