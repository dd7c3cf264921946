"""The addresses under /api/."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounting.api import DocumentViewSet
from accounting.ledger_api import EntryViewSet, ExportViewSet, RuleViewSet
from customers.api import CustomerViewSet
from exceptions.api import ExceptionViewSet
from exceptions.jobs_api import ApprovalViewSet, JobViewSet
from exceptions.rules_api import HabitRuleViewSet, HealingViewSet
from inventory.api import ListingViewSet, ProductViewSet
from inventory.stock_api import (
    AvailabilityViewSet,
    DriftViewSet,
    LevelViewSet,
    ReservationViewSet,
    StockMovementViewSet,
)
from orders.aftersales.api import AfterSaleViewSet
from orders.api import OrderViewSet
from orders.completeness_api import CompletenessViewSet
from payments.api import (
    BankLineViewSet,
    DisputeViewSet,
    MovementViewSet,
    OpenItemViewSet,
    PayoutViewSet,
    RefundViewSet,
)

from .connections import ConnectionViewSet
from .events import EventViewSet
from .reports import ReportOrders
from .special_reports import ReportSpecialCases
from .statements import UploadStatements

app_name = "api"

_router = SimpleRouter()
_router.register("orders", OrderViewSet, "order")
_router.register("after-sales", AfterSaleViewSet, "after-sale")
_router.register("movements", MovementViewSet, "movement")
_router.register("payouts", PayoutViewSet, "payout")
_router.register("refunds", RefundViewSet, "refund")
_router.register("disputes", DisputeViewSet, "dispute")
_router.register("bank-lines", BankLineViewSet, "bank-line")
_router.register("open-items", OpenItemViewSet, "open-item")
_router.register("documents", DocumentViewSet, "document")
_router.register("entries", EntryViewSet, "entry")
_router.register("account-rules", RuleViewSet, "account-rule")
_router.register("exports", ExportViewSet, "export")
_router.register("customers", CustomerViewSet, "customer")
_router.register("products", ProductViewSet, "product")
_router.register("listings", ListingViewSet, "listing")
_router.register("exceptions", ExceptionViewSet, "exception")
_router.register("exception-jobs", JobViewSet, "exception-job")
_router.register("exception-rules", HabitRuleViewSet, "exception-rule")
_router.register("self-healings", HealingViewSet, "self-healing")
_router.register("approvals", ApprovalViewSet, "approval")
_router.register("connections", ConnectionViewSet, "connection")
_router.register("completeness", CompletenessViewSet, "completeness")
_router.register("stock/levels", LevelViewSet, "stock-level")
_router.register("stock/movements", StockMovementViewSet, "stock-movement")
_router.register("stock/reservations", ReservationViewSet, "stock-reservation")
_router.register("stock/availability", AvailabilityViewSet, "stock-availability")
_router.register("stock/drifts", DriftViewSet, "stock-drift")
_router.register("events", EventViewSet, "event")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(_router.urls)),
    path("v1/reports/orders/", ReportOrders.as_view(), name="report-orders"),
    path("v1/reports/special-cases/", ReportSpecialCases.as_view(), name="report-special-cases"),
    path("v1/statements/", UploadStatements.as_view(), name="statements"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", login_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"),
]
