"""Addresses of the exception list."""

from __future__ import annotations

from django.urls import path

from .views import approvals, bulk, case, guide, healed, jobs, listing, rules, saved

urlpatterns = [
    path("", listing.exceptions, name="exceptions"),
    path("bulk/", bulk.bulk, name="exceptions-bulk"),
    path("help/", guide.contents, name="exceptions-help"),
    path("help/<slug:kind>/", guide.topic, name="exceptions-help-topic"),
    path("approvals/", approvals.listing, name="exceptions-approvals"),
    path("approvals/<int:pk>/<str:code>/", approvals.act, name="exceptions-approval-act"),
    path("healed/", healed.healed, name="exceptions-healed"),
    path("jobs/", jobs.listing, name="exceptions-jobs"),
    path("jobs/<int:pk>/", jobs.job, name="exceptions-job"),
    path("jobs/<int:pk>/progress/", jobs.progress, name="exceptions-job-progress"),
    path("jobs/<int:pk>/stop/", jobs.stop, name="exceptions-job-stop"),
    path("rules/", rules.listing, name="exceptions-rules"),
    path("rules/make/", rules.take_up, name="exceptions-rule-make"),
    path("rules/<int:pk>/", rules.versions, name="exceptions-rule"),
    path("rules/<int:pk>/<str:code>/", rules.act, name="exceptions-rule-act"),
    path("views/", saved.save, name="exceptions-view-save"),
    path("views/<int:pk>/delete/", saved.delete, name="exceptions-view-delete"),
    path("<int:pk>/", case.exception, name="exception"),
    path("<int:pk>/progress/", case.progress, name="exception-progress"),
    path("<int:pk>/affected/", case.objects, name="exception-affected"),
    path("<int:pk>/do/<str:code>/", case.act, name="exception-act"),
    path("<int:pk>/try/<str:code>/", case.try_out, name="exception-try"),
    path("<int:pk>/lookup/<str:code>/<slug:field>/", case.lookup, name="exception-lookup"),
]
