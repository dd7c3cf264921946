"""A connector knows the base, the client and its own private modules; never another connector."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import integration_hub.connectors as package
from integration_hub.connectors import registry

MODULES = sorted(path for path in Path(package.__path__[0]).glob("*.py") if path.stem != "__init__")
SHARED = {"base", "http", "sockets"}  # the client and what it stands on
COMMON = {"_apart", "_exchanged", "_gone"}  # what several systems of one kind need
SYSTEMS = {path.stem for path in MODULES if not path.stem.startswith("_")} - SHARED


def system_of(module: str) -> str:
    return next((name for name in SYSTEMS if module == name or module.startswith(f"_{name}_")), "")


def imported(path: Path) -> set[str]:
    """Names of our own connector modules that this file imports, however it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("integration_hub.connectors"):
            found.add((node.module or "").removeprefix("integration_hub.connectors").strip(".") or "connectors")
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[2] for a in node.names if a.name.startswith("integration_hub.connectors.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.stem))
def test_imports_only_its_own(path: Path) -> None:
    for name in imported(path):
        assert name in SHARED | COMMON or system_of(name) == system_of(path.stem) != "", f"{path.stem} imports {name}"


def test_every_private_module_belongs_to_a_system() -> None:
    assert [path.stem for path in MODULES if path.stem.startswith("_") and not system_of(path.stem)] == sorted(COMMON)


def test_every_system_has_its_tests() -> None:
    here = Path(__file__).parent
    modules = [cls.__module__.split(".") for cls in registry().values()]
    assert {name for *home, name in modules if home == ["integration_hub", "connectors"]} == SYSTEMS
    assert [name for name in sorted(SYSTEMS) if not list((here / name).glob("test_*.py"))] == []
