"""The documentation says what is there: a section per kind of case, a row per variable, and links that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from exceptions.kinds import Kind, all_kinds
from integration_hub.roles import ROLES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_READ = re.compile(r"(?:environ(?:\.get\(|\[)|\b(?:words|flag|networks|seconds)\()\"([A-Z_]+)\"")
_ABSOLUTE = re.compile(r"(?<![\w.])/(?:work|root|home|tmp)/")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[str]:
    """The relative links of a page, code aside."""
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """What a page can be linked to at: its headings as they are turned into anchors, and its own ids."""
    text = _CODE.sub("", page.read_text())
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def variables() -> set[str]:
    """The environment variables that the program reads at its start."""
    folder = ROOT / "integration_hub"
    sources = [folder / "settings.py", folder / "environment.py", folder / "management" / "commands" / "demo.py"]
    return {name for source in sources for name in _READ.findall(source.read_text())}


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_every_kind_of_case_has_its_section(kind: Kind) -> None:
    page = ROOT / "docs" / "users" / "operations.md"
    section = page.read_text().partition(f'<a id="{kind.code}"></a>`{kind.code}`')[2].partition("\n### ")[0]
    assert f" · {kind.role}, {round(kind.due.total_seconds() / 3600)} hour" in section
    for part in ("**What it means.**", "**What to look at.**", "**Fixes.**"):
        assert part in section
    with translation.override("en"):
        for fix in kind.fixes:
            assert f"*{fix.label}*" in section


@pytest.mark.parametrize("name", sorted(variables()))
def test_every_variable_is_explained(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "operations" / "settings.md").read_text()


def test_the_variables_were_found() -> None:
    assert {"DATABASE_URL", "HUB_SECRET_KEY", "HUB_HTTPS", "HUB_ALLOWED_NETWORKS", "REDIS_URL", "PORT"} <= variables()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_its_page(role: str) -> None:
    assert (ROOT / "docs" / "users" / f"{role}.md").is_file()
    assert f"| {role} |" in (ROOT / "docs" / "users" / "administrator.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _hash, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    assert not _ABSOLUTE.findall(page.read_text())


def test_every_decision_is_listed_and_whole() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(links(folder / "README.md"))
    pages = sorted(folder.glob("0*.md"))
    assert {page.name for page in pages} == listed
    for page in pages:
        assert [f"## {part}" in page.read_text() for part in ("Context", "Decision", "Why", "Consequences")] == [
            True
        ] * 4
