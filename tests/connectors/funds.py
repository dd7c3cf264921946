"""What every connector that reports money must keep."""

from __future__ import annotations

from integration_hub.kernel.funds import TransactionKind, TransactionReport
from integration_hub.kernel.money import rounded

from .contract import Contract
from .soundness import assert_settlement_adds_up
from .world import outside


class FundsContract(Contract):
    """Money as providers state it: signs from the merchant's view, exact, and nothing lost between gross and net."""

    def movements(self) -> list[TransactionReport]:
        """Every movement in the samples."""
        found = [report for sample in self.samples() for report in self.connector().parse(sample.delivery)]
        return [report for report in found if isinstance(report, TransactionReport)]

    def test_gross_less_fees_is_net(self) -> None:
        assert self.movements()
        for report in self.movements():
            assert_settlement_adds_up(report)

    def test_signs_are_the_merchants(self) -> None:
        for report in self.movements():
            amounts = [report.gross, *([report.settled_gross] if report.settled_gross is not None else [])]
            if report.kind in (
                TransactionKind.CAPTURE,
                TransactionKind.DISPUTE_REVERSAL,
                TransactionKind.REFUND_FAILED,
            ):
                assert min(amounts) >= 0, report
            if report.kind in (TransactionKind.REFUND, TransactionKind.DISPUTE, TransactionKind.PAYOUT):
                assert max(amounts) <= 0, report

    def test_every_kind_that_a_merchant_meets_is_among_the_samples(self) -> None:
        met = {TransactionKind.CAPTURE, TransactionKind.REFUND, TransactionKind.DISPUTE}
        assert met <= {report.kind for report in self.movements()}

    def test_amounts_keep_to_the_coins_of_their_currency(self) -> None:
        for report in self.movements():
            for amount, currency in ((report.gross, report.currency), (report.net, report.settlement_currency)):
                assert amount is None or not currency or amount == rounded(amount, currency), report

    def test_what_points_at_something_is_read_and_then_understood(self) -> None:
        for hint in self.hints():
            it = self.connector()
            assert it.is_hint(hint)
            with outside(self.world()):
                found = it.follow(hint)
            assert found, hint.topic
            assert not [one for one in found if it.is_hint(one)]
            assert [report for one in found for report in it.parse(one)]
