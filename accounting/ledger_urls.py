"""The pages of the ledger and its exports."""

from __future__ import annotations

from django.urls import path

from .views import exports, ledger

urlpatterns = [
    path("books/postings/", ledger.postings, name="postings"),
    path("books/entries/<int:pk>/", ledger.entry, name="entry"),
    path("books/entries/<int:pk>/do/<str:code>/", ledger.entry_action, name="entry_action"),
    path("books/mapping/", ledger.account_mapping, name="account_mapping"),
    path("books/mapping/do/<str:code>/", ledger.account_mapping_action, name="account_mapping_action"),
    path("books/choices/", ledger.books_choices, name="books_choices"),
    path("books/choices/<int:pk>/do/<str:code>/", ledger.books_action, name="books_action"),
    path("books/exports/", exports.exports, name="exports"),
    path("books/exports/<int:year>/<int:month>/", exports.export_month, name="export_month"),
    path("books/exports/<int:year>/<int:month>/make/", exports.export_make, name="export_make"),
    path("books/exports/<int:pk>/", exports.export, name="export"),
    path("books/exports/<int:pk>/do/<str:code>/", exports.export_action, name="export_action"),
    path("books/exports/<int:pk>/files/<int:part>/", exports.export_take, name="export_take"),
]
