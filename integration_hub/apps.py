"""Wires the house together when Django is ready."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "integration_hub"
    verbose_name = _("Integration Hub")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounting.services import charts  # noqa: PLC0415  the roof is put on when all floors stand
        from accounting.shipped import sync as ship_rates  # noqa: PLC0415

        from . import audited, roles, wiring  # noqa: PLC0415
        from .backoffice import trail  # noqa: PLC0415
        from .messaging.alerts import rules as alert_rules  # noqa: PLC0415
        from .messaging.schedules import prepare  # noqa: PLC0415

        wiring.connect()
        trail.set_scope(audited.SCOPE)
        # permissions of an app are made after its own migration, so the groups follow after the last one
        last = list(apps.get_app_configs())[-1]
        post_migrate.connect(roles.sync, sender=last)
        post_migrate.connect(prepare, sender=last)
        post_migrate.connect(charts.prepare, sender=last)
        post_migrate.connect(alert_rules.prepare, sender=last)
        post_migrate.connect(trail.install, sender=last)
        post_migrate.connect(ship_rates, sender=last)
