"""Columns that several tables have."""

from __future__ import annotations

from typing import Any

from django.db import models


def money_field(label: Any, **extra: Any) -> models.DecimalField:  # type: ignore[type-arg]
    """An amount in the row's currency: numeric(19,4)."""
    return models.DecimalField(label, max_digits=19, decimal_places=4, **extra)


def currency_field(label: Any, **extra: Any) -> models.CharField:  # type: ignore[type-arg]
    """An ISO 4217 code."""
    return models.CharField(label, max_length=3, **extra)


def country_field(label: Any, **extra: Any) -> models.CharField:  # type: ignore[type-arg]
    """An ISO 3166-1 alpha-2 code."""
    return models.CharField(label, max_length=2, **extra)


def rate_field(label: Any, **extra: Any) -> models.DecimalField:  # type: ignore[type-arg]
    """A tax rate as a fraction: 0.19."""
    return models.DecimalField(label, max_digits=7, decimal_places=5, **extra)
