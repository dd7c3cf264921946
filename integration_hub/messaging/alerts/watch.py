"""Once a minute: what is wrong, who is to be told, what is over.  One alert per cause, whatever comes again is counted.

A message to a channel is a row of AlertDelivery, made in the transaction that makes the alert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import clock
from integration_hub.models import Alert, AlertChannel, AlertDelivery, AlertRule, FigureSample
from integration_hub.models.alert import AlertState, Condition, Occasion, Urgency

from . import rules, schedule, words

AT_A_TIME = 500
TOGETHER = 5  # more new alerts than this for one channel in one look are one message
QUIET_AFTER = timedelta(hours=1)  # a cause that comes back within this is the same alert
KEPT = timedelta(days=8)

New = dict[AlertChannel, list[tuple[Alert, Urgency]]]


def look() -> dict[str, Any]:
    """Do all of it; returns how many alerts are new, over and escalated, and how many messages were made."""
    made: New = defaultdict(list)
    with transaction.atomic():
        database_lock()
        over = _follow_cases()
        opened = _cases(made) + _deadlines(made) + _figures(made)
        escalated = _escalate()
        messages = _tell(made) + _digests()
    return {"new": opened, "over": over, "escalated": escalated, "messages": messages}


def database_lock() -> None:
    """Two looks at once would tell everything twice."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hub.alerts'))")


def _cases(made: New) -> int:
    """Open exceptions of which nobody was told yet."""
    by_kind = {rule.subject: rule for rule in AlertRule.objects.filter(condition=Condition.OPENED, enabled=True)}
    told = Alert.objects.filter(case_id=OuterRef("pk"), rule__condition=Condition.OPENED)
    rows = ExceptionCase.objects.open().filter(~Exists(told), kind__in=list(by_kind)).order_by("pk")
    found = list(rows[:AT_A_TIME])
    for case in found:
        _open(by_kind[case.kind], f"{case.kind}:{case.cause}", words.of_case(case), made, case=case)
    return len(found)


def _deadlines(made: New) -> int:
    """Exceptions that are due soon and of which nobody has taken care."""
    count = 0
    for rule in AlertRule.objects.filter(condition=Condition.DEADLINE, enabled=True):
        told = Alert.objects.filter(case_id=OuterRef("pk"), rule=rule)
        near = ExceptionCase.objects.open().filter(
            ~Exists(told), kind=rule.subject, due_at__lte=clock.now() + timedelta(minutes=rule.window)
        )
        for case in near.order_by("pk")[:AT_A_TIME]:
            title = say("%(what)s: due %(when)s", what=words.of_case(case), when=case.due_at)
            _open(rule, f"{case.kind}:{case.cause}", title, made, case=case)
            count += 1
    return count


def _open(
    rule: AlertRule,
    cause: str,
    title: Text,
    made: New,
    *,
    case: ExceptionCase | None = None,
    value: Decimal | None = None,
) -> None:
    """A new alert, or one more of a cause that was told a moment ago."""
    cause = cause[:250]
    lately = clock.now() - QUIET_AFTER
    known = (
        Alert.objects.filter(rule=rule, cause=cause)
        .filter(~Q(state=AlertState.OVER) | Q(over_at__gte=lately))
        .order_by("-pk")
        .first()
    )
    if known:
        again = {"count": F("count") + 1, "last_at": clock.now(), "value": value, "case_id": case.pk if case else None}
        revived = {"state": AlertState.OPEN, "over_at": None} if known.state == AlertState.OVER else {}
        Alert.objects.filter(pk=known.pk).update(**again, **revived)
        return
    alert = Alert.objects.create(
        rule=rule,
        cause=cause,
        case_id=case.pk if case else None,
        title=title.as_json(),
        count=case.occurrences if case else 1,
        value=value,
    )
    for channel in rules.listeners(rule, rule.role):
        made[channel].append((alert, Urgency(rule.urgency)))


_COUNTED = """UPDATE integration_hub_alert a SET count = c.occurrences, last_at = c.last_seen_at
FROM exceptions_exceptioncase c WHERE c.id = a.case_id AND a.state <> 'OVER' AND a.count < c.occurrences"""
_TAKEN = """UPDATE integration_hub_alert a SET state = 'TAKEN', taken_by_id = c.assignee_id
FROM exceptions_exceptioncase c WHERE c.id = a.case_id AND a.state = 'OPEN' AND c.assignee_id IS NOT NULL"""
_OVER = """UPDATE integration_hub_alert a SET state = 'OVER', over_at = statement_timestamp()
FROM exceptions_exceptioncase c WHERE c.id = a.case_id AND a.state <> 'OVER' AND c.state <> 'OPEN'"""


def _follow_cases() -> int:
    """Alerts follow their exceptions: how often, taken by whom, over."""
    with database.cursor() as cursor:
        for statement in (_COUNTED, _TAKEN, _OVER):
            cursor.execute(statement)
        return int(cursor.rowcount)


def _figures(made: New) -> int:
    """Measure what rules are about; a figure that is well again ends its alert."""
    count = 0
    measured: dict[str, Decimal | None] = {}
    for rule in AlertRule.objects.filter(condition__in=rules.OVER_FIGURES, enabled=True):
        figure = rules.figures().get(rule.subject)
        if figure is None:
            continue
        if figure.code not in measured:
            found = figure.measure()
            measured[figure.code] = None if found is None else round(Decimal(str(found)), 4)
        count += _judge(rule, figure, measured[figure.code], made)
    FigureSample.objects.filter(at__lt=clock.now() - KEPT).delete()
    return count


def _judge(rule: AlertRule, figure: rules.Figure, value: Decimal | None, made: New) -> int:
    open_now = Alert.objects.filter(rule=rule).exclude(state=AlertState.OVER)
    if value is None or not _breaks(rule, value):
        open_now.update(state=AlertState.OVER, over_at=clock.now())
        return 0
    if open_now.update(value=value, last_at=clock.now(), count=F("count") + 1):
        return 0
    _open(rule, f"figure:{figure.code}", words.of_figure(rule, figure, value), made, value=value)
    return 1


def _breaks(rule: AlertRule, value: Decimal) -> bool:
    if rule.condition in (Condition.ABOVE, Condition.SILENT):
        return value > rule.limit
    if rule.condition == Condition.BELOW:
        return value < rule.limit
    before = _before(rule, value)
    if not before:
        return False
    change = (value - before) / before * 100
    return change >= rule.limit if rule.condition == Condition.RISES else -change >= rule.limit


def _before(rule: AlertRule, value: Decimal) -> Decimal | None:
    """What the figure was a window ago; keeps what it is now.  None while that is not known."""
    start = clock.now() - timedelta(minutes=rule.window)
    then = FigureSample.objects.filter(rule=rule, at__lte=start).order_by("-at").first()
    FigureSample.objects.create(rule=rule, value=value)
    recent = then is not None and then.at >= start - timedelta(minutes=max(rule.window, 10))
    return then.value if then and recent else None


def _escalate() -> int:
    """Alerts that nobody took in time go to those above."""
    overdue = Q(pk__in=[])
    now = clock.now()
    for rule in AlertRule.objects.filter(enabled=True, escalate_after__isnull=False):
        overdue |= Q(rule=rule, first_at__lte=now - timedelta(minutes=rule.escalate_after or 0))
    waiting = Alert.objects.filter(overdue, state=AlertState.OPEN, escalated_at=None).order_by("pk")
    found = list(waiting.select_related("rule")[:AT_A_TIME])
    rows = []
    for alert in found:
        told = rules.listeners(alert.rule, alert.rule.escalate_to)
        rows += [_row(channel, Occasion.ESCALATED, [alert], schedule.now()) for channel in told]
    AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    Alert.objects.filter(pk__in=[alert.pk for alert in found]).update(escalated_at=clock.now())
    return len(found)


def _tell(made: New) -> int:
    """The messages about what is new: one each, or one for all where there are many."""
    rows = []
    for channel, news in made.items():
        for urgency in (Urgency.NOW, Urgency.SOON):
            due = schedule.due(channel, urgency)
            alerts = [alert for alert, how in news if how == urgency]
            if len(alerts) > TOGETHER:
                rows.append(_row(channel, Occasion.NEW, alerts, due))
            else:
                rows += [_row(channel, Occasion.NEW, [alert], due) for alert in alerts]
    AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _row(channel: AlertChannel, occasion: Occasion, alerts: Sequence[Alert], due: datetime) -> AlertDelivery:
    ids = [alert.pk for alert in alerts]
    return AlertDelivery(
        channel=channel, occasion=occasion, key=f"{occasion}:{ids[0]}-{ids[-1]}", about=ids, due_at=due
    )


def _digests() -> int:
    """Once a day per channel, at its hour: what is open, if anything is."""
    today = timezone.localdate()
    rows = []
    for channel in AlertChannel.objects.filter(enabled=True).exclude(digested_on=today):
        if timezone.localtime().time() < channel.digest_at:
            continue
        alerts = open_for(channel)
        if alerts:
            ids = [alert.pk for alert in alerts]
            rows.append(
                AlertDelivery(channel=channel, occasion=Occasion.DIGEST, key=f"DIGEST:{today.isoformat()}", about=ids)
            )
        AlertChannel.objects.filter(pk=channel.pk).update(digested_on=today)
    AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def open_for(channel: AlertChannel) -> list[Alert]:
    """What a channel's people are told of and is not over, oldest first."""
    open_now = Alert.objects.exclude(state=AlertState.OVER).select_related("rule").order_by("pk")[:AT_A_TIME]
    heard: dict[int, bool] = {}
    return [alert for alert in open_now if _hears(channel, alert.rule, heard)]


def _hears(channel: AlertChannel, rule: AlertRule, heard: dict[int, bool]) -> bool:
    if rule.pk not in heard:
        heard[rule.pk] = channel in rules.listeners(rule, rule.role)
    return heard[rule.pk]


def still_open(ids: Iterable[int]) -> list[Alert]:
    """Those of the alerts that are not over by now."""
    return list(Alert.objects.filter(pk__in=list(ids)).exclude(state=AlertState.OVER).select_related("rule"))
