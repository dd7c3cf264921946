"""The help pages of the kinds of case: ``docs/help/<language>/<kind>.md``, four sections each, shown inside the shell."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(settings.BASE_DIR) / "docs" / "help"
SECTIONS = {
    "en": ("What it means", "What it blocks", "How to solve it", "How to prevent it"),
    "de": ("Was es bedeutet", "Was es blockiert", "So lösen Sie es", "So beugen Sie vor"),
}
_OTHER_PAGE = re.compile(r"\]\((\w+)\.md\)")


def path(kind: str, language: str) -> Path:
    """Where the page of a kind lies.  Kinds are codes of ours, never text from outside."""
    return FOLDER / language / f"{kind}.md"


def page(kind: str, language: str) -> tuple[str, SafeString]:
    """Title and HTML of a page; ("", "") if there is none, as for a kind that a later version no longer declares."""
    found = path(kind, language if language in SECTIONS else settings.LANGUAGE_CODE)
    if not found.is_file():
        return "", SafeString("")
    return _rendered(found, reverse("exceptions-help"))


@lru_cache(maxsize=512)
def _rendered(found: Path, root: str) -> tuple[str, SafeString]:
    from markdown_it import MarkdownIt  # noqa: PLC0415  4 MB that only who shows help needs

    title, _newline, text = found.read_text(encoding="utf-8").partition("\n")
    linked = _OTHER_PAGE.sub(rf"]({root}\1/)", text)
    html = MarkdownIt("commonmark", {"html": False}).render(linked)
    return title.removeprefix("# ").strip(), mark_safe(html)  # noqa: S308  our own pages; HTML in them is switched off


def title(kind: str, language: str) -> str:
    """What a kind is called where no case is at hand."""
    return page(kind, language)[0]
