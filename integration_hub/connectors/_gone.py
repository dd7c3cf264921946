"""Articles that an ERP does not hold any more: it deletes without a word, so it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.goods import ProductGone

from .base import Delivery

GONE_TOPIC = "product.gone"
_ID = re.compile("[1-9][0-9]{0,8}")


def missing(wanted: Sequence[str], there: Callable[[list[int]], Collection[int]]) -> list[str]:
    """Those that ``there`` does not find; what is no id of an ERP was never there."""
    found = there(sorted({int(one) for one in wanted if _ID.fullmatch(one)})) if wanted else ()
    return [one for one in wanted if not _ID.fullmatch(one) or int(one) not in found]


def gone_delivery(product_id: str) -> Delivery:
    """What the sweep found, as a delivery."""
    found = {"id": product_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
    return Delivery(GONE_TOPIC, product_id, codec.canonical(found))


def gone_report(delivery: Delivery) -> ProductGone:
    """Raises Rejected for what was no such delivery."""
    body = codec.load_object(delivery.body)
    stated = fields.moment(body, "found")
    if stated is None:
        raise unreadable("%(name)s is missing", name="found")
    return ProductGone(external_id=fields.identifier(body, "id"), stated_at=stated)
