"""The table, the invariants, and the last line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .verdict import Verdict

SHOWN = 5


@dataclass(frozen=True)
class Run:
    """What happened, in figures."""

    customers: Counter[str]
    webhooks: Mapping[str, int]
    struck: Mapping[str, int]
    nemesis: Counter[str]
    restarts: Mapping[str, int]
    naps: int
    resubscribed: int
    orders_here: int
    sales_there: int
    cases: Mapping[str, int]
    window: float
    recovered: str
    cpu: Mapping[str, float]


def lines(run: Run, verdict: Verdict) -> Iterator[str]:
    rows = [*_outside(run), *_fire(run), *_result(run, verdict)]
    width = max(len(name) for name, _value in rows)
    yield from (f"{name:<{width}}  {value}" for name, value in rows)
    yield ""
    for invariant in verdict.invariants:
        yield f"{'BROKEN' if invariant.broken else 'ok':<7} {invariant.says}"
        yield from (f"          {found}" for found in invariant.broken[:SHOWN])
        if len(invariant.broken) > SHOWN:
            yield f"          and {len(invariant.broken) - SHOWN} more"
    yield ""
    yield f"lost={verdict.lost} doubled={verdict.doubled} stuck={verdict.stuck}"


def _outside(run: Run) -> list[tuple[str, str]]:
    hooks: Counter[str] = Counter()
    for name, times in run.webhooks.items():
        hooks[name.partition(".")[2]] += times
    placed = run.customers["place"] + run.customers["misplace"]
    changed = run.customers["double"] + run.customers["note"]
    return [
        ("orders sent", f"{placed}, of them {run.customers['misplace']} with an unknown product"),
        ("changed, cancelled", f"{changed}, {run.customers['cancel']}"),
        ("refunds of a piece", str(run.customers["refund_piece"])),
        ("webhooks delivered", str(hooks["sent"] + hooks["again"])),
        ("duplicates offered", str(hooks["duplicated"])),
        ("webhooks lost on the way", str(hooks["lost"])),
        ("webhooks that found nobody in", str(hooks["failed"])),
        ("webhooks switched on again", str(run.resubscribed)),
    ]


def _fire(run: Run) -> list[tuple[str, str]]:
    kills = {name.removeprefix("kill "): times for name, times in run.nemesis.items() if name.startswith("kill")}
    faults: Counter[str] = Counter()
    for name, times in run.struck.items():
        system, _dot, kind = name.partition(".")
        if system != "webhooks":
            faults[kind.removesuffix("_rate")] += times
    return [
        ("kill -9", f"{sum(kills.values())}: {_counts(kills)}"),
        ("pauses (SIGSTOP)", str(run.nemesis["pause cluster child"])),
        ("naps over the end of a lease", str(run.naps)),
        ("PostgreSQL crashes", str(run.nemesis["crash"])),
        ("outages of the ERP", str(run.nemesis["outage odoo"])),
        ("faults of ERP and shops", f"{sum(faults.values())}: {_counts(faults)}"),
        ("services started anew", _counts(run.restarts)),
    ]


def _result(run: Run, verdict: Verdict) -> list[tuple[str, str]]:
    return [
        ("orders here", str(run.orders_here)),
        ("sales in the ERP", str(run.sales_there)),
        ("lost", str(verdict.lost)),
        ("doubled", str(verdict.doubled)),
        ("stuck", str(verdict.stuck)),
        ("open cases", _counts(run.cases)),
        ("under fire for", f"{run.window:.0f} s"),
        ("at rest after the last fault", run.recovered),
        ("CPU seconds", _counts({name: round(spent) for name, spent in run.cpu.items()})),
    ]


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(found.items()) if times) or "none"
