"""The pages of the books."""

from __future__ import annotations

from django.urls import path

from .views import procedure

urlpatterns = [
    path("books/procedure/", procedure.procedures, name="procedures"),
    path("books/procedure/draw-up/", procedure.draw_up, name="procedure_draw_up"),
    path("books/procedure/<int:version>/", procedure.procedure, name="procedure"),
    path("books/procedure/<int:version>/file/", procedure.procedure_file, name="procedure_file"),
]
