"""The permission matrix of the manual: made from the tables that other tests prove cell by cell against the running hub.

``HUB_WRITE=1`` writes ``docs/permissions.md`` anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from django.utils import translation

from integration_hub import roles
from integration_hub.dashboards.start import PAGES as STARTS
from tests import test_house
from tests.api import test_walk
from tests.dashboards import test_access

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
ROLES = tuple(test_access.ROLES)
HEAD = """# Who may do what

Made by `tests/dashboards/test_matrix.py` from the tables that `tests/dashboards/test_access.py` and `tests/api/test_walk.py` prove cell by cell: every page,
button and endpoint is called as every role and as nobody. `●` may, `–` may not (403; nobody gets the login page or 401). What a role holds stands in
`integration_hub/roles.py`.
"""


def table(title: str, first: str, rows: Mapping[str, Iterable[str]]) -> list[str]:
    lines = ["", f"## {title}", "", f"| {first} | {' | '.join(ROLES)} |", "|---|" + "---|" * len(ROLES)]
    for name, allowed in rows.items():
        cells = ("●" if role in set(allowed) else "–" for role in ROLES)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def made() -> str:
    """The whole page."""
    starts = {f"start page of {role}": {role, "administrator"} for role in STARTS}
    pages = {f"`{name}`": allowed for name, allowed in sorted(test_access.PAGES.items())}
    deeds = {f"`{name}`": allowed for name, allowed in sorted(test_access.DEEDS.items())}
    api = {f"`{method} {name}`": allowed for name, (method, allowed) in sorted(test_walk.TABLE.items())}
    with translation.override("en"):
        actions = {
            f"{action.label} (`{action.code}`)": {role for role in ROLES if holds(role, action.permission)}
            for action in sorted(test_house.actions(), key=lambda one: str(one.code))
        }
    return "\n".join(
        [
            HEAD.rstrip("\n"),
            *table("Pages", "Page", starts | pages),
            *table("Buttons", "Address", deeds),
            *table("Actions, as button, in bulk and over REST", "Action", actions),
            *table("Endpoints", "Endpoint", api),
            "",
        ]
    )


def holds(role: str, permission: str) -> bool:
    return roles.ROLES[role] == ("*",) or permission in roles.ROLES[role]


def test_the_manual_holds_the_matrix() -> None:
    if os.environ.get("HUB_WRITE"):
        PAGE.write_text(made())
    assert PAGE.read_text() == made(), "HUB_WRITE=1 pytest tests/dashboards/test_matrix.py"


@pytest.mark.parametrize("role", ROLES)
def test_the_auditor_reads_what_anybody_reads_and_changes_nothing(role: str) -> None:
    readable = {name for name, allowed in test_access.PAGES.items() if role in allowed}
    forms = {name for name in readable if "auditor" not in test_access.PAGES[name]}
    changing = "connection_new connection_add connection_edit statements"
    changing += " alert_channel_new alert_channel_edit alert_rule alert_rule_new"
    assert forms <= set(changing.split()), "forms, which change something"
    assert not [name for name, allowed in test_access.DEEDS.items() if "auditor" in allowed]
    assert not [
        name for name, (method, allowed) in test_walk.TABLE.items() if method == "POST" and "auditor" in allowed
    ]
