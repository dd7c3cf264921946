"""What orders and articles know about one more try: what was done to the order, what its numbers mean by now."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from exceptions.explaining import Area, Fact, Outlook, Question
from exceptions.subjects import face_of
from integration_hub.kernel.text import say
from inventory.models import MappingStep

from .models import Order, OrderLine

MOST = 6


def explain(question: Question) -> Outlook:
    """Steps of the object since the last try, and mappings of what the case names."""
    return Outlook(changed=(*_data(question), *_mappings(question)))


def _data(question: Question) -> Iterator[Fact]:
    face = face_of(question.only.subject_type) if question.only else None
    if question.only is None or face is None:
        return
    for step in face.changes(question.only.subject_id)[:MOST]:
        if step.at > question.since:
            yield Fact(area=Area.DATA, text=step.text, at=step.at)


def _mappings(question: Question) -> Iterator[Fact]:
    """Each change of a mapping counts its version up: the steps of the same name so far."""
    if question.case.connection_id is None and question.only is None:
        return
    for step in _steps(question).select_related("before", "after").order_by("-pk")[:MOST]:
        same = MappingStep.objects.filter(
            connection=step.connection_id, external_id=step.external_id, sku=step.sku, pk__lte=step.pk
        )
        yield Fact(
            area=Area.MAPPING,
            text=say(
                "%(name)s means %(new)s, before %(before)s (version %(version)s)",
                name=step.sku or step.external_id or step.title,
                new=step.after.sku if step.after else "–",
                before=step.before.sku if step.before else "–",
                version=same.count(),
            ),
            at=step.at,
        )


def _steps(question: Question) -> QuerySet[MappingStep]:
    rows = MappingStep.objects.filter(at__gt=question.since)
    if question.only and question.only.subject_type_id == ContentType.objects.get_for_model(Order).pk:
        lines = OrderLine.objects.filter(order_id=question.only.subject_id).exclude(sku="")
        channel = Order.objects.filter(pk=question.only.subject_id).values("channel")
        return rows.filter(connection__in=channel, sku__in=list(lines.values_list("sku", flat=True)[:200]))
    named = Q(sku=question.case.data.get("sku") or None) | Q(external_id=question.case.data.get("product_id") or None)
    return rows.filter(named, connection=question.case.connection_id)
