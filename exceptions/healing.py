"""What mended itself is written down with its proof, once, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Sum
from django.utils import timezone

from integration_hub.kernel.text import Text
from integration_hub.models import Activity, Connection

from .models import ExceptionCase, Healing, How


def record(
    how: How,
    key: str,
    text: Text,
    *,
    proof: Mapping[str, Any],
    subject: models.Model | None = None,
    connection: Connection | None = None,
    case: ExceptionCase | None = None,
    since: datetime | None = None,
    number: int = 1,
) -> None:
    """Write it down; the same thing a second time changes nothing.  ``proof`` names the rows that show it."""
    row = Healing(
        how=how,
        key=key[:120],
        text=text.as_json(),
        proof=dict(proof),
        subject_type=ContentType.objects.get_for_model(subject) if subject else None,
        subject_id=subject.pk if subject else None,
        connection=connection,
        case=case,
        since=since,
        number=number,
    )
    Healing.objects.bulk_create([row], ignore_conflicts=True)


def proof_of(subject_type: int, subject_id: int) -> dict[str, Any]:
    """The last step of an object, with the message or attempt it came of: what showed that the cause is gone."""
    steps = Activity.objects.filter(subject_type=subject_type, subject_id=subject_id)
    step = steps.order_by("-pk").values("pk", "event", "attempt").first()
    found = {"object": [subject_type, subject_id]} | ({"step": step["pk"]} if step else {})
    return found | {name: step[name] for name in ("event", "attempt") if step and step[name]}


def counts(days: int) -> dict[str, int]:
    """How many things mended themselves in the last days, by how."""
    since = timezone.now() - timedelta(days=days)
    rows = Healing.objects.filter(at__gte=since).values_list("how").annotate(sum=Sum("number")).order_by("how")
    return dict(rows)
