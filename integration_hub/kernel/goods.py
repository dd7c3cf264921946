"""What systems say about articles and stock, and what we ask of them.

Quantities are Decimal in the variant's unit; moments are UTC-aware; a snapshot states what is, never a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from .text import Text


class ProductKind(StrEnum):
    """What an article is, as far as stock and tax care."""

    GOODS = "GOODS"
    SERVICE = "SERVICE"  # moves no stock
    BUNDLE = "BUNDLE"  # moves the stock of its parts
    VOUCHER_SINGLE = "VOUCHER_SINGLE"  # single-purpose voucher (tax is known when sold); moves no stock
    VOUCHER_MULTI = "VOUCHER_MULTI"  # multi-purpose voucher (tax when redeemed); moves no stock


@dataclass(frozen=True, kw_only=True)
class ReportedPart:
    """A part of a bundle by the system's own id or SKU, with how many of it are in one bundle."""

    quantity: Decimal
    product_id: str = ""
    sku: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductReport:
    """A sellable variant as its system shows it now.

    ``external_id`` is the variant's own id there, ``product_id`` the id of the product it belongs to (empty where there is
    no such thing), ``stock_id`` what stock is written under where that is another id (Shopify's inventory item).
    ``options`` are (axis, value) pairs such as ("Farbe", "rot").  ``weight`` is in kg.  ``price`` is gross where
    ``price_includes_tax``.  What the system does not state is None or empty, and then changes nothing here.
    """

    external_id: str
    sku: str
    title: str
    gtin: str = ""
    active: bool = True
    updated_at: datetime | None = None
    product_id: str = ""
    stock_id: str = ""
    product_title: str = ""
    options: tuple[tuple[str, str], ...] = ()
    kind: ProductKind | None = None
    unit: str = ""
    group: str = ""  # Warengruppe, category
    tax_class: str = ""
    weight: Decimal | None = None
    price: Decimal | None = None
    price_includes_tax: bool | None = None
    currency: str = ""
    tracked: bool | None = None  # whether the system keeps stock of it
    parts: tuple[ReportedPart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductGone:
    """What the system does not hold any more: a variant (``external_id``), or a product's variants (``product_id``).

    With ``product_id`` all variants of that product are gone but those in ``kept``: a product that lists its variants says
    so on each change, since most shops delete a variant without a word.  A shop that names a deleted product by an id that
    may be either gives both.  ``stated_at`` orders it among reports of the same variants.
    """

    external_id: str = ""
    product_id: str = ""
    kept: tuple[str, ...] = ()
    stated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LocationReport:
    """A place where stock lies, as its system shows it; an empty ``name`` (a deleted one) changes nothing."""

    external_id: str
    name: str
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class Level:
    """How many of a variant lie at a location.

    ``product_id`` is the variant's own id in that system (``ProductReport.external_id``); it is empty where the system names
    only what stock is written under (``stock_id``, as in ProductReport).  ``sku`` is its number where it is stated with the
    level; ``location_id`` is empty where the system knows only one place.  ``on_hand`` is what lies there, ``available`` what
    may still be sold of it as that system reckons; None: it does not say.  At least one of the two is stated.
    """

    product_id: str = ""
    on_hand: Decimal | None = None
    stock_id: str = ""
    sku: str = ""
    location_id: str = ""
    available: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class StockReport:
    """Levels as they stood at one moment, many at once so that a delta is handled at once.

    ``stated_at`` orders reports of one system; an older one never overwrites a newer one.
    """

    levels: tuple[Level, ...]
    stated_at: datetime


GoodsReport = ProductReport | ProductGone | LocationReport | StockReport


@dataclass(frozen=True, kw_only=True)
class LevelToSet:
    """What a shop is to show of a variant at one of its locations.

    ``expected`` is what we last told or saw there (None: unknown): a shop that can compare and set refuses when it is not so.
    """

    product_id: str
    quantity: Decimal
    parent_id: str = ""
    stock_id: str = ""
    sku: str = ""
    location_id: str = ""
    expected: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class SetStock:
    """Make a shop show these levels; ``key`` is unique per push and travels as idempotency key where there is one."""

    key: str
    levels: tuple[LevelToSet, ...]


@dataclass(frozen=True, kw_only=True)
class LevelSet:
    """What became of one level: ``found`` is what stood there before (None: not seen), ``problem`` why it was not set."""

    product_id: str
    location_id: str = ""
    found: Decimal | None = None
    problem: Text | None = None
    problem_code: str = ""  # changed_meanwhile, unknown_there, not_tracked, refused


GoodsCommand = SetStock
