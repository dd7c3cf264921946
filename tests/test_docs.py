"""The documentation says what is there: a section per kind of case, a row per variable, and links that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from exceptions import guide
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
def test_every_kind_of_case_has_its_row(kind: Kind) -> None:
    page = (ROOT / "docs" / "users" / "operations.md").read_text()
    hours = round(kind.due.total_seconds() / 3600)
    row = next((line for line in page.splitlines() if f'<a id="{kind.code}"></a>' in line), "")
    assert f"](../help/en/{kind.code}.md) | `{kind.code}` | {kind.role} | {hours} hour" in row


def help_sections(kind: Kind, language: str) -> dict[str, str]:
    """The sections of a help page by heading, as they stand in the file."""
    page = guide.path(kind.code, language)
    assert page.is_file(), f"write docs/help/{language}/{kind.code}.md: see docs/help/README.md"
    title, *parts = re.split(r"^## +", page.read_text(), flags=re.MULTILINE)
    assert re.fullmatch(r"# .{4,80}", title.strip()), "one title, then the sections"
    return {head.strip(): body.strip() for head, _newline, body in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize("language", guide.SECTIONS)
@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_every_kind_of_case_has_a_help_page_in_every_language(kind: Kind, language: str) -> None:
    sections = help_sections(kind, language)
    assert tuple(sections) == guide.SECTIONS[language]
    means, blocks, solve, prevent = sections.values()
    assert all(len(text.split()) >= least for text, least in ((means, 7), (blocks, 1), (solve, 12), (prevent, 7)))
    steps = re.findall(r"^(\d+)\. ", solve, re.MULTILINE)
    assert len(steps) >= 2, "step by step"
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    with translation.override(language):
        assert [str(fix.label) for fix in kind.fixes if f"*{fix.label}*" not in solve] == []
        known = {str(fix.label) for one in all_kinds() for fix in one.fixes}
        assert {f"*{label}*" for label in known if f"*{label}*" in solve} <= {f"*{fix.label}*" for fix in kind.fixes}


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_the_languages_of_a_help_page_are_two(kind: Kind) -> None:
    english, german = (help_sections(kind, language) for language in ("en", "de"))
    for one, other in zip(english.values(), german.values(), strict=True):
        assert one != other


def test_there_is_no_help_page_for_what_is_no_kind() -> None:
    codes = {kind.code for kind in all_kinds()}
    assert {page.stem for language in guide.SECTIONS for page in (guide.FOLDER / language).glob("*")} == codes


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
