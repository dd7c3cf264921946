"""Role -> permissions, one table.  Groups are brought in line with it after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _

LABELS = {
    "administrator": _("Administrator"),
    "finance": _("Finance"),
    "operations": _("Operations"),
    "marketing": _("Marketing"),
    "integrator": _("Integrator"),
    "auditor": _("Auditor"),
}

# for systems, not for people: what a token may do that only reports
MACHINES: dict[str, tuple[str, ...]] = {"reporter": ("integration_hub.report_orders",)}
LABELS["reporter"] = _("Reporting system")

_CASES = (
    "exceptions.assign_exceptioncase",
    "exceptions.retry_exceptioncase",
    "exceptions.comment_exceptioncase",
    "exceptions.reopen_exceptioncase",
    "exceptions.approve_exceptioncase",
    "exceptions.manage_rule",
    "integration_hub.take_alert",
)
_SEE_CASES = (
    "exceptions.view_exceptioncase",
    "exceptions.view_job",
    "exceptions.view_healing",
    "exceptions.view_rule",
    "exceptions.view_approval",
    "exceptions.view_servicelevel",
    "exceptions.view_workcalendar",
    "exceptions.view_amountlimit",
    "integration_hub.view_alert",
)
_SEE_ARTICLES = (
    "inventory.view_variant",
    "inventory.view_listing",
    "inventory.view_mappingstep",
    "inventory.view_fieldowner",
)
_SEE_ORDERS = (
    "orders.view_order",
    "orders.view_daytally",
    "orders.view_sale",
    "orders.view_shipment",
    "orders.view_aftersale",
    *_SEE_ARTICLES,
    "customers.view_customer",
)
_SEE_STOCK = (
    "inventory.view_stocklevel",
    "inventory.view_stockmovement",
    "inventory.view_reservation",
    "inventory.view_location",
    "inventory.view_channelavailability",
    "inventory.view_drift",
)
_SEE_TRAFFIC = (
    "integration_hub.view_connection",
    "integration_hub.view_inboundevent",
    "integration_hub.view_outboundcommand",
    "integration_hub.view_attempt",
    "integration_hub.view_activity",
    "integration_hub.view_externalreference",
)
_SEE_MONEY = tuple(
    f"payments.view_{name}"
    for name in ("transaction", "payout", "refund", "writeoff", "dispute", "openitem", "bankline", "feecheck")
)
_SET_MONEY = tuple(
    f"payments.{what}_{name}"
    for name in ("feecontract", "paymentterm", "numberrule")
    for what in ("view", "add", "change", "delete")
)
_SEE_BOOKS = tuple(
    f"accounting.view_{name}"
    for name in (
        "document",
        "entry",
        "posting",
        "period",
        "closing",
        "reopening",
        "account",
        "accountrule",
        "mappingversion",
        "books",
        "choice",
        "export",
        "proceduredocument",
        "numberrange",
        "series",
        "voidnumber",
        "issuingrule",
        "seller",
        "taxrate",
        "goodstax",
        "vatcheck",
        "distancesales",
        "due",
    )
)
_SET_BOOKS = (
    *(
        f"accounting.{what}_{name}"
        for name in ("numberrange", "issuingrule", "seller", "taxrate", "goodstax")
        for what in ("add", "change")
    ),
    "accounting.delete_goodstax",
    "accounting.issue_document",
    "accounting.cancel_document",
    "accounting.void_number",
)
_KEEP_BOOKS = (
    "accounting.map_accounts",
    "accounting.post_entries",
    "accounting.set_up_books",
    "accounting.make_export",
    "accounting.close_period",
    "accounting.reopen_period",
    "accounting.hand_over",
    "accounting.add_account",
    "accounting.change_account",
)
_PERSONAL = ("orders.see_personal_data",)

ROLES: dict[str, tuple[str, ...]] = {
    "finance": (
        *_SEE_STOCK,
        *_SEE_CASES,
        *_CASES,
        *_SEE_ORDERS,
        *_PERSONAL,
        "exceptions.dismiss_exceptioncase",
        "orders.waive_order",
        "orders.retry_order",
        "orders.start_aftersale",
        "integration_hub.view_connection",
        *_SEE_MONEY,
        *_SET_MONEY,
        *_SEE_BOOKS,
        *_KEEP_BOOKS,
        "payments.assign_transaction",
        "payments.explain_payout",
        "payments.request_refund",
        "payments.approve_refund",
        "payments.write_off",
        "payments.approve_write_off",
        *_SET_BOOKS,
        "payments.view_policy",
        "integration_hub.upload_files",
        "accounting.draw_up_procedure",
    ),
    "operations": (
        *_SEE_STOCK,
        "inventory.book_stock",
        "inventory.set_up_stock",
        *_SEE_CASES,
        *_CASES,
        *_SEE_ORDERS,
        *_SEE_TRAFFIC,
        *_PERSONAL,
        "exceptions.dismiss_exceptioncase",
        "orders.fix_order",
        "orders.waive_order",
        "orders.retry_order",
        "orders.start_aftersale",
        "orders.inspect_aftersale",
        "inventory.map_variant",
        "inventory.edit_variant",
        "payments.view_openitem",
        "payments.view_transaction",
        "payments.request_refund",
        "accounting.view_document",
    ),
    "marketing": ("customers.view_customer", "inventory.view_variant"),
    "integrator": (
        *_SEE_STOCK,
        "inventory.set_up_stock",
        *_SEE_CASES,
        *_CASES,
        "exceptions.dismiss_exceptioncase",
        "orders.view_order",
        "orders.view_daytally",
        *_SEE_ARTICLES,
        "inventory.map_variant",
        "inventory.edit_variant",
        "inventory.own_fields",
        "orders.view_aftersale",
        "orders.view_aftersalerule",
        "orders.add_aftersalerule",
        "orders.change_aftersalerule",
        "orders.delete_aftersalerule",
        *_SEE_TRAFFIC,
        "integration_hub.add_connection",
        "integration_hub.change_connection",
        "integration_hub.check_connection",
        "integration_hub.change_alertchannel",
        "integration_hub.change_alertrule",
        "integration_hub.view_apitoken",
        "integration_hub.add_apitoken",
        "integration_hub.delete_apitoken",
        "integration_hub.report_orders",
    ),
    "auditor": (
        *_SEE_STOCK,
        *_SEE_CASES,
        *_SEE_ORDERS,
        *_SEE_MONEY,
        *_SEE_BOOKS,
        "accounting.hand_over",
        *_SEE_TRAFFIC,
        *_PERSONAL,
        "integration_hub.view_apitoken",
        "integration_hub.view_auditentry",
    ),
    "administrator": ("*",),
}


def sync(sender: AppConfig | None = None, **_kwargs: Any) -> None:
    """Bring the groups in line with the table; permissions of apps migrated later come with their own signal."""
    for role, wanted in (ROLES | MACHINES).items():
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set(_permissions(wanted))


def _permissions(wanted: tuple[str, ...]) -> list[Permission]:
    every = {
        f"{row.content_type.app_label}.{row.codename}": row for row in Permission.objects.select_related("content_type")
    }
    if wanted == ("*",):
        return list(every.values())
    return [every[name] for name in wanted if name in every]
