"""The circuit breaker: when it opens, what it spares, how it closes, and that nobody slips through twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Command
from integration_hub.kernel.text import say
from integration_hub.messaging import breakers, claims, clock, connections, outbox, polling, pump, tries
from integration_hub.models import Attempt, Breaker, Connection, OutboundCommand, PollState, User
from tests import spine, standin

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
SILENCE = RetryLater(say("No answer in time."), code="no_answer")
FAULT = RetryLater(say("The system has a fault (%(status)s).", status=500), code="their_fault")


def fails(error: HubError) -> Callable[[Command], None]:
    def answer(_command: Command) -> None:
        raise error

    return answer


def state(connection: Connection) -> str:
    found = Breaker.objects.filter(connection=connection).first()
    return found.state if found else "CLOSED"


def ended(connection: Connection, *errors: HubError | None) -> None:
    for error in errors:
        breakers.ended(Connection.objects.select_related("breaker").get(pk=connection.pk), error)


def cool_down(connection: Connection) -> None:
    Breaker.objects.filter(connection=connection).update(probe_at=clock.now() - timedelta(seconds=1))


def ordered(shop: Connection, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        spine.say(shop, standin.order(number))
    pump.run("in")


def open_it(erp: Connection) -> None:
    ended(erp, *[SILENCE] * 10)
    assert state(erp) == "OPEN"


def test_ten_failures_open_it_nine_do_not(erp: Connection) -> None:
    ended(erp, *[SILENCE] * 5, *[FAULT] * 4)
    assert state(erp) == "CLOSED"
    ended(erp, SILENCE)
    assert state(erp) == "OPEN"
    breaker = Breaker.objects.get()
    assert breaker.reason["msgid"] == "No answer in time."
    assert breaker.probe_at
    assert timedelta(seconds=110) < breaker.probe_at - clock.now() <= timedelta(seconds=120)


def test_failures_among_many_successes_do_not(erp: Connection) -> None:
    ended(erp, *[None] * 30, *[SILENCE] * 15)
    assert state(erp) == "CLOSED"  # a third
    ended(erp, SILENCE, SILENCE)
    assert state(erp) == "OPEN"


def test_old_failures_are_forgotten(erp: Connection) -> None:
    ended(erp, *[SILENCE] * 9)
    breaker = Breaker.objects.get()
    breaker.window = {str(int(name) - breakers.SLICES): pair for name, pair in breaker.window.items()}
    breaker.save()
    ended(erp, SILENCE)
    assert state(erp) == "CLOSED"


@pytest.mark.parametrize(
    "error",
    [
        Rejected("no", code="refused"),
        Misconfigured("wrong key", code="refused_credentials"),
        RetryLater("slow down", code="slow_down"),
        RetryLater("the hub was busy", code="busy"),
        RetryLater("busy with the same records", code="their_conflict"),
    ],
    ids=lambda error: error.code,
)
def test_an_answer_is_no_failure(erp: Connection, error: HubError) -> None:
    ended(erp, *[error] * 40)
    assert state(erp) == "CLOSED"


def test_while_it_is_open_nothing_is_claimed_and_no_try_is_burnt(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    spine.teapot()
    ordered(joined, 3)
    open_it(erp)
    assert pump.run("out") == 0
    assert set(OutboundCommand.objects.values_list("state", "attempts")) == {("DUE", 0)}
    assert world.sales == {}
    assert not pump.is_due("out")
    PollState.objects.filter(connection=erp).update(due_at=spine.LONG_AGO)
    PollState.objects.exclude(connection=erp).delete()
    assert polling.work() == 0


def test_other_connections_go_on(joined: Connection, erp: Connection, world: standin.World) -> None:
    spine.teapot()
    open_it(joined)
    ordered(joined, 2)
    assert pump.run("out") == 2
    assert spine.sales(world) == [1, 1]


def test_it_opens_under_failing_sends(joined: Connection, erp: Connection, world: standin.World) -> None:
    """Twelve orders meet a dead ERP: ten tries, then silence."""
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=1)
    spine.teapot()
    world.before = fails(SILENCE)
    ordered(joined, 12)
    pump.run("out")
    assert (state(erp), Attempt.objects.count()) == ("OPEN", 10)
    assert OutboundCommand.objects.filter(state="LEASED").count() == 0
    assert OutboundCommand.objects.filter(attempts=0).count() == 2  # claimed, perhaps, and given back


def test_half_open_lets_one_through_and_three_close_it(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    spine.teapot()
    ordered(joined, 6)
    open_it(erp)
    OutboundCommand.objects.update(due_at=clock.now() + timedelta(hours=1))
    cool_down(erp)
    assert pump.is_due("out")
    for tried in (1, 2):
        assert outbox.deliver() == 1
        assert (len(world.sales), state(erp)) == (tried, "HALF_OPEN")
    assert outbox.deliver() == 1
    assert state(erp) == "CLOSED"
    pump.drain()
    assert spine.sales(world) == [1] * 6  # what had waited for its own next try came at once


def test_one_probe_at_a_time(joined: Connection, erp: Connection) -> None:
    spine.teapot()
    ordered(joined, 4)
    open_it(erp)
    cool_down(erp)
    _token, first = claims.claim(OutboundCommand, limit=10, lease=tries.LEASE)
    _token, second = claims.claim(OutboundCommand, limit=10, lease=tries.LEASE)
    assert (len(first), second) == (1, [])


def test_a_probe_that_died_is_followed_by_another(joined: Connection, erp: Connection) -> None:
    spine.teapot()
    ordered(joined, 2)
    open_it(erp)
    cool_down(erp)
    claims.claim(OutboundCommand, limit=10, lease=timedelta(0))
    _token, ids = claims.claim(OutboundCommand, limit=10, lease=tries.LEASE)
    assert len(ids) == 1


def test_a_failed_probe_doubles_the_pause_up_to_a_bound(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    spine.teapot()
    world.before = fails(FAULT)
    ordered(joined, 1)
    open_it(erp)
    pauses = []
    for _time in range(5):
        cool_down(erp)
        assert outbox.deliver() == 1
        pauses.append(Breaker.objects.get(connection=erp).cooldown)
    assert pauses == [240, 480, 900, 900, 900]
    assert Breaker.objects.filter(opened_at__lt=F("probe_at")).exists()


def test_a_poll_tries_where_no_command_does(erp: Connection, world: standin.World) -> None:
    open_it(erp)
    PollState.objects.update(due_at=clock.now() + timedelta(hours=1), failures=3)
    cool_down(erp)
    assert pump.is_due("poll") is False  # its own turn is later
    PollState.objects.update(due_at=spine.LONG_AGO)
    for _time in range(3):
        PollState.objects.update(due_at=spine.LONG_AGO)
        assert polling.work() == 1
    assert state(erp) == "CLOSED"


def test_interrupted_for_long_is_a_case_of_the_target(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    spine.teapot()
    world.before = fails(SILENCE)
    ordered(joined, 1)
    open_it(erp)
    for minutes, kinds in ((10, set()), (16, {"target_unreachable"})):
        Breaker.objects.update(opened_at=clock.now() - timedelta(minutes=minutes))
        cool_down(erp)
        outbox.deliver()
        assert spine.open_kinds() == kinds
    world.before = None
    for _time in range(3):
        spine.later()
    assert (spine.open_kinds(), spine.sales(world)) == (set(), [1])


def test_slow_down_makes_the_whole_connection_rest(joined: Connection, erp: Connection, world: standin.World) -> None:
    spine.teapot()
    world.before = fails(RetryLater("slow down", after=timedelta(minutes=7), code="slow_down"))
    ordered(joined, 6)
    pump.run("out")
    assert Attempt.objects.count() == 1
    assert list(OutboundCommand.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0, 0, 0, 0]
    rest = Breaker.objects.get(connection=erp).rest_until
    assert rest
    assert timedelta(minutes=6) < rest - clock.now() <= timedelta(minutes=7)
    PollState.objects.exclude(connection=erp).delete()
    PollState.objects.update(due_at=spine.LONG_AGO)
    assert polling.work() == 0
    world.before = None
    Breaker.objects.update(rest_until=clock.now() - timedelta(seconds=1))
    pump.run("out")
    assert len(world.sales) == 5  # the first one waits for its own turn


def test_commands_at_a_time_are_counted_over_all_workers(joined: Connection, erp: Connection) -> None:
    """Who comes while others hold some may send as many at a time as they leave."""
    spine.teapot()
    ordered(joined, 12)
    first, taken = claims.claim(OutboundCommand, limit=3, lease=tries.LEASE)
    second, more = claims.claim(OutboundCommand, limit=5, lease=tries.LEASE)
    assert (len(taken), len(more)) == (3, 5)
    assert claims.room(erp.pk, second) == 1
    assert claims.room(erp.pk, first) == 1  # never none: it holds what it has claimed
    assert claims.claim(OutboundCommand, limit=5, lease=tries.LEASE)[1] == []
    assert not pump.is_due("out")


def test_a_rate_holds_over_all_workers(joined: Connection, erp: Connection) -> None:
    """Sixty a minute: what was saved up in two seconds at once, then one a second."""
    Connection.objects.filter(pk=erp.pk).update(per_minute=60, max_concurrent=50)
    spine.teapot()
    ordered(joined, 20)
    taken = [len(claims.claim(OutboundCommand, limit=20, lease=tries.LEASE)[1]) for _time in range(4)]
    assert taken[0] in (1, 2, 3)
    assert sum(taken) <= 3
    assert not pump.is_due("out")
    Breaker.objects.update(next_slot_at=F("next_slot_at") - timedelta(seconds=10))
    assert 1 <= len(claims.claim(OutboundCommand, limit=20, lease=tries.LEASE)[1]) <= 3


def test_the_page_says_why_and_when_and_offers_a_try(
    client: Client, joined: Connection, erp: Connection, world: standin.World, person: Person
) -> None:
    spine.teapot()
    somebody = person("integrator")
    ordered(joined, 3)
    client.force_login(somebody)
    page = f"/connections/{erp.pk}/"
    assert "connections.try" not in client.get(page).content.decode()
    open_it(erp)
    client.post("/language/", {"language": "en"})
    shown = client.get(page).content.decode()
    for words in ("No answer in time.", "Calls to this system are interrupted", "Next try", "3 commands", "Try now"):
        assert words in shown
    assert "connections.try" in shown
    perform(connections.TRY_NOW, Connection.objects.get(pk=erp.pk), by=somebody)
    assert outbox.deliver() == 1
    assert len(world.sales) == 1


def test_health_and_metrics_say_it(client: Client, erp: Connection, person: Person) -> None:
    open_it(erp)
    client.force_login(person("integrator"))
    health: dict[str, Any] = client.get(f"/api/v1/connections/{erp.slug}/").json()["health"]
    assert health["breaker"]["state"] == "OPEN"
    assert health["breaker"]["probe_at"]
