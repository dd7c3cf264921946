"""VAT ids: their form is checked at once, the Commission's register is asked afterwards; each check is kept with its time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from integration_hub.kernel.errors import RetryLater
from integration_hub.messaging import vies

from ..models import VatCheck
from ..states import Vies
from .parties import seller_on
from .tax import well_formed

AGAIN = timedelta(days=30)
BATCH = 20


def seen(vat_ids: Iterable[str]) -> None:
    """Check the form of ids that were never seen before, and put them down for the register."""
    wanted = set(vat_ids) - {""}
    known = set(VatCheck.objects.filter(vat_id__in=wanted).values_list("vat_id", flat=True))
    VatCheck.objects.bulk_create(VatCheck(vat_id=one[:20], form_ok=well_formed(one)) for one in sorted(wanted - known))


def ask() -> dict[str, int]:
    """Every hour: ask the register about well-formed ids that were not asked yet, were not answered, or a month ago."""
    latest = VatCheck.objects.filter(vat_id=OuterRef("vat_id")).order_by("-pk").values("pk")[:1]
    rows = VatCheck.objects.filter(pk=Subquery(latest), form_ok=True)
    due = rows.filter(vies__in=(Vies.UNASKED, Vies.SILENT)) | rows.filter(at__lt=timezone.now() - AGAIN)
    seller = seller_on(timezone.localdate())
    found = [_ask(row.vat_id, seller.vat_id if seller else "") for row in due.order_by("pk")[:BATCH]]
    VatCheck.objects.bulk_create(found)
    return {"asked": len(found), "silent": sum(row.vies == Vies.SILENT for row in found)}


def _ask(vat_id: str, own: str) -> VatCheck:
    row = VatCheck(vat_id=vat_id, form_ok=True)
    try:
        said = vies.ask(vat_id, own)
    except RetryLater as error:
        row.vies, row.detail = Vies.SILENT, error.detail[:300]
        return row
    row.vies = Vies.VALID if said.valid else Vies.INVALID
    row.name, row.address, row.consultation = said.name[:250], said.address[:400], said.consultation[:60]
    return row
