"""An entry and its export for tests of pages and the API."""

from __future__ import annotations

from typing import Any

from accounting.models import Books, Entry, Export
from accounting.services import exporting, posting
from tests.accounting import ledger
from tests.payments import money


def entry() -> Entry:
    """The entry of a payout."""
    found = Entry.objects.filter(source="PAYOUT").first()
    if found is None:
        ledger.keep()
        found = posting.post_payout(money.payout()).entry
    assert found is not None
    return found


def export() -> Export:
    """The ready batch that holds it."""
    found = Export.objects.first()
    if found is None:
        day = entry().booked_on
        found = exporting.request(day.year, day.month, by=None)
        while exporting.work():
            pass
    return Export.objects.get(pk=found.pk)


def arguments() -> dict[str, list[Any]]:
    """What the addresses of the ledger's pages need."""
    made, batch = entry(), export()
    return {
        "entry": [made.pk],
        "entry_action": [made.pk, "accounting.reword"],
        "account_mapping_action": ["accounting.change_rule"],
        "books_action": [Books.objects.get().pk, "accounting.choose"],
        "export": [batch.pk],
        "export_month": [batch.year, batch.month],
        "export_make": [batch.year, batch.month],
        "export_action": [batch.pk, "accounting.export_again"],
        "export_take": [batch.pk, 1],
    }
