"""The pages of orders."""

from __future__ import annotations

from django.urls import include, path

from . import completeness_views, views

urlpatterns = [
    path("", include("orders.aftersales.urls")),
    path("orders/", views.order_list, name="orders"),
    path("orders/<int:pk>/", views.order_page, name="order"),
    path("orders/<int:pk>/do/<str:code>/", views.order_action, name="order_action"),
    path("completeness/", completeness_views.page, name="completeness"),
    path("completeness/<int:pk>/do/<str:code>/", completeness_views.again, name="completeness_again"),
    path("completeness/of/<int:pk>/do/<str:code>/", completeness_views.compare, name="completeness_compare"),
]
