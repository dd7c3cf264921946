"""A circuit breaker and a pace per connection; events and commands of a backfill stand apart from what is new."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ("integration_hub", "0003_switches_catch_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="max_concurrent",
            field=models.PositiveSmallIntegerField(db_default=2, default=2, verbose_name="commands at a time"),
        ),
        migrations.AddField(
            model_name="connection",
            name="per_minute",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="commands per minute"),
        ),
        migrations.AddField(
            model_name="inboundevent",
            name="bulk",
            field=models.BooleanField(db_default=False, default=False, verbose_name="backfill"),
        ),
        migrations.AddField(
            model_name="outboundcommand",
            name="bulk",
            field=models.BooleanField(db_default=False, default=False, verbose_name="backfill"),
        ),
        migrations.RemoveIndex(model_name="inboundevent", name="event_due"),
        migrations.RemoveIndex(model_name="outboundcommand", name="command_due"),
        migrations.AddIndex(
            model_name="inboundevent",
            index=models.Index(condition=Q(("state", "DUE")), fields=["bulk", "due_at", "id"], name="event_turn"),
        ),
        migrations.AddIndex(
            model_name="inboundevent",
            index=models.Index(condition=Q(("state", "LEASED")), fields=["due_at"], name="event_leased"),
        ),
        migrations.AddIndex(
            model_name="outboundcommand",
            index=models.Index(
                condition=Q(("state", "DUE")), fields=["connection", "bulk", "due_at", "id"], name="command_turn"
            ),
        ),
        migrations.AddIndex(
            model_name="outboundcommand",
            index=models.Index(condition=Q(("state", "LEASED")), fields=["connection", "due_at"], name="command_leased"),
        ),
        migrations.CreateModel(
            name="Breaker",
            fields=[
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="breaker",
                        serialize=False,
                        to="integration_hub.connection",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("CLOSED", "in use"), ("OPEN", "interrupted"), ("HALF_OPEN", "on trial")],
                        default="CLOSED",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(null=True, verbose_name="interrupted since")),
                ("probe_at", models.DateTimeField(null=True, verbose_name="next try")),
                ("cooldown", models.PositiveIntegerField(default=0)),
                ("successes", models.PositiveSmallIntegerField(default=0)),
                ("reason", models.JSONField(default=dict, verbose_name="reason")),
                ("window", models.JSONField(default=dict)),
                ("rest_until", models.DateTimeField(null=True, verbose_name="rests until")),
                ("next_slot_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "circuit breaker", "verbose_name_plural": "circuit breakers"},
        ),
    ]
