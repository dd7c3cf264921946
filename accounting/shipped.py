"""VAT rates that come with the hub: a start, which the merchant's own rows go before.

Sources: European Commission, "VAT rates applied in the Member States" and its database TEDB, state of November 2026; for
Germany section 12 UStG, section 28 UStG (second half of 2020).  Other countries from the start of OSS (July 2021) on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.apps import AppConfig

from .models import TaxRate
from .states import Level

_OSS = date(2021, 7, 1)
_S, _R, _R2, _SR, _P, _Z = (
    Level.STANDARD,
    Level.REDUCED,
    Level.REDUCED_2,
    Level.SUPER_REDUCED,
    Level.PARKING,
    Level.ZERO,
)
# country -> level -> (from when, percent or None where the level ended), since OSS where no day is said
_RATES: Mapping[str, Mapping[Level, Sequence[tuple[str, str | None]]]] = {
    "DE": {
        _S: [("2007-01-01", "19"), ("2020-07-01", "16"), ("2021-01-01", "19")],
        _R: [("2007-01-01", "7"), ("2020-07-01", "5"), ("2021-01-01", "7")],
        _Z: [("2023-01-01", "0")],
    },
    "AT": {_S: [("", "20")], _R: [("", "10")], _R2: [("", "13")]},
    "BE": {_S: [("", "21")], _R: [("", "12")], _R2: [("", "6")]},
    "BG": {_S: [("", "20")], _R: [("", "9")]},
    "CY": {_S: [("", "19")], _R: [("", "9")], _R2: [("", "5")], _SR: [("2023-07-01", "3")]},
    "CZ": {_S: [("", "21")], _R: [("", "15"), ("2024-01-01", "12")], _R2: [("", "10"), ("2024-01-01", None)]},
    "DK": {_S: [("", "25")]},
    "EE": {
        _S: [("", "20"), ("2024-01-01", "22"), ("2025-07-01", "24")],
        _R: [("", "9")],
        _R2: [("2025-01-01", "13")],
    },
    "ES": {_S: [("", "21")], _R: [("", "10")], _SR: [("", "4")]},
    "FI": {
        _S: [("", "24"), ("2024-09-01", "25.5")],
        _R: [("", "14"), ("2026-01-01", "13.5")],
        _R2: [("", "10")],
    },
    "FR": {_S: [("", "20")], _R: [("", "10")], _R2: [("", "5.5")], _SR: [("", "2.1")]},
    "GR": {_S: [("", "24")], _R: [("", "13")], _R2: [("", "6")]},
    "HR": {_S: [("", "25")], _R: [("", "13")], _R2: [("", "5")]},
    "HU": {_S: [("", "27")], _R: [("", "18")], _R2: [("", "5")]},
    "IE": {_S: [("", "23")], _R: [("", "13.5")], _R2: [("", "9")], _SR: [("", "4.8")]},
    "IT": {_S: [("", "22")], _R: [("", "10")], _R2: [("", "5")], _SR: [("", "4")]},
    "LT": {_S: [("", "21")], _R: [("", "9"), ("2026-01-01", "12")], _R2: [("", "5")]},
    "LU": {
        _S: [("", "17"), ("2023-01-01", "16"), ("2024-01-01", "17")],
        _R: [("", "8"), ("2023-01-01", "7"), ("2024-01-01", "8")],
        _SR: [("", "3")],
        _P: [("", "14"), ("2023-01-01", "13"), ("2024-01-01", "14")],
    },
    "LV": {_S: [("", "21")], _R: [("", "12")], _R2: [("", "5")]},
    "MT": {_S: [("", "18")], _R: [("", "7")], _R2: [("", "5")], _P: [("2024-01-01", "12")]},
    "NL": {_S: [("", "21")], _R: [("", "9")]},
    "PL": {_S: [("", "23")], _R: [("", "8")], _R2: [("", "5")]},
    "PT": {_S: [("", "23")], _R: [("", "13")], _R2: [("", "6")]},
    "RO": {
        _S: [("", "19"), ("2025-08-01", "21")],
        _R: [("", "9"), ("2025-08-01", "11")],
        _R2: [("", "5"), ("2025-08-01", None)],
    },
    "SE": {_S: [("", "25")], _R: [("", "12")], _R2: [("", "6")]},
    "SI": {_S: [("", "22")], _R: [("", "9.5")], _R2: [("", "5")]},
    "SK": {
        _S: [("", "20"), ("2025-01-01", "23")],
        _R: [("", "10"), ("2025-01-01", "19")],
        _R2: [("2025-01-01", "5")],
    },
}
SOURCE = "European Commission, TEDB, 2026-11"


def rates() -> Iterator[TaxRate]:
    """The shipped rates as rows."""
    for country, levels in _RATES.items():
        for level, steps in levels.items():
            for since, percent in steps:
                yield TaxRate(
                    country=country,
                    level=level,
                    rate=None if percent is None else Decimal(percent) / 100,
                    valid_from=date.fromisoformat(since) if since else _OSS,
                    source=SOURCE,
                )


def sync(sender: AppConfig | None = None, **_kwargs: object) -> None:
    """Add what is missing after a migration; rows that are there, the merchant's own included, stay as they are."""
    TaxRate.objects.bulk_create(rates(), ignore_conflicts=True)
