"""The pages of money."""

from __future__ import annotations

from django.urls import path

from .views import lists, pages

urlpatterns = [
    path("money/open/", pages.open_items, name="open_items"),
    path("money/movements/", lists.transactions, name="transactions"),
    path("money/movements/<int:pk>/", pages.transaction, name="transaction"),
    path("money/movements/<int:pk>/do/<str:code>/", pages.transaction_action, name="transaction_action"),
    path("money/payouts/", lists.payouts, name="payouts"),
    path("money/payouts/<int:pk>/", pages.payout, name="payout"),
    path("money/payouts/<int:pk>/do/<str:code>/", pages.payout_action, name="payout_action"),
    path("money/refunds/", lists.refunds, name="refunds"),
    path("money/refunds/<int:pk>/", pages.refund, name="refund"),
    path("money/refunds/<int:pk>/do/<str:code>/", pages.refund_action, name="refund_action"),
    path("money/write-offs/<int:pk>/do/<str:code>/", pages.write_off_action, name="write_off_action"),
    path("money/disputes/", lists.disputes, name="disputes"),
    path("money/disputes/<int:pk>/", pages.dispute, name="dispute"),
    path("money/bank/", lists.bank_lines, name="bank_lines"),
    path("money/fees/", lists.fee_list, name="fees"),
    path("money/of-order/<int:pk>/do/<str:code>/", pages.order_action, name="order_money_action"),
]
