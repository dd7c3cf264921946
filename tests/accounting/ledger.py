"""Ways for tests to drive the ledger: work it off, read balances as DATEV would show them."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum

from accounting.events import Chart
from accounting.models import Choice, Posting
from accounting.services import choices, finding, posting
from payments import chores


def keep(chart: str = Chart.SKR03, **more: object) -> None:
    """Keep the books by this chart, with DATEV's numbers filled in."""
    for name, value in ({"chart": str(chart), "adviser_number": 29098, "client_number": 55003} | more).items():
        choices.choose(name, value, by=None, why="a test")
    assert Choice.objects.exists()


def post() -> None:
    """Everything that is due is posted."""
    chores.find_orders()
    finding.look()
    finding.look_back()
    while posting.work():
        pass


def balances() -> dict[str, Decimal]:
    """Account to balance, debit positive; accounts at nought are left out."""
    rows = Posting.objects.values_list("account").annotate(d=Sum("debit"), c=Sum("credit"))
    return {account: (d - c).quantize(Decimal("0.01")) for account, d, c in rows if d != c}


def row_list() -> list[tuple[str, str, str, str, str]]:
    """The booking rows as DATEV would show them: amount, side, account, contra account, tax key."""
    heads = Posting.objects.filter(side="HEAD").order_by("entry_id", "position")
    return [
        (f"{line.debit + line.credit:.2f}", "S" if line.debit else "H", line.account, line.contra, line.tax_key)
        for line in heads
    ]
