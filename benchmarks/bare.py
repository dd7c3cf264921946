"""The yardstick of intake: a Django project of one view that checks the same HMAC and makes one INSERT."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from integration_hub import embedded

if not settings.configured:
    settings.configure(
        SECRET_KEY="yardstick",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        DATABASES={
            "default": embedded.parse(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}
        },
    )
SECRET = b"bench-secret"


def receive(request: HttpRequest) -> HttpResponse:
    wanted = base64.b64encode(hmac.digest(SECRET, request.body, hashlib.sha256)).decode()
    if not hmac.compare_digest(wanted, request.headers.get("X-WC-Webhook-Signature", "")):
        return HttpResponse(status=401)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_event (topic, body) VALUES (%s, %s)",
            [request.headers["X-WC-Webhook-Topic"], request.body],
        )
    return HttpResponse(b"{}", content_type="application/json", headers={"Content-Length": "2"})


urlpatterns = [path("webhooks/laden/", receive)]
application = get_wsgi_application()
