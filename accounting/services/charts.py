"""The charts of accounts as they are shipped: accounts, tax keys, and the mapping that fits most shops."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.utils.translation import gettext_noop as mark

from ..events import Chart
from ..models import Account, AccountRule, Books, MappingVersion, TaxKey

FOLDER = Path(__file__).resolve().parents[1] / "charts"


def prepare(sender: AppConfig | None = None, **_kwargs: Any) -> None:
    """Bring in what is shipped where nothing is there yet.  Done after every migration."""
    if MappingVersion.objects.exists():
        return
    with transaction.atomic():
        Books.objects.get_or_create(pk=1)
        for chart in Chart:
            _load(chart.value)


def _load(chart: str) -> None:
    Account.objects.bulk_create([_account(chart, row) for row in _rows("accounts")], ignore_conflicts=True)
    TaxKey.objects.bulk_create([_key(chart, row) for row in _rows("keys")], ignore_conflicts=True)
    version = MappingVersion.objects.create(chart=chart, number=1, why=mark("shipped with the hub"))
    AccountRule.objects.bulk_create([_rule(chart, row, version) for row in _rows("rules")])


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / f"{name}_2026.csv").open(encoding="utf-8", newline="") as source:
        yield from csv.DictReader(source, delimiter=";")


def _rate(percent: str) -> Decimal | None:
    return Decimal(percent) / 100 if percent else None


def _account(chart: str, row: dict[str, str]) -> Account:
    return Account(
        chart=chart,
        number=row[f"skr{chart}"],
        name=row["name"],
        kind=row["kind"],
        flag=row["flag"],
        rate=_rate(row["rate"]),
        tax_account=row[f"tax{chart}"],
        input_account=row[f"input{chart}"],
        shipped=True,
    )


def _key(chart: str, row: dict[str, str]) -> TaxKey:
    return TaxKey(
        chart=chart,
        key=row["key"],
        name=row["name"],
        kind=row["kind"],
        rate=_rate(row["rate"]),
        tax_account=row[f"tax{chart}"],
        input_account=row[f"input{chart}"],
    )


def _rule(chart: str, row: dict[str, str], version: MappingVersion) -> AccountRule:
    return AccountRule(
        chart=chart,
        event=row["event"],
        tax_case=row["tax_case"],
        rate=_rate(row["rate"]),
        account=row[f"skr{chart}"],
        tax_key=row["tax_key"],
        text=row["text"],
        since=version,
    )
