"""Where the EU's VAT area begins and ends, by country and postal code.

Sources: Council Directive 2006/112/EC, articles 5 and 6 (territories outside), section 1 (2) UStG (Büsingen, Helgoland).
"""

from __future__ import annotations

import re

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
# Monaco counts as France, the Isle of Man is gone with the United Kingdom (article 7)
_PART_OF = {"MC": "FR"}
# postal codes inside a member state that are third territories for VAT
_OUTSIDE = {
    "DE": re.compile(r"^(27498|78266)$"),  # Helgoland, Büsingen
    "ES": re.compile(r"^(35|38|51|52)\d{3}$"),  # Canary Islands, Ceuta, Melilla
    "IT": re.compile(r"^(23041|23030)$"),  # Livigno
    "FR": re.compile(r"^97\d{3}$"),  # overseas departments
    "FI": re.compile(r"^22\d{3}$"),  # Åland
    "GR": re.compile(r"^63086$"),  # Mount Athos
}
# the prefix of a country's VAT ids where it is not the country's code
_PREFIX = {"GR": "EL"}
GERMAN = frozenset({"DE", "AT", "CH", "LI"})


def vat_area(country: str, postal_code: str = "") -> str:
    """The member state whose VAT rules hold there, or an empty string for a third country or territory."""
    state = _PART_OF.get(country, country)
    outside = _OUTSIDE.get(state)
    if state not in EU or (outside and outside.match(postal_code.replace(" ", ""))):
        return ""
    return state


def vat_prefix(country: str) -> str:
    """What VAT ids of this country begin with."""
    return _PREFIX.get(country, country)
