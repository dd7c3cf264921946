"""The pages of special cases."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("special/", views.worklist, name="after_sales"),
    path("special/<int:pk>/", views.page, name="after_sale"),
    path("special/<int:pk>/do/<str:code>/", views.act, name="after_sale_action"),
    path("special/do/<str:code>/", views.bulk, name="after_sales_bulk"),
]
