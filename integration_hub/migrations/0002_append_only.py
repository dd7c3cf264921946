"""Attempts and activity can only grow."""

from django.db import migrations

from integration_hub.models.append_only import FUNCTION, append_only


class Migration(migrations.Migration):
    dependencies = [("integration_hub", "0001_initial")]

    operations = [
        FUNCTION,
        append_only("integration_hub_attempt"),
        append_only("integration_hub_activity"),
    ]
