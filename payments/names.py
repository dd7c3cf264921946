"""How orders are called in payments: without case and separators, and where numbers hide in free text."""

from __future__ import annotations

import re

SEPARATORS = " #-_/.:"  # as in the index ``order_number_plain``
PLAIN_SQL = "upper(translate({column}, ' #-_/.:', ''))"

_DROP = str.maketrans("", "", SEPARATORS)
# an optional word of letters, an optional separator, and a number of three digits or more with inner separators
_TOKEN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,10}[-#_/. ]{0,2})?(\d{2,4}[-_/]\d{3,10}|\d{3,15})(?![0-9])")
_SPLIT = re.compile(r"(?<=\d) (?=\d)")
MOST_TOKENS = 40


def plain(text: str) -> str:
    """As numbers and references are compared: upper case, without ``#``, blanks, hyphens and the like."""
    return text.upper().translate(_DROP)


def numbers_in(text: str) -> list[str]:
    """What may be an order's number in free text, in plain form: each number with and without the letters before it.

    Banks break lines anywhere, so numbers torn apart by a blank are tried in one piece, too.
    """
    found: dict[str, None] = {}
    for variant in (text, _SPLIT.sub("", text)):
        for letters, digits in _TOKEN.findall(variant):
            found[plain(digits)] = None
            if letters:
                found[plain(letters + digits)] = None
    return list(found)[:MOST_TOKENS]
