"""The pages of the books."""

from __future__ import annotations

from django.urls import path

from .views import audit, closing, documents, procedure, reports

urlpatterns = [
    path("books/months/", closing.months, name="months"),
    path("books/months/<int:year>/<int:month>/", closing.month_page, name="month"),
    path("books/months/<int:year>/<int:month>/do/<str:code>/", closing.month_action, name="month_action"),
    path("books/months/<int:year>/<int:month>/<slug:code>/", closing.month_rows, name="month_rows"),
    path("books/reports/", reports.revenue, name="revenue"),
    path("books/reports/rows/", reports.revenue_rows, name="revenue_rows"),
    path("books/reports/oss/", reports.oss, name="oss"),
    path("books/reports/fees/", reports.fees, name="fee_report"),
    path("books/audit/", audit.audit, name="audit_export"),
    path("books/procedure/", procedure.procedures, name="procedures"),
    path("books/procedure/draw-up/", procedure.draw_up, name="procedure_draw_up"),
    path("books/procedure/<int:version>/", procedure.procedure, name="procedure"),
    path("books/procedure/<int:version>/file/", procedure.procedure_file, name="procedure_file"),
    path("books/documents/", documents.documents, name="documents"),
    path("books/documents/<int:pk>/", documents.document, name="document"),
    path("books/documents/<int:pk>/file/<str:kind>/", documents.document_file, name="document_file"),
    path("books/documents/<int:pk>/do/<str:code>/", documents.document_action, name="document_action"),
    path("books/numbers/", documents.number_ranges, name="number_ranges"),
    path("books/numbers/<int:pk>/do/<str:code>/", documents.number_range_action, name="number_range_action"),
    path("books/of-order/<int:pk>/do/<str:code>/", documents.order_action, name="order_document_action"),
]
