"""One run: the stage, the fire, the quiet after it, the verdict."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests
from django.conf import settings
from django.core.management import call_command

from integration_hub.management.commands.demo import web_command
from orders.models import Order

from . import breaks, facts, naps, quiet, scene, verdict, witness
from .customers import Customers
from .nemesis import Nemesis
from .outside import Outside
from .plan import Plan
from .postgres import Postgres
from .report import Run
from .scene import SLUGS
from .services import Ledger, Service, tree

TICK = 0.1
OVERTIME = 1.5  # how much longer than planned the world misbehaves, as long as work is left over
LOOK_EVERY, STAFF_EVERY, POLL_EVERY = 0.7, 4.0, 8.0
# short enough that a run of minutes sees leases end, long enough for honest work on a busy machine
TIMES = {
    "HUB_CONNECT_TIMEOUT": "1",
    "HUB_READ_TIMEOUT": "2",
    "HUB_EVENT_LEASE": "8",
    "HUB_COMMAND_LEASE": "16",
    "HUB_POLL_LEASE": "10",
    "HUB_UNCLEAR_WAIT": "3",
    "HUB_LONGEST_WAIT": "8",
    "HUB_BREAKER_WINDOW": "20",
    "HUB_BREAKER_COOLDOWN": "3",
    "HUB_BREAKER_LONGEST": "8",
}
SHOWS = 2.0  # seconds that a pause may still show after its end
SWITCHES = {"pays_after": 2.0, "odoo_ship_after": 12.0, "shopify_retry_seconds": 0.5}


class Stage:
    """The hub's services, the played world, the database and the gauges.  ``say`` tells how it goes."""

    def __init__(self, seed: int, workers: int, broken: str, naps: float, say: Callable[[str], None]) -> None:
        self.say = say
        self.folder = Path(settings.DATA_DIR)
        self.postgres = Postgres(self.folder / "postgres")
        self.ledger = Ledger()
        self.longest_idle, self.paused_until = 0.0, 0.0
        self.resubscribed = 0
        hub, world = _free_port(), _free_port()
        self.hub = f"http://127.0.0.1:{hub}"
        self.outside = Outside(f"http://127.0.0.1:{world}")
        self._broken, self._naps = broken, naps
        state, options = str(self.folder / "sandbox"), ["--order-every", "0", "--seed", str(seed), "--hub", self.hub]
        command = [sys.executable, "-m", "integration_hub.sandbox", "--port", str(world), "--state", state, *options]
        self._world = Service("sandbox", command, {}, self.folder / "log" / "sandbox.log")
        self.services = {"web": self._service("web", web_command(hub))}
        for number in range(1, workers + 1):
            worker = [sys.executable, "manage.py", "worker", "--patience", "8"]
            self.services[f"worker {number}"] = self._service(f"worker {number}", worker)
        self._due = dict.fromkeys(("look", "staff", "poll"), 0.0)

    def _service(self, name: str, command: list[str]) -> Service:
        environment = {**TIMES, "HUB_BREAK": self._broken, "HUB_NAPS": str(self._naps)}
        return Service(name, command, environment, self.folder / "log" / f"{name}.log")

    def build(self) -> None:
        """Schema, played world, connections, services; webhooks on."""
        call_command("migrate", verbosity=0)
        if self._broken in breaks.ON_DATABASE:
            breaks.ON_DATABASE[self._broken]()
        self._world.start()
        _until_answers(f"{self.outside.url}/control/pulse")
        self.outside.pull("switches", **SWITCHES)
        self.outside.pull("receipts")
        scene.build(self.outside)
        for service in self.services.values():
            service.start()
        _until_answers(f"{self.hub}/healthz")
        self._wanted = {shop: scene.subscribe(self.outside, self.hub, shop) for shop in SLUGS}

    def tend(self) -> None:
        """Restart what died, look at the gauges; and what staff would do: switch webhooks on again."""
        for service in self.services.values():
            service.tend()
        self._every("look", LOOK_EVERY, self._look)
        self._every("staff", STAFF_EVERY, self._staff)
        if time.monotonic() > self.paused_until:  # who is paused may well have a transaction open
            self.longest_idle = max(self.longest_idle, quiet.longest_idle_transaction())

    def poll(self) -> None:
        self._every("poll", POLL_EVERY, quiet.poll_everything)

    def _every(self, what: str, seconds: float, job: Callable[[], object]) -> None:
        if time.monotonic() >= self._due[what]:
            job()
            self._due[what] = time.monotonic() + seconds

    def _look(self) -> None:
        for name, service in self.services.items():
            self.ledger.look(name.split()[0], [main, *service.below()] if (main := service.main()) else [])
        self.ledger.look("database", tree(self.postgres.pid()))

    def _staff(self) -> None:
        pulse = self.outside.look("pulse")
        for shop, wanted in self._wanted.items():
            if pulse[shop] < wanted:
                scene.subscribe(self.outside, self.hub, shop)
                self.resubscribed += 1

    def close(self) -> None:
        """Stop everything that was started."""
        for service in self.services.values():
            service.stop(15)
        self._world.stop(10)


def under_fire(stage: Stage, plan: Plan, stopped: Callable[[], bool]) -> tuple[Customers, Nemesis, float]:
    """Let the plan happen; afterwards no fault is in force."""
    stage.outside.misbehave()
    customers = Customers(stage.outside, plan.customers)
    customers.start()
    nemesis = Nemesis(plan.nemesis, stage.services, stage.postgres, stage.outside)
    began = time.monotonic()
    while not stopped() and (customers.is_alive() or not nemesis.over()):
        nemesis.act()
        stage.paused_until = nemesis.paused_until
        stage.tend()
        stage.poll()
        time.sleep(TICK)
    customers.stopping.set()
    customers.join()
    nemesis.release()
    stage.paused_until = time.monotonic() + SHOWS
    while not stopped() and time.monotonic() - began < plan.window * OVERTIME and quiet.is_behind():
        stage.tend()
        stage.poll()
        time.sleep(TICK)
    stage.outside.behave()
    lasted = time.monotonic() - began
    stage.say(f"  {lasted:.0f} s of fire are over; waiting for rest")
    return customers, nemesis, lasted


def perform(stage: Stage, plan: Plan, patience: float, stopped: Callable[[], bool]) -> tuple[Run, verdict.Verdict]:
    """Fire, rest, verdict."""
    customers, nemesis, lasted = under_fire(stage, plan, stopped)
    rest = quiet.wait(stage.outside, stage.tend, 0.0 if stopped() else patience)
    books, state = stage.outside.look("books"), stage.outside.look("state")
    found = facts.gather(books)
    named = {
        kind: {facts.reference(shop, number) for shop, number in getattr(customers, kind)}
        for kind in ("planted", "noted")
    }
    entangled = witness.seen(stage.folder)
    judged = verdict.judge(found, **named, longest_idle=stage.longest_idle, entangled=entangled)
    run = Run(
        customers=customers.did,
        webhooks=state["webhooks"],
        struck=state["faults"]["struck"],
        nemesis=nemesis.did,
        restarts={name: service.starts - 1 for name, service in stage.services.items()},
        naps=naps.taken(stage.folder),
        resubscribed=stage.resubscribed,
        orders_here=Order.objects.count(),
        sales_there=sum(map(len, found.erp.values())),
        cases=facts.cases_by_kind(),
        window=lasted,
        recovered=f"{rest.seconds:.0f} s" if rest.reached else f"never within {rest.seconds:.0f} s",
        cpu=stage.ledger.seconds(),
    )
    return run, judged


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answers(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if requests.get(url, timeout=5).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer; see {os.environ['HUB_DATA_DIR']}/log")
