"""Every address of the hub."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from integration_hub.api import health
from integration_hub.api.metrics import Metrics
from integration_hub.messaging import views as messaging

handler400 = "integration_hub.api.problems.bad_request"
handler403 = "integration_hub.api.problems.permission_denied"
handler404 = "integration_hub.api.problems.not_found"
handler500 = "integration_hub.api.problems.server_error"

urlpatterns = [
    path("api/", include("integration_hub.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("webhooks/<slug:slug>/", messaging.receive, name="webhook"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="start"),
]
