"""The sidebar: only what the person may see, in the order of a working day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.models.access import User


@dataclass(frozen=True)
class Item:
    """One entry: what it is called, the URL name it leads to, its symbol, and the permission that shows it."""

    title: Any
    url: str
    icon: str
    permission: str = ""


GROUPS: tuple[tuple[Any, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item(_("Start"), "start", "space_dashboard"),
            Item(_("Exceptions"), "exceptions", "error", "exceptions.view_exceptioncase"),
            Item(_("Figures of exceptions"), "case_figures", "speed", "exceptions.view_exceptioncase"),
            Item(_("Orders"), "orders", "receipt_long", "orders.view_order"),
            Item(_("Special cases"), "after_sales", "assignment_return", "orders.view_aftersale"),
            Item(_("Completeness"), "completeness", "fact_check", "orders.view_daytally"),
        ),
    ),
    (
        _("Money"),
        (
            Item(_("Open items"), "open_items", "pending_actions", "payments.view_openitem"),
            Item(_("Movements"), "transactions", "payments", "payments.view_transaction"),
            Item(_("Payouts"), "payouts", "account_balance_wallet", "payments.view_payout"),
            Item(_("Refunds"), "refunds", "undo", "payments.view_refund"),
            Item(_("Disputes"), "disputes", "gavel", "payments.view_dispute"),
            Item(_("Bank lines"), "bank_lines", "account_balance", "payments.view_bankline"),
            Item(_("Fees"), "fees", "percent", "payments.view_feecheck"),
            Item(_("Bank statements"), "statements", "upload_file", "integration_hub.upload_files"),
        ),
    ),
    (
        _("Books"),
        (
            Item(_("Documents"), "documents", "description", "accounting.view_document"),
            Item(_("Number ranges"), "number_ranges", "tag", "accounting.view_numberrange"),
            Item(_("Issuing rules"), "admin:accounting_issuingrule_changelist", "rule", "accounting.view_issuingrule"),
            Item(_("Tax rates"), "admin:accounting_taxrate_changelist", "percent", "accounting.view_taxrate"),
            Item(_("Tax of articles"), "admin:accounting_goodstax_changelist", "sell", "accounting.view_goodstax"),
            Item(_("Seller data"), "admin:accounting_seller_changelist", "store", "accounting.view_seller"),
            Item(_("Postings"), "postings", "receipt", "accounting.view_posting"),
            Item(_("Account mapping"), "account_mapping", "account_tree", "accounting.view_accountrule"),
            Item(_("Export to DATEV"), "exports", "ios_share", "accounting.view_export"),
            Item(_("How the books are kept"), "books_choices", "tune", "accounting.view_choice"),
            Item(_("Month-end closing"), "months", "event_available", "accounting.view_period"),
            Item(_("Reports"), "revenue", "bar_chart", "accounting.view_period"),
            Item(_("Audit export"), "audit_export", "folder_zip", "accounting.hand_over"),
            Item(_("Procedural documentation"), "procedures", "menu_book", "accounting.view_proceduredocument"),
        ),
    ),
    (
        _("Master data"),
        (
            Item(_("Customers"), "admin:customers_customer_changelist", "group", "customers.view_customer"),
            Item(_("Products"), "admin:inventory_variant_changelist", "inventory_2", "inventory.view_variant"),
            Item(_("Stock"), "stock", "warehouse", "inventory.view_stocklevel"),
            Item(_("Map articles"), "mapping", "join_inner", "inventory.view_listing"),
            Item(_("Differences of articles"), "article_differences", "difference", "inventory.view_listing"),
            Item(_("Files of articles"), "article_files", "upload_file", "inventory.view_listing"),
            Item(_("Owners of fields"), "article_owners", "rule", "inventory.view_fieldowner"),
        ),
    ),
    (
        _("Traffic"),
        (
            Item(_("Connections"), "connections", "cable", "integration_hub.view_connection"),
            Item(
                _("Rules for special cases"),
                "admin:orders_aftersalerule_changelist",
                "rule_settings",
                "orders.view_aftersalerule",
            ),
            Item(_("Incoming"), "events", "call_received", "integration_hub.view_inboundevent"),
            Item(_("Outgoing"), "commands", "call_made", "integration_hub.view_outboundcommand"),
            Item(_("Activity"), "activity", "history", "integration_hub.view_activity"),
            Item(_("Alerts"), "alerts", "notifications", "integration_hub.view_alert"),
            Item(_("Audit trail"), "audit", "policy", "integration_hub.view_auditentry"),
        ),
    ),
    (
        _("Rules of exceptions"),
        (
            Item(
                _("Service levels"),
                "admin:exceptions_servicelevel_changelist",
                "timer",
                "exceptions.view_servicelevel",
            ),
            Item(
                _("Working hours"),
                "admin:exceptions_workcalendar_changelist",
                "calendar_month",
                "exceptions.view_workcalendar",
            ),
            Item(_("Limits"), "admin:exceptions_amountlimit_changelist", "speed", "exceptions.view_amountlimit"),
        ),
    ),
    (
        _("Access"),
        (
            Item(_("Users"), "admin:integration_hub_user_changelist", "badge", "integration_hub.view_user"),
            Item(_("API tokens"), "tokens", "key", "integration_hub.view_apitoken"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of django-unfold's sidebar for this person; what leads nowhere is left out."""
    user = request.user
    if not isinstance(user, User):
        return []
    groups = ({"title": title, "items": _items(items, user, request.path)} for title, items in GROUPS)
    return [group for group in groups if group["items"]]


def _items(items: tuple[Item, ...], user: User, path: str) -> list[dict[str, Any]]:
    shown = [item for item in items if not item.permission or user.has_perm(item.permission)]
    linked = [(item, _link(item.url)) for item in shown]
    return [
        {"title": item.title, "icon": item.icon, "link": link, "active": _is_active(link, path)}
        for item, link in linked
        if link
    ]


def _is_active(link: str, path: str) -> bool:
    return path.startswith("/start/") if link == "/" else path.startswith(link)


def _link(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def account_links(_request: HttpRequest) -> list[dict[str, Any]]:
    """What the menu under one's own name leads to."""
    return [{"title": _("Change password"), "link": reverse("admin:password_change")}]
