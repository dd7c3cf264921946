"""The pages of articles."""

from __future__ import annotations

from django.urls import path

from . import article_views, file_views, mapping_views, stock_setup_views, stock_views

urlpatterns = [
    path("articles/<int:pk>/", article_views.article, name="article"),
    path("articles/<int:pk>/do/<str:code>/", article_views.article_action, name="article_action"),
    path("articles/owners/", article_views.owners, name="article_owners"),
    path("articles/owners/<int:pk>/", article_views.own, name="article_own"),
    path("articles/mapping/lookup/<slug:field>/", mapping_views.lookup, name="article_lookup"),
    path("articles/differences/", mapping_views.differences, name="article_differences"),
    path("articles/files/", file_views.files, name="article_files"),
    path("articles/files/<slug:kind>/export/", file_views.export, name="article_export"),
    path("articles/files/<slug:kind>/check/", file_views.check, name="article_check"),
    path("articles/files/<slug:kind>/apply/", file_views.apply, name="article_apply"),
    path("articles/mapping/", mapping_views.mapping, name="mapping"),
    path("articles/mapping/confirm/", mapping_views.confirm, name="mapping_confirm"),
    path("articles/mapping/history/", mapping_views.history, name="mapping_history"),
    path("articles/mapping/<int:pk>/", mapping_views.listing_page, name="listing"),
    path("stock/", stock_views.stock_list, name="stock"),
    path("stock/<int:pk>/", stock_views.stock_of, name="stock_of"),
    path("stock/<int:pk>/do/<str:code>/", stock_views.stock_action, name="stock_action"),
    path("stock/level/<int:pk>/", stock_views.level, name="stock_level"),
    path("stock/ledger/", stock_views.ledger, name="stock_ledger"),
    path("stock/risk/", stock_views.risk, name="stock_risk"),
    path("stock/locations/", stock_setup_views.locations, name="stock_locations"),
    path("stock/locations/<int:pk>/do/<str:code>/", stock_setup_views.location_action, name="stock_location_action"),
    path("stock/places/<int:pk>/do/<str:code>/", stock_setup_views.place_action, name="stock_place_action"),
    path("stock/channels/", stock_setup_views.channels, name="stock_channels"),
    path("stock/channels/<int:pk>/", stock_setup_views.channel, name="stock_channel"),
    path("stock/channels/<int:pk>/do/<str:code>/", stock_setup_views.channel_action, name="stock_channel_action"),
    path("articles/mapping/<int:pk>/do/<str:code>/", mapping_views.listing_action, name="listing_action"),
]
