"""The verbs of articles: match and map names, take over what systems say, take bundles apart."""

from .bundles import Need, Part, Share, define, parts_of, share
from .naming import (
    SKU,
    VARIANT,
    Named,
    Suggestion,
    find,
    hold_names,
    map_name,
    match,
    normalised_gtin,
    normalised_sku,
    record,
    suggest,
    target_ids,
)

__all__ = [
    "SKU",
    "VARIANT",
    "Named",
    "Need",
    "Part",
    "Share",
    "Suggestion",
    "define",
    "find",
    "hold_names",
    "map_name",
    "match",
    "normalised_gtin",
    "normalised_sku",
    "parts_of",
    "record",
    "share",
    "suggest",
    "target_ids",
]
