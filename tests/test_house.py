"""The house tests itself: sizes, tables without holes, permissions that a role holds, nothing hidden."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import pkgutil
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import models
from django.utils.functional import Promise

from exceptions import actions as case_actions
from exceptions import kinds
from integration_hub import roles, wiring
from integration_hub.backoffice import tones
from integration_hub.backoffice.actions import Action
from integration_hub.connectors import registry
from integration_hub.connectors.base import Capability
from integration_hub.kernel import messages, states
from integration_hub.messaging import dispatch, pump
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState, Outcome
from integration_hub.processes import PROCESSES
from orders import services
from orders.states import MOVES, Fulfilment, OrderState, Payment

ROOT = Path(__file__).parents[1]
PACKAGES = ("integration_hub", "exceptions", "inventory", "customers", "orders", "payments", "accounting")
LONGEST_FILE, LONGEST_FUNCTION, P95, MEDIAN = 400, 50, 30, 8


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def functions() -> tuple[tuple[str, int], ...]:
    """Name and length of every function of the product."""
    return tuple(
        (f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path in sources(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@cache
def modules() -> tuple[Any, ...]:
    """Every module of the product, imported (scripts apart, which run when they are)."""
    names = [
        found.name
        for package in PACKAGES
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if not found.name.endswith("__main__") and ".migrations" not in found.name
    ]
    return tuple(importlib.import_module(name) for name in names)


@cache
def actions() -> tuple[Action, ...]:
    found = {id(value): value for module in modules() for value in vars(module).values() if isinstance(value, Action)}
    return tuple(found.values())


def test_no_file_is_too_long() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in sources(*PACKAGES, "tests")}
    assert {str(path): size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    sizes = sorted(size for _name, size in functions())
    assert [name for name, size in functions() if size > LONGEST_FUNCTION] == []
    assert sizes[int(len(sizes) * 0.95)] <= P95
    assert statistics.median(sizes) <= MEDIAN


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_room_for_odds_and_ends(name: str) -> None:
    assert [path for path in sources(*PACKAGES, "tests") if name in path.with_suffix("").parts] == []


def test_every_module_says_what_it_is() -> None:
    told = {path: ast.get_docstring(tree(path)) for path in sources(*PACKAGES)}
    assert [str(path) for path, words in told.items() if not words and path.read_text().strip()] == []


def test_no_signals_for_our_own_logic() -> None:
    allowed = {ROOT / "integration_hub/apps.py", ROOT / "integration_hub/backoffice/language.py"}
    for path in set(sources(*PACKAGES)) - allowed:
        text = path.read_text()
        assert "@receiver" not in text, path
        assert "post_save" not in text, path


def test_nothing_is_promised_for_later() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    for path in sources(*PACKAGES, "tests"):
        assert not any(f"# {mark}" in path.read_text() for mark in marks), path


def test_only_the_embedded_server_and_the_roof_import_inside_functions() -> None:
    ours = set(PACKAGES)
    late = {
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] in ours)
    }
    assert late <= {"integration_hub/apps.py"}


def test_every_connector_has_its_tests() -> None:
    for connector in registry().values():
        if connector.__module__.startswith("integration_hub."):
            folder = ROOT / "tests" / "connectors" / connector.__module__.rsplit(".", 1)[1]
            assert list(folder.glob("test_*.py")), connector.code


def test_every_report_has_a_handler_and_every_news_a_reaction() -> None:
    reports = set(get_args(messages.Report)) - {messages.Ignored}
    assert set(wiring.REPORTS) == reports
    assert set(wiring.NEWS) == set(get_args(messages.News))
    assert all(wiring.REPORTS.values())
    assert all(wiring.NEWS.values())


def words_of(path: Path) -> set[str]:
    """Every short string in a source file."""
    return {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_verb_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    said = {word for path in sources("inventory", "orders", "payments", "accounting") for word in words_of(path)}
    used = {word for word in said if word.split(".")[0] in ("sale", "shop", "payment", "books")}
    verbs = {word for word in used if word.count(".") == 1 and word.replace(".", "").isalpha()}
    assert verbs == set(wiring.VERBS)
    for code in verbs:
        assert dispatch.verb(code).title


def test_every_command_is_what_some_connector_can_do() -> None:
    ours = [connector for connector in registry().values() if connector.__module__.startswith("integration_hub.")]
    assert set(Capability) == {capability for connector in ours for capability in connector.capabilities}


def test_every_lane_has_its_worker() -> None:
    assert set(wiring.LANES) == set(pump.LANES)


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: str(kind.code))
def test_every_kind_of_case_is_told_and_owned(kind: kinds.Kind) -> None:
    for words in (kind.title, kind.explanation, kind.blocks):
        assert isinstance(words, Promise), "for translation"
        assert str(words)
    assert kind.role in roles.ROLES
    assert kind.due.total_seconds() > 0
    assert "exceptions.retry_exceptioncase" in roles.ROLES[kind.role]


def test_kinds_are_declared_once_and_every_one_is_opened() -> None:
    codes = [kind.code for kind in wiring.KINDS]
    assert len(codes) == len(set(codes))
    said = {word for path in sources(*PACKAGES) if path.name != "cases.py" for word in words_of(path)}
    said |= {word for path in sources("integration_hub/messaging") for word in words_of(path)}
    assert set(codes) <= said


@pytest.mark.django_db
def test_every_action_has_a_permission_that_exists_and_a_role_holds() -> None:
    there = {
        f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.select_related("content_type")
    }
    held = {
        permission for role, permissions in roles.ROLES.items() if role != "administrator" for permission in permissions
    }
    assert actions()
    for action in actions():
        assert action.permission in there, action.code
        assert action.permission in held, action.code
    assert held <= there


def test_actions_have_codes_of_their_own_and_words() -> None:
    codes = [action.code for action in actions()]
    assert len(codes) == len(set(codes))
    for action in actions():
        assert isinstance(action.label, Promise), action.code
        assert action.code.count(".") == 1


def test_whoever_owns_a_kind_may_do_its_first_fix() -> None:
    for kind in wiring.KINDS:
        fixes = [fix for fix in (*kind.fixes, *case_actions.ALWAYS) if fix.permission in roles.ROLES[kind.role]]
        assert fixes, kind.code
        if kind.fixes:
            assert kind.fixes[0].permission in roles.ROLES[kind.role], kind.code


def test_every_process_is_one_that_the_orders_know() -> None:
    switched = {word for path in sources("inventory", "orders", "payments", "accounting") for word in words_of(path)}
    assert {process.code for process in PROCESSES} <= switched


def test_every_state_of_an_order_is_reachable_and_can_be_left() -> None:
    reached = {to for old, moves in MOVES.items() for to in moves}
    assert reached == set(OrderState.values)
    assert {old for old in MOVES if old} == set(OrderState.values)
    assert all(MOVES.values())


STATES: tuple[type[models.TextChoices], ...] = (
    OrderState,
    Fulfilment,
    Payment,
    EventState,
    CommandState,
    ConnectionState,
    Outcome,
)


@pytest.mark.parametrize("enum", STATES, ids=lambda enum: str(enum.__name__))
def test_every_state_is_set_somewhere(enum: type[models.TextChoices]) -> None:
    code = "\n".join(path.read_text() for path in sources(*PACKAGES))
    for member in enum:
        set_somewhere = f"{enum.__name__}.{member.name}" in code or f"'{member.value}'" in code
        assert set_somewhere, member
        assert str(member.label) != member.value


def test_every_state_has_a_colour_of_its_own_kind() -> None:
    assert {stage.value for stage in states.OrderStage} >= {"READY", "CANCELLED", "GONE"}
    assert tones.of("HELD") == "bad"
    assert tones.of("nothing we know") == "none"


def test_every_public_service_of_orders_takes_its_actor_by_name() -> None:
    for name, function in inspect.getmembers(services, inspect.isfunction):
        if function.__module__ == services.__name__ and not name.startswith("_"):
            by = inspect.signature(function).parameters.get("by")
            assert by is None or by.kind is inspect.Parameter.KEYWORD_ONLY, name


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    told = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=told, stderr=told)


def test_settings_are_one_short_file() -> None:
    assert settings.ROOT_URLCONF == "integration_hub.urls"
    assert len((ROOT / "integration_hub/settings.py").read_text().splitlines()) <= 300
