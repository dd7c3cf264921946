"""Every address of the hub."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from integration_hub.api import health, pages
from integration_hub.api.metrics import Metrics
from integration_hub.backoffice import language
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
    path("exceptions/", include("exceptions.urls")),
    path("admin/", RedirectView.as_view(pattern_name="start")),
    path("admin/", admin.site.urls),
    path("language/", language.choose, name="set_language"),
    path("tokens/", pages.listing, name="tokens"),
    path("tokens/new/", pages.issue, name="token_issue"),
    path("tokens/<str:digest>/revoke/", pages.revoke, name="token_revoke"),
    path("", include("inventory.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("", include("accounting.urls")),
    path("", include("accounting.ledger_urls")),
    path("", include("integration_hub.dashboards.urls")),
]
