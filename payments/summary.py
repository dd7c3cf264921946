"""How movements, payouts, refunds, disputes, bank statements look on a case: their page, where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import models

from exceptions.subjects import Face, Standing
from integration_hub.backoffice import tones

from .models import Allocation, Dispute, Payout, Refund, Transaction
from .states import DisputeState, PayoutState, RefundState
from .states import Standing as Stage


def _standings(
    model: type[models.Model], words: type[models.TextChoices]
) -> Callable[[Sequence[int]], Mapping[int, Standing]]:
    """Where objects with a state of their own stand."""

    def look(ids: Sequence[int]) -> Mapping[int, Standing]:
        rows = model._default_manager.filter(pk__in=ids).values_list("pk", "state")
        return {pk: Standing(words(state).label, tones.of(state), settled=True) for pk, state in rows}

    return look


def _movements(ids: Sequence[int]) -> Mapping[int, Standing]:
    """Whether they are tied to orders by now."""
    tied = set(Allocation.objects.filter(transaction_id__in=ids).values_list("transaction_id", flat=True))
    rows = Transaction.objects.filter(pk__in=ids).values_list("pk", "state")
    return {pk: Standing(Stage(state).label, "good" if pk in tied else "warn", settled=True) for pk, state in rows}


def _payout_facts(pk: int, _personal: bool) -> dict[str, Any]:
    return {"payout": Payout.objects.select_related("connection").get(pk=pk)}


def _movement_facts(pk: int, personal: bool) -> dict[str, Any]:
    row = Transaction.objects.select_related("connection").get(pk=pk)
    return {"movement": row, "personal": personal, "candidates": row.candidates.select_related("order__channel")}


FACES = (
    Face(
        model="payments.transaction",
        url_name="transaction",
        permission="payments.view_transaction",
        standings=_movements,
        facts=_movement_facts,
        template="exceptions/subjects/movement.html",
    ),
    Face(
        model="payments.payout",
        url_name="payout",
        permission="payments.view_payout",
        standings=_standings(Payout, PayoutState),
        facts=_payout_facts,
        template="exceptions/subjects/payout.html",
    ),
    Face(
        model="payments.refund",
        url_name="refund",
        permission="payments.view_refund",
        standings=_standings(Refund, RefundState),
    ),
    Face(
        model="payments.dispute",
        url_name="dispute",
        permission="payments.view_dispute",
        standings=_standings(Dispute, DisputeState),
    ),
)
