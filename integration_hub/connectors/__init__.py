"""One module per external system.  A new file with a Connector subclass is found by itself; nothing else is touched.

A module with a leading underscore (``_woocommerce_order.py``) belongs to the one system whose name follows.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from .base import Connector

__all__ = ["connector_class", "registry"]


@cache
def registry() -> dict[str, type[Connector]]:
    """Every connector by its code, in order of code."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return {cls.code: cls for cls in sorted(_named(Connector), key=lambda cls: cls.code)}


def _named(cls: type[Connector]) -> set[type[Connector]]:
    """The classes below that say a code of their own."""
    below = {found for sub in cls.__subclasses__() for found in _named(sub)}
    return below | ({cls} if vars(cls).get("code") else set())


def connector_class(code: str) -> type[Connector]:
    """The connector of this code; KeyError if there is none."""
    return registry()[code]
