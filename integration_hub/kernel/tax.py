"""VAT rates that a German merchant may meet, by country of destination.

Percent as in force in November 2026 (European Commission, "VAT rates applied in the member states", and the national
laws of CH, GB, NO, LI).  A rate that is not here is a case for a person, never a silent import.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

_PERCENT: Mapping[str, str] = {
    "AT": "20 13 10",
    "BE": "21 12 6",
    "BG": "20 9",
    "CH": "8.1 3.8 2.6",
    "CY": "19 9 5 3",
    "CZ": "21 12",
    "DE": "19 7",
    "DK": "25",
    "EE": "24 13 9",
    "ES": "21 10 4",
    "FI": "25.5 13.5 10",
    "FR": "20 10 5.5 2.1",
    "GB": "20 5",
    "GR": "24 13 6",
    "HR": "25 13 5",
    "HU": "27 18 5",
    "IE": "23 13.5 9 4.8",
    "IT": "22 10 5 4",
    "LI": "8.1 3.8 2.6",
    "LT": "21 12 9 5",
    "LU": "17 14 8 3",
    "LV": "21 12 5",
    "MC": "20 10 5.5 2.1",
    "MT": "18 12 7 5",
    "NL": "21 9",
    "NO": "25 15 12",
    "PL": "23 8 5",
    "PT": "23 13 6",
    "RO": "21 11",
    "SE": "25 12 6",
    "SI": "22 9.5 5",
    "SK": "23 19 5",
}
RATES: Mapping[str, frozenset[Decimal]] = {
    country: frozenset(Decimal(word) / 100 for word in words.split()) for country, words in _PERCENT.items()
}
NO_TAX = Decimal(0)


def known_rates(destination: str, home: str) -> frozenset[Decimal]:
    """The rates (as fractions) that may stand on a line sent from ``home`` to ``destination``.

    Zero always (exempt, export, reverse charge), the home country's (below the OSS threshold, section 3a (5) and 3c (4)
    UStG), and the destination's.
    """
    return frozenset({NO_TAX}) | RATES.get(home, frozenset()) | RATES.get(destination, frozenset())
