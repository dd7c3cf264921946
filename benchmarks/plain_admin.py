"""A stock Django admin over the same tables, as a yardstick for the hub's pages: ``python -m benchmarks.plain_admin``.

A process of its own with nothing of ours in it: Django's own admin with its templates, its lists of a hundred rows, and its
counts.  Prints the milliseconds of each request as JSON, by table.
"""

from __future__ import annotations

import json
import os
import sys
import time

import django
from django.conf import settings

from integration_hub import embedded

ROUNDS = 8
LONGEST = 60.0  # seconds per table; a count of ten million rows takes its time
TABLES = {"orders": "orders_order", "activity": "integration_hub_activity", "exceptions": "exceptions_exceptioncase"}


def configure() -> None:
    settings.configure(
        DATABASES={"default": embedded.parse(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": None}},
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF="benchmarks.plain_admin_urls",
        SECRET_KEY="only for a benchmark",
        STATIC_URL="/static/",
        USE_TZ=True,
    )
    django.setup()


def measure() -> dict[str, list[float]]:
    from django.contrib.auth.models import User  # noqa: PLC0415  settings first
    from django.test import RequestFactory  # noqa: PLC0415

    from benchmarks import plain_admin_urls  # noqa: PLC0415

    took: dict[str, list[float]] = {}
    for name, page in plain_admin_urls.PAGES.items():
        began = time.perf_counter()
        while len(took.setdefault(name, [])) < ROUNDS and (
            time.perf_counter() - began < LONGEST or len(took[name]) < 2
        ):
            request = RequestFactory().get("/")
            request.user = User(username="bench", is_superuser=True, is_staff=True, is_active=True)
            started = time.perf_counter()
            page.changelist_view(request).render()
            took[name].append(1000 * (time.perf_counter() - started))
    return took


if __name__ == "__main__":
    configure()
    json.dump(measure(), sys.stdout)
