"""Addresses of the exception list."""

from __future__ import annotations

from django.urls import path

from .views import bulk, case, guide, listing, saved

urlpatterns = [
    path("", listing.exceptions, name="exceptions"),
    path("bulk/", bulk.bulk, name="exceptions-bulk"),
    path("bulk/result/", bulk.result, name="exceptions-result"),
    path("help/", guide.contents, name="exceptions-help"),
    path("help/<slug:kind>/", guide.topic, name="exceptions-help-topic"),
    path("views/", saved.save, name="exceptions-view-save"),
    path("views/<int:pk>/delete/", saved.delete, name="exceptions-view-delete"),
    path("<int:pk>/", case.exception, name="exception"),
    path("<int:pk>/progress/", case.progress, name="exception-progress"),
    path("<int:pk>/affected/", case.objects, name="exception-affected"),
    path("<int:pk>/do/<str:code>/", case.act, name="exception-act"),
    path("<int:pk>/lookup/<str:code>/<slug:field>/", case.lookup, name="exception-lookup"),
]
