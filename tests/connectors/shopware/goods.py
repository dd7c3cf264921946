"""Products as Shopware's Admin API answers them; made up, not captured."""

from __future__ import annotations

from typing import Any

MUG, SHIRT, SMALL, LARGE = ("b" * 31 + str(place) for place in range(1, 5))
CHANGED = "2026-11-21T09:00:00.000+00:00"


def product(**changes: Any) -> dict[str, Any]:
    return {
        "id": MUG,
        "autoIncrement": 1,
        "parentId": None,
        "parent": None,
        "childCount": 0,
        "productNumber": "MUG-B",
        "name": "Becher blau",
        "translated": {"name": "Becher blau"},
        "ean": "4006381333931",
        "active": True,
        "weight": 0.35,
        "stock": 10,
        "availableStock": 8,
        "tax": {"name": "Standard rate", "taxRate": 19},
        "options": [],
        "createdAt": CHANGED,
        "updatedAt": None,
        **changes,
    }


def size(product_id: str, place: int, name: str, stock: int) -> dict[str, Any]:
    """A variant, as the header for inheritance shows it."""
    return product(
        id=product_id, autoIncrement=place, parentId=SHIRT, productNumber=f"SHIRT-{name}", name=None, stock=stock,
        availableStock=stock, translated={"name": "Hemd"}, ean=None,
        options=[{"name": None, "translated": {"name": name}, "group": {"name": "Größe", "translated": []}}],
    )  # fmt: skip


def shelf() -> list[dict[str, Any]]:
    """A mug, of which two are ordered, and a shirt in two sizes."""
    shirt = product(id=SHIRT, autoIncrement=2, childCount=2, productNumber="SHIRT", stock=0, availableStock=0)
    return [product(), shirt, size(SMALL, 3, "S", 4), size(LARGE, 4, "L", 0)]
