"""Every address of the hub."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from integration_hub.messaging import views as messaging

urlpatterns = [
    path("webhooks/<slug:slug>/", messaging.receive, name="webhook"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="start"),
]
