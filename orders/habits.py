"""Habits of who mends orders: accepting the same figures, mapping numbers that carry the same addition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exceptions.habits import Habit, accepting, same_action
from exceptions.models import ExceptionCase
from integration_hub.kernel.text import Text, say
from inventory.models import MappingStep, Variant
from inventory.services.naming import normalised_sku

MAPPING = "orders.map_product"
SHORTEST = 2  # letters that have to be left of a number


def _learn_mapping(cases: Sequence[ExceptionCase]) -> tuple[dict[str, Any], Text] | None:
    """The same letters stood behind (or before) the article's own number each time."""
    if not same_action(cases, MAPPING):
        return None
    additions = {_addition(case) for case in cases}
    if len(additions) != 1 or (only := additions.pop()) is None:
        return None
    place, letters = only
    return {place: letters}, (
        say("%(letters)s at the end of a number is left out", letters=letters)
        if place == "suffix"
        else say("%(letters)s at the beginning of a number is left out", letters=letters)
    )


def _addition(case: ExceptionCase) -> tuple[str, str] | None:
    there = normalised_sku(str(case.data.get("sku", "")))
    steps = MappingStep.objects.filter(connection=case.connection_id, sku=there, by__isnull=False, after__isnull=False)
    step = steps.select_related("after").order_by("-pk").first() if there else None
    ours = normalised_sku(step.after.sku) if step and step.after else ""
    if len(ours) < SHORTEST or there == ours:
        return None
    if there.startswith(ours):
        return "suffix", there[len(ours) :]
    return ("prefix", there[: -len(ours)]) if there.endswith(ours) else None


def _given(match: Mapping[str, Any], case: ExceptionCase) -> dict[str, Any] | None:
    there = normalised_sku(str(case.data.get("sku", "")))
    suffix, prefix = match.get("suffix", ""), match.get("prefix", "")
    if suffix and there.endswith(suffix):
        ours = there[: -len(suffix)]
    elif prefix and there.startswith(prefix):
        ours = there[len(prefix) :]
    else:
        return None
    known = len(ours) >= SHORTEST and Variant.objects.filter(sku=ours).exists()
    return {"sku": ours} if known else None


HABITS = (
    Habit(code="mapping", action=MAPPING, learn=_learn_mapping, given=_given, kinds=("unknown_product",)),
    accepting("orders.accept", "accepting", ("tax_rate_unknown",)),
)
