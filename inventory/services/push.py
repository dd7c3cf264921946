"""Telling shops what they may sell: changed articles only, the newest figure wins, as many at once as the shop takes.

One command per shop is under way at a time.  It is built from the rows as they are at the moment of sending; what changes
meanwhile goes with the next one.  A shop that can compare refuses what does not rest on what it was told last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.goods import LevelSet, LevelToSet, SetStock
from integration_hub.kernel.messages import Written
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Attempt, Connection, OutboundCommand, ProcessSwitch
from integration_hub.models.connection import ConnectionState
from integration_hub.models.outbound import OPEN_COMMANDS

from ..models import ChannelAvailability, Seen
from . import drifts

STOCK_TO_SHOP = "stock_to_shop"
VERB = "shop.stock"
REFUSED = "stock_not_taken"
BATCH = 100  # where the connector does not say how many levels it takes at once
CHANGED = "changed_meanwhile"
AGAIN = timedelta(hours=6)
SAMPLE = 10


def start() -> int:
    """Ask for a push to every shop that has something to be told and no push under way; returns how many were asked for."""
    switches = ProcessSwitch.objects.filter(process=STOCK_TO_SHOP, enabled=True, channel__state=ConnectionState.ACTIVE)
    channels = Connection.objects.filter(pk__in=switches.values("channel_id")).order_by("pk")
    return sum(_ask(channel) for channel in channels if Capability.SET_STOCK in channel.capabilities)


@transaction.atomic
def _ask(channel: Connection) -> bool:
    if not due(channel).exists():
        return False
    kind = ContentType.objects.get_for_model(Connection)
    pushes = OutboundCommand.objects.filter(connection=channel, verb=VERB, subject_type=kind, subject_id=channel.pk)
    if pushes.filter(state__in=OPEN_COMMANDS).exists():
        return False
    last = pushes.order_by("-pk").values_list("pk", flat=True).first() or 0
    # two who ask at once ask for the same one
    outbox.command(channel, VERB, f"stock:{channel.pk}:{last}", channel)
    return True


def due(channel: Connection) -> QuerySet[ChannelAvailability]:
    """What the channel has to be told now, oldest change first."""
    rows = ChannelAvailability.objects.filter(channel=channel, dirty_since__isnull=False)
    return rows.filter(Q(not_before=None) | Q(not_before__lte=Now())).order_by("dirty_since", "pk")


def build(command: OutboundCommand) -> SetStock | None:
    """The next levels to be told; None when nothing is left to tell."""
    channel = command.connection
    if not ProcessSwitch.objects.filter(channel=channel, process=STOCK_TO_SHOP, enabled=True).exists():
        return None
    size = int(getattr(channel.connector_class, "stock_batch", BATCH))
    locked = ChannelAvailability.objects.select_for_update(of=("self",)).select_related("listing")
    before = list(locked.filter(push=command.pk).order_by("pk"))
    fresh = due(channel).filter(pk__in=due(channel).exclude(push=command.pk)[: max(size - len(before), 0)])
    rows = before + list(fresh.select_for_update(of=("self",)).select_related("listing"))
    if not rows:
        return None
    for row in rows:
        row.push, row.sent = command.pk, row.wanted
    ChannelAvailability.objects.bulk_update(rows, ["push", "sent"])
    return SetStock(key=command.key, levels=tuple(_level(row) for row in rows))


def _level(row: ChannelAvailability) -> LevelToSet:
    listing = row.listing
    return LevelToSet(
        product_id=listing.external_id,
        quantity=row.wanted,
        parent_id=listing.parent_id,
        stock_id=listing.stock_id,
        sku=listing.sku,
        location_id=row.place,
        expected=row.expected,
    )


def done(command: OutboundCommand, written: Written, attempt: Attempt) -> None:
    """The shop answered: keep what it was told, what it showed before, and what it did not take."""
    rows = list(
        ChannelAvailability.objects.select_for_update(of=("self",))
        .select_related("listing")
        .filter(push=command.pk)
        .order_by("pk")
    )
    answers = {(level.product_id, level.location_id): level for level in written.levels}
    found = [
        drifts.Found(row, answer.found)
        for row in rows
        if (answer := _answer(row, answers)) and answer.found is not None and _is_drift(row, answer)
    ]
    drifts.keep(command.connection, found, Seen.PUSH)
    for row in rows:
        _settle(row, _answer(row, answers), bool(written.levels))
    fields = ["told", "told_at", "expected", "sent", "push", "dirty_since", "not_before", "problem", "problem_code"]
    ChannelAvailability.objects.bulk_update(rows, fields)
    drifted = {one.row.pk for one in found}
    drifts.as_told(command.connection, [row.listing.variant_id or 0 for row in rows if row.pk not in drifted])
    tell_refused(command.connection)
    start()


def _answer(row: ChannelAvailability, answers: Mapping[tuple[str, str], LevelSet]) -> LevelSet | None:
    return answers.get((row.listing.external_id, row.place))


def _is_drift(row: ChannelAvailability, answer: LevelSet) -> bool:
    """Whether something else stood there than we told last, and than we were about to tell (that may be our own word)."""
    return row.told is not None and answer.found not in (row.told, row.sent)


def _settle(row: ChannelAvailability, answer: LevelSet | None, answered: bool) -> None:
    """What became of one level.  Changed meanwhile: what stands there is expected from now on, and it is told again."""
    sent = row.sent
    row.sent = row.push = None
    code = (
        answer.problem_code or ("refused" if answer.problem else "") if answer else "" if not answered else "no_answer"
    )
    if code == CHANGED:
        row.expected = answer.found if answer else None
        row.problem, row.problem_code = {}, ""
        row.dirty_since = row.dirty_since or timezone.now()
        if answer and answer.found is not None and answer.found == row.wanted:
            row.told, row.told_at, row.dirty_since = answer.found, timezone.now(), None
        return
    if code:
        row.problem = answer.problem.as_json() if answer and answer.problem else {}
        row.problem_code, row.not_before = code[:40], timezone.now() + AGAIN
        return
    row.told = row.expected = sent
    row.told_at, row.not_before, row.problem, row.problem_code = timezone.now(), None, {}, ""
    row.dirty_since = None if row.wanted == sent else timezone.now()


def tell_refused(channel: Connection) -> None:
    """One case for each reason for which the shop does not take levels."""
    rows = ChannelAvailability.objects.filter(channel=channel).exclude(problem_code="")
    counts = dict(rows.values_list("problem_code").annotate(size=Count("pk")).order_by())
    open_codes = {code: f"not_taken:{channel.pk}:{code}" for code in _known_codes(channel) | counts.keys()}
    cases.clear(channel, causes=[cause for code, cause in open_codes.items() if code not in counts])
    for code, size in counts.items():
        sample = rows.filter(problem_code=code).select_related("listing").order_by("pk")[:SAMPLE]
        words: dict[str, Any] = next((row.problem for row in sample if row.problem), {})
        cases.open_case(
            Trouble(
                kind=REFUSED,
                cause=open_codes[code],
                params={"connection": channel.name, "count": size, "code": code},
                expected=say("The shop takes what it is told"),
                found=say(
                    "%(count)s levels not taken: %(reason)s; among them %(sample)s",
                    count=size,
                    reason=words or code,
                    sample=", ".join(row.listing.sku or row.listing.external_id for row in sample),
                ),
                data={"channel": channel.pk, "code": code},
            ),
            channel,
            connection=channel,
        )


def _known_codes(channel: Connection) -> set[str]:
    causes = cases.open_cases_of(channel).filter(kind=REFUSED).values_list("data", flat=True)
    return {str(data.get("code", "")) for data in causes}


def again(case: Any) -> int:
    """Try at once what the shop did not take."""
    rows = ChannelAvailability.objects.filter(
        channel_id=case.data.get("channel"), problem_code=case.data.get("code", "")
    )
    count = rows.update(not_before=None, dirty_since=Now(), problem_code="", problem={})
    start()
    return count


def told_all(channel: Connection) -> int:
    """Let a shop be told everything anew; returns how many levels that is."""
    count = ChannelAvailability.objects.filter(channel=channel).update(
        dirty_since=Now(), not_before=None, expected=F("told")
    )
    start()
    return count
