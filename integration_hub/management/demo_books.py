"""The books of the demo: DATEV's numbers of a made-up adviser, and everything that has come so far posted."""

from __future__ import annotations

from accounting.services import choices, finding, posting


def keep() -> None:
    """Choose what an export needs, and post what is there; the worker goes on with what comes."""
    for name, value in {"adviser_number": 29098, "client_number": 55003}.items():
        choices.choose(name, value, by=None, why="demo", adviser="Kanzlei Muster")
    finding.look()
    while posting.work():
        pass
