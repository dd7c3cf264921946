"""Articles: what is sold, what each system says about it, what bundles are made of, who mapped what."""

from .bundle import BundlePart
from .listing import Listing
from .mapping import How, MappingStep
from .ownership import Field, FieldOwner, Owner
from .product import Kind, Product, ShareRule, Variant

__all__ = [
    "BundlePart",
    "Field",
    "FieldOwner",
    "How",
    "Kind",
    "Listing",
    "MappingStep",
    "Owner",
    "Product",
    "ShareRule",
    "Variant",
]
