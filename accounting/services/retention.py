"""How long records must be kept, and until when a record of a year is.

Section 147 (3) AO and section 257 (4) HGB as of the BEG IV (2025): books and procedural documentation 10 years, documents
that postings rest on (Buchungsbelege) and invoices 8 years (section 14b UStG), letters 6 years; records of OSS 10 years
(article 63c of regulation (EU) 282/2011).  The period begins with the end of the calendar year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Period:
    """A kind of record and its years."""

    code: str
    label: Any
    years: int
    ground: str


PERIODS = (
    Period("postings", _("postings and exported batches"), 10, "§ 147 Abs. 3 AO, § 257 Abs. 4 HGB"),
    Period("procedure", _("procedural documentation"), 10, "§ 147 Abs. 3 AO"),
    Period("oss", _("documents of distance sales (OSS)"), 10, "Art. 63c VO (EU) 282/2011"),
    Period("documents", _("documents issued, with their files"), 8, "§ 14b UStG, § 147 Abs. 3 AO"),
    Period("payments", _("movements of money, payouts, bank statements"), 8, "§ 147 Abs. 3 AO"),
    Period("orders", _("orders and messages as received"), 6, "§ 147 Abs. 1 Nr. 2, 3 AO, § 257 Abs. 1 Nr. 2 HGB"),
)
_YEARS = {one.code: one.years for one in PERIODS}


def kept_until(code: str, arose: date) -> date:
    """The last day on which a record of this kind must be kept; KeyError for a kind that is none."""
    return date(arose.year + _YEARS[code], 12, 31)
