"""The audit trail and its seals can only grow; the function that writes it."""

from django.db import migrations
from django.db.migrations import RunSQL

from integration_hub.models import audit_sql
from integration_hub.models.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("integration_hub", "0015_audit")]

    operations = [
        RunSQL(audit_sql.FUNCTION, audit_sql.DROP),
        append_only("integration_hub_auditentry"),
        append_only("integration_hub_seal"),
    ]
