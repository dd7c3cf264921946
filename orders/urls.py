"""The pages of orders."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/<int:pk>/", views.order_page, name="order"),
    path("orders/<int:pk>/do/<str:code>/", views.order_action, name="order_action"),
]
