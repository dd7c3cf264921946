"""The verbs of articles: match and map names, take over what systems say, take bundles apart."""

from .bundles import Need, Part, Share, define, parts_of, share
from .editing import edit, make
from .mapping import ignore, mean, named, steps, undo, unmapped, waiting
from .naming import (
    SKU,
    VARIANT,
    Named,
    find,
    hold_names,
    map_name,
    match,
    normalised_gtin,
    normalised_sku,
    target_ids,
)
from .recording import gone, record, retake
from .suggesting import Suggestion, suggest, suggest_many
from .troubles import unknown

__all__ = [
    "SKU",
    "VARIANT",
    "Named",
    "Need",
    "Part",
    "Share",
    "Suggestion",
    "define",
    "edit",
    "find",
    "gone",
    "hold_names",
    "ignore",
    "make",
    "map_name",
    "match",
    "mean",
    "named",
    "normalised_gtin",
    "normalised_sku",
    "parts_of",
    "record",
    "retake",
    "share",
    "steps",
    "suggest",
    "suggest_many",
    "target_ids",
    "undo",
    "unknown",
    "unmapped",
    "waiting",
]
