"""What connectors must keep that list orders or sales for the completeness check."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration_hub.kernel.messages import Listed, OrderReport, WriteSale

from .contract import Contract
from .world import outside


class OrdersListedContract(Contract):
    """A day's list says of each order what its report says, and holds no other day's."""

    def reported(self) -> OrderReport:
        """What ``parse`` makes of the one order that ``world`` holds."""
        with outside(self.world()):
            page = self.connector().poll("orders", None, None)
        (report,) = self.connector().parse(page.deliveries[0])
        assert isinstance(report, OrderReport)
        return report

    def listed(self, start: datetime, end: datetime) -> list[Listed]:
        with outside(self.world()):
            listing = self.connector().list_orders(start, end, None)
        assert listing.token is None
        return list(listing.rows)

    def test_the_list_agrees_with_the_report(self) -> None:
        report = self.reported()
        (row,) = self.listed(report.placed_at, report.placed_at + timedelta(seconds=1))
        assert (row.external_id, row.number) == (report.external_id, report.number)
        assert (row.total, row.currency, row.live) == (report.total, report.currency, True)
        assert (row.updated_at, row.test) == (report.updated_at, report.is_test)

    def test_other_days_are_not_in_it(self) -> None:
        placed = self.reported().placed_at
        assert not self.listed(placed - timedelta(days=1), placed)
        assert not self.listed(placed + timedelta(seconds=1), placed + timedelta(days=1))


class SalesListedContract(Contract):
    """What was written is listed under its reference, and nothing else is."""

    def test_what_was_written_is_listed(self) -> None:
        world, (command, *_) = self.world(), self.commands()
        assert isinstance(command, WriteSale)
        it = self.connector()
        with outside(world):
            assert not it.list_sales([command.reference])
            written = it.send(command)
            found = it.list_sales([command.reference, "another"])
            assert not it.list_sales([])
        assert [(row.reference, row.external_id, row.number) for row in found] == [
            (command.reference, written.external_id, written.number)
        ]
        assert [(row.total, row.currency, row.live) for row in found] == [(command.total, command.currency, True)]
