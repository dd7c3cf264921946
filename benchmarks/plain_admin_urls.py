"""The models and pages of the yardstick: unmanaged models over the hub's tables, in Django's own admin."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.urls import path


class Order(models.Model):
    number = models.CharField(max_length=60)
    placed_at = models.DateTimeField()
    state = models.CharField(max_length=10)
    total = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=3)

    class Meta:
        app_label, managed, db_table = "contenttypes", False, "orders_order"


class Activity(models.Model):
    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    system = models.CharField(max_length=80)

    class Meta:
        app_label, managed, db_table = "contenttypes", False, "integration_hub_activity"


class Case(models.Model):
    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10)

    class Meta:
        app_label, managed, db_table = "contenttypes", False, "exceptions_exceptioncase"


class Orders(admin.ModelAdmin):
    list_display = ("number", "placed_at", "state", "total", "currency")


class Activities(admin.ModelAdmin):
    list_display = ("at", "action", "system")


class Cases(admin.ModelAdmin):
    list_display = ("kind", "cause", "amount", "due_at", "state")


SITE = admin.AdminSite()
SITE.register(Order, Orders)
SITE.register(Activity, Activities)
SITE.register(Case, Cases)
PAGES = {
    "orders": Orders(Order, SITE),
    "activity": Activities(Activity, SITE),
    "exceptions": Cases(Case, SITE),
}
urlpatterns = [path("admin/", SITE.urls)]
