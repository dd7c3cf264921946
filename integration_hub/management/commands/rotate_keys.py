"""``manage.py rotate_keys``: seal all secrets anew with the first of HUB_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integration_hub.models import Connection, vault


class Command(BaseCommand):
    """Put the new key first, run this, then take the old key away."""

    help = "Encrypt all secrets anew with the first key"

    def handle(self, *_args: Any, **_options: Any) -> None:
        with transaction.atomic():
            rows = list(Connection.objects.select_for_update().order_by("pk"))
            for row in rows:
                row.sealed = vault.rotate(row.sealed)
                row.save(update_fields=["sealed"])
        self.stdout.write(f"{len(rows)} connections sealed anew")
