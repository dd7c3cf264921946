"""Trouble, channels that lead to a server of the test, and sending until nothing is due."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from exceptions import services as cases
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.messaging.alerts import delivery, shapes
from integration_hub.models import AlertChannel, Connection


def trouble(shop: Connection, kind: str = "defect", cause: str = "x", **params: Any) -> ExceptionCase:
    return cases.open_case(Trouble(kind=kind, cause=cause, params=params), shop)


def channel(role: str = "integrator", form: str = "WEBHOOK", port: int = 9, **more: Any) -> AlertChannel:
    made = AlertChannel(name=f"{role} {form} {AlertChannel.objects.count()}", form=form, role=role, **more)
    made.set_secrets({"url": f"http://127.0.0.1:{port}/hook/T0P-SECRET", "secret": shapes.new_secret()})
    made.save()
    AlertChannel.objects.filter(pk=made.pk).update(digested_on=timezone.localdate())
    return made


def deliver_all() -> None:
    while delivery.work():
        pass
