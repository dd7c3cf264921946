"""Which article may be meant: candidates by index, scored in Python; never all articles at once.

The embedded PostgreSQL comes without pg_trgm, so the candidates come from what PostgreSQL has itself: a GIN index over the
words of title and number, and a b-tree over the number without punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection as database
from django.utils.translation import gettext_lazy as _

from ..models import Variant
from .naming import Named, normalised_gtin

CLOSE_ENOUGH = 55
SUGGESTIONS = 5
_BEGINNING = 5  # letters of the number that similar numbers share at least
_WORDS = 8  # the longest words of a title say most
_EACH = 150  # candidates taken by one word or beginning
_COMMON = 0.02  # a word in more than this share of the articles tells nothing by itself

_SPLIT = re.compile("[ -/:-@[-`{-~]+")  # as the generated column ``words`` does
_LOWER = {upper: chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)} | str.maketrans("ÄÖÜ", "äöü")

# one row per (name, candidate): all words of a name together, each rare word alone, the number's beginning, the GTIN
_CANDIDATES = """
SELECT DISTINCT asked.n, hit.id FROM unnest(%(n)s::int[], %(how)s::text[], %(what)s::text[]) AS asked (n, how, what)
CROSS JOIN LATERAL (
  (SELECT v.id FROM inventory_variant v WHERE asked.how = 'words' AND v.active
    AND v.words @> string_to_array(asked.what, ' ') LIMIT %(each)s)
  UNION ALL
  (SELECT v.id FROM inventory_variant v WHERE asked.how = 'plain' AND v.active
    AND v.plain ~>=~ asked.what AND v.plain ~<~ (asked.what || '~') LIMIT %(each)s)
  UNION ALL
  (SELECT v.id FROM inventory_variant v WHERE asked.how = 'gtin' AND v.active AND v.gtin = asked.what AND v.gtin <> ''
    LIMIT %(each)s)
) hit
"""
_FREQUENT = """
SELECT word FROM pg_stats s, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs[:cardinality(
  s.most_common_elems::text::text[])]) AS common (word, share)
WHERE s.schemaname = current_schema() AND s.tablename = 'inventory_variant' AND s.attname = 'words'
  AND word = ANY(%s) AND share > %s
"""


_WHY = {
    "gtin": _("same GTIN"),
    "same_sku": _("same number but for case and punctuation"),
    "sku": _("similar number, %(score)s %%"),
    "title": _("similar title, %(score)s %%"),
}


@dataclass(frozen=True)
class Suggestion:
    """A product that may be meant, with the score (0 to 100) and what it rests on."""

    variant: Variant
    score: int
    why: str  # gtin, same_sku, sku or title

    def reason(self) -> str:
        """What it rests on, for people."""
        return str(_WHY[self.why] % {"score": self.score})


def plain(sku: str) -> str:
    """A number without case and punctuation, as the generated column has it."""
    return re.sub("[^a-z0-9]+", "", sku.translate(_LOWER))


def words_of(text: str) -> list[str]:
    """The words of a title or number, as the generated column has them."""
    return list(dict.fromkeys(word for word in _SPLIT.split(text.translate(_LOWER)) if word))


def suggest(name: Named) -> list[Suggestion]:
    """Products that may be meant, likeliest first: same GTIN, same or similar number, similar title."""
    return suggest_many([name])[0]


def suggest_many(names: Sequence[Named]) -> list[list[Suggestion]]:
    """Suggestions for each name, in three queries however many names."""
    asked = _asked(names)
    if not asked:
        return [[] for _name in names]
    with database.cursor() as cursor:
        numbers, hows, whats = (list(column) for column in zip(*asked, strict=True))
        cursor.execute(_CANDIDATES, {"n": numbers, "how": hows, "what": whats, "each": _EACH})
        found: dict[int, list[int]] = {}
        for number, pk in cursor.fetchall():
            found.setdefault(number, []).append(pk)
    wanted = {pk for pks in found.values() for pk in pks}
    rows = Variant.objects.only("sku", "gtin", "title", "active", "plain").in_bulk(wanted)
    return [_best(name, [rows[pk] for pk in found.get(number, ())]) for number, name in enumerate(names)]


def _asked(names: Sequence[Named]) -> list[tuple[int, str, str]]:
    """What to look for: (which name, how, what)."""
    by_name = [words_of(f"{name.title} {name.sku}") for name in names]
    common = _common({word for words in by_name for word in words})
    return [
        (number, how, what)
        for number, (name, words) in enumerate(zip(names, by_name, strict=True))
        for how, what in _looks(name, words, common)
    ]


def _looks(name: Named, words: Sequence[str], common: set[str]) -> Iterable[tuple[str, str]]:
    if gtin := normalised_gtin(name.gtin):
        yield "gtin", gtin
    number = plain(name.sku)
    if len(number) >= 2:
        yield "plain", number[:_BEGINNING]
    telling = sorted((word for word in words if len(word) > 1), key=len, reverse=True)[:_WORDS]
    title = [word for word in words_of(name.title) if len(word) > 1]
    if title:
        yield "words", " ".join(title)
    for word in telling:
        if word not in common:
            yield "words", word


def _common(words: set[str]) -> set[str]:
    """Words that stand in so many articles that they find nothing; what PostgreSQL's statistics know of it."""
    if not words:
        return set()
    with database.cursor() as cursor:
        cursor.execute(_FREQUENT, [list(words), _COMMON])
        return {row[0] for row in cursor.fetchall()}


def _best(name: Named, rows: Iterable[Variant]) -> list[Suggestion]:
    asked = _Asked(normalised_gtin(name.gtin), plain(name.sku), name.title.casefold())
    close = [item for item in (_score(asked, row) for row in rows) if item.score >= CLOSE_ENOUGH]
    return sorted(close, key=lambda item: (-item.score, item.variant.sku))[:SUGGESTIONS]


@dataclass(frozen=True)
class _Asked:
    gtin: str
    plain: str
    title: str


def _score(asked: _Asked, row: Variant) -> Suggestion:
    if asked.gtin and row.gtin == asked.gtin:
        return Suggestion(row, 100, "gtin")
    if asked.plain and row.plain == asked.plain:
        return Suggestion(row, 98, "same_sku")
    from rapidfuzz import fuzz  # noqa: PLC0415  4 MB that only who looks for similar articles needs

    number = int(fuzz.ratio(asked.plain, row.plain)) if asked.plain else 0
    title = int(fuzz.token_set_ratio(asked.title, row.title.casefold())) if asked.title else 0
    best = Suggestion(row, number, "sku") if number >= title else Suggestion(row, title, "title")
    return best if best.score < 98 else Suggestion(row, 97, best.why)
