"""``manage.py messages``: find every sentence, bring the catalogues in line, compile them.  No system package needed.

Python is read by Babel (``_``, ``gettext…`` and the kernel's ``say`` and ``mark``), templates by Django's own templatize.  unfold, whose templates make our pages, has no German: its sentences are ours too,
but for those that Django says.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import polib
import unfold
from babel.messages.extract import extract
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import template as templates

KEYWORDS: dict[str, Any] = {
    "_": None,
    "say": None,
    "mark": None,
    "unreadable": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PRODUCT = ("integration_hub", "exceptions", "inventory", "customers", "orders", "payments", "accounting")
Found = dict[tuple[str, str], tuple[str, list[str]]]


class Command(BaseCommand):
    """Update (default), ``--check`` or ``--compile`` the catalogues."""

    help = "Update, check or compile the translation catalogues"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a sentence is missing or untranslated")
        parser.add_argument("--compile", action="store_true", help="only compile")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        elif not options["compile"]:
            update(catalogue("de"), sentences())
        compile_all()

    def _check(self) -> None:
        if gaps := missing(catalogue("de"), sentences()):
            raise CommandError("not translated into German:\n" + "\n".join(gaps))


def path_of(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def catalogue(language: str) -> polib.POFile:
    """The catalogue of a language, made if missing."""
    path = path_of(language)
    if path.exists():
        return polib.pofile(str(path), wrapwidth=0)
    fresh = polib.POFile(wrapwidth=0)
    fresh.metadata = {
        "Language": language,
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.fpath = str(path)
    return fresh


def sentences() -> Found:
    """Every sentence of the product: (context, msgid) -> (plural, places)."""
    found = _lent()
    for place, source in _sources():
        _read(found, place, source)
    return found


def _read(found: Found, place: str, source: str) -> None:
    for _line, message, _comments, context in extract("python", BytesIO(source.encode()), keywords=KEYWORDS):
        parts = message if isinstance(message, tuple) else (message, "")
        parts = parts[1:] if context and len(parts) > 1 and parts[0] == context else parts
        key = (context or "", str(parts[0] or ""))
        if key[1]:
            plural = str(parts[1] or "") if len(parts) > 1 else ""
            found.setdefault(key, (plural, []))[1].append(place)


def _sources() -> Iterator[tuple[str, str]]:
    root = Path(settings.BASE_DIR)
    for folder in PRODUCT:
        for path in sorted((root / folder).rglob("*.py")):
            if "sandbox" not in path.parts and "migrations" not in path.parts:
                yield str(path.relative_to(root)), path.read_text()
    for path in sorted((root / "templates").rglob("*.html")):
        yield str(path.relative_to(root)), _of_template(path)


def _of_template(path: Path) -> str:
    """As Python without indentation, which the tokenizer would take amiss."""
    return "\n".join(line.lstrip() for line in templates.templatize(path.read_text()).splitlines())


def _lent() -> Found:
    """What unfold says on pages like ours and Django does not say in German."""
    root, found = Path(unfold.__file__).parent, Found()
    paths = [path for kind in ("*.py", "*.html") for path in root.rglob(kind) if "contrib" not in path.parts]
    for path in sorted(paths):
        source = path.read_text() if path.suffix == ".py" else _of_template(path)
        _read(found, f"unfold/{path.relative_to(root)}", source)
    spoken = {
        (entry.msgctxt or "", entry.msgid)
        for path in Path(django.__file__).parent.glob("**/locale/de/LC_MESSAGES/django.mo")
        for entry in polib.mofile(str(path))
    }
    return {key: said for key, said in found.items() if key not in spoken}


def update(po: polib.POFile, found: Found) -> None:
    """Add what is new, drop what nobody says any more; translations stay."""
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in po}
    for key in known.keys() - found.keys():
        po.remove(known[key])
    for (context, msgid), (plural, places) in sorted(found.items()):
        entry = known.get((context, msgid)) or polib.POEntry(msgid=msgid, msgctxt=context or None)
        entry.occurrences = [(place, "") for place in sorted(set(places))]
        if plural:
            entry.msgid_plural = plural
            entry.msgstr_plural = entry.msgstr_plural or {0: "", 1: ""}
        if (context, msgid) not in known:
            po.append(entry)
    po.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    po.save(str(path_of(po.metadata["Language"])))


def missing(po: polib.POFile, found: Found) -> list[str]:
    """Sentences without a (complete, unmarked) translation."""
    done = {(entry.msgctxt or "", entry.msgid) for entry in po if entry.translated() and "fuzzy" not in entry.flags}
    return sorted(msgid for context, msgid in found.keys() - done)


def compile_all() -> None:
    """Write the .mo files that Django reads."""
    for path in Path(settings.LOCALE_PATHS[0]).rglob("*.po"):
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
