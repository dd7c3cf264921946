"""Articles: what is sold, what each system says about it, what bundles are made of, who mapped what; and their stock."""

from .availability import ChannelAvailability, Comparison, Drift, DriftCause, Seen
from .bundle import BundlePart
from .listing import Listing
from .location import Formula, Location, LocationMapping, Shortage, StockRule, Supply
from .mapping import How, MappingStep
from .ownership import Field, FieldOwner, Owner
from .product import Kind, Product, ShareRule, Variant
from .reservation import Reservation
from .stock import Movement, StockDifference, StockLevel, StockMovement, Unplaced, UnplacedLevel

__all__ = [
    "BundlePart",
    "ChannelAvailability",
    "Comparison",
    "Drift",
    "DriftCause",
    "Field",
    "FieldOwner",
    "Formula",
    "How",
    "Kind",
    "Listing",
    "Location",
    "LocationMapping",
    "MappingStep",
    "Movement",
    "Owner",
    "Product",
    "Reservation",
    "Seen",
    "ShareRule",
    "Shortage",
    "StockDifference",
    "StockLevel",
    "StockMovement",
    "StockRule",
    "Supply",
    "Unplaced",
    "UnplacedLevel",
    "Variant",
]
