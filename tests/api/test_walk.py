"""Every address of the API as everybody, against one table: who gets in is decided here, not by accident."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounting.models import AccountRule
from exceptions import healing, jobs
from exceptions.models import Approval, ExceptionCase, Healing, How, Rule
from integration_hub.kernel.text import say
from integration_hub.models import Connection, InboundEvent, User
from inventory.models import Listing, MappingStep, Variant
from orders.aftersales.models import AfterSale
from orders.models import Order
from orders.tally import DayTally
from payments import balances
from tests.accounting import books, posted
from tests.api.conftest import Caller
from tests.inventory import stocked
from tests.payments import money

pytestmark = pytest.mark.django_db

ROLES = ("finance", "operations", "marketing", "integrator", "auditor", "administrator")
EVERYBODY = frozenset(ROLES)
ORDERS = EVERYBODY - {"marketing"}
PEOPLE = EVERYBODY - {"integrator"}
FINANCE = frozenset({"finance", "administrator"})
PAID = FINANCE | {"auditor", "operations"}

# name of the address: method and who gets past the door (others get 403, nobody 401)
TABLE: dict[str, tuple[str, frozenset[str]]] = {
    "api:order-list": ("GET", ORDERS),
    "api:order-detail": ("GET", ORDERS),
    "api:order-action": ("POST", frozenset({"finance", "operations", "administrator"})),
    "api:movement-list": ("GET", PAID),
    "api:movement-detail": ("GET", PAID),
    "api:movement-action": ("POST", FINANCE),
    "api:payout-list": ("GET", FINANCE | {"auditor"}),
    "api:payout-detail": ("GET", FINANCE | {"auditor"}),
    "api:payout-action": ("POST", FINANCE),
    "api:refund-list": ("GET", FINANCE | {"auditor"}),
    "api:refund-detail": ("GET", FINANCE | {"auditor"}),
    "api:refund-action": ("POST", FINANCE),
    "api:document-list": ("GET", PAID),
    "api:document-detail": ("GET", PAID),
    "api:document-action": ("POST", FINANCE),
    "api:dispute-list": ("GET", FINANCE | {"auditor"}),
    "api:dispute-detail": ("GET", FINANCE | {"auditor"}),
    "api:bank-line-list": ("GET", FINANCE | {"auditor"}),
    "api:bank-line-detail": ("GET", FINANCE | {"auditor"}),
    "api:open-item-list": ("GET", PAID),
    "api:open-item-detail": ("GET", PAID),
    "api:entry-list": ("GET", FINANCE | {"auditor"}),
    "api:entry-detail": ("GET", FINANCE | {"auditor"}),
    "api:entry-action": ("POST", FINANCE),
    "api:account-rule-list": ("GET", FINANCE | {"auditor"}),
    "api:account-rule-detail": ("GET", FINANCE | {"auditor"}),
    "api:export-list": ("GET", FINANCE | {"auditor"}),
    "api:export-detail": ("GET", FINANCE | {"auditor"}),
    "api:export-action": ("POST", FINANCE),
    "api:export-make": ("POST", FINANCE),
    "api:export-file": ("POST", FINANCE),
    "api:after-sale-list": ("GET", ORDERS),
    "api:after-sale-detail": ("GET", ORDERS),
    "api:after-sale-action": ("POST", frozenset({"finance", "operations", "administrator"})),
    "api:customer-list": ("GET", PEOPLE),
    "api:customer-detail": ("GET", PEOPLE),
    "api:product-list": ("GET", EVERYBODY),
    "api:product-detail": ("GET", EVERYBODY),
    "api:product-action": ("POST", frozenset({"operations", "integrator", "administrator"})),
    "api:listing-list": ("GET", ORDERS),
    "api:listing-detail": ("GET", ORDERS),
    "api:listing-action": ("POST", frozenset({"operations", "integrator", "administrator"})),
    "api:stock-level-list": ("GET", ORDERS),
    "api:stock-level-detail": ("GET", ORDERS),
    "api:stock-movement-list": ("GET", ORDERS),
    "api:stock-movement-detail": ("GET", ORDERS),
    "api:stock-reservation-list": ("GET", ORDERS),
    "api:stock-reservation-detail": ("GET", ORDERS),
    "api:stock-availability-list": ("GET", ORDERS),
    "api:stock-availability-detail": ("GET", ORDERS),
    "api:stock-drift-list": ("GET", ORDERS),
    "api:stock-drift-detail": ("GET", ORDERS),
    "api:exception-list": ("GET", ORDERS),
    "api:exception-detail": ("GET", ORDERS),
    "api:exception-action": ("POST", ORDERS - {"auditor"}),
    "api:exception-try": ("POST", frozenset({"finance", "operations", "integrator", "administrator"})),
    "api:exception-job-list": ("GET", ORDERS),
    "api:exception-job-detail": ("GET", ORDERS),
    "api:exception-job-stop": ("POST", frozenset({"administrator"})),
    "api:exception-rule-list": ("GET", ORDERS),
    "api:exception-rule-detail": ("GET", ORDERS),
    "api:exception-rule-action": ("POST", frozenset({"finance", "operations", "integrator", "administrator"})),
    "api:self-healing-list": ("GET", ORDERS),
    "api:self-healing-detail": ("GET", ORDERS),
    "api:approval-list": ("GET", ORDERS),
    "api:approval-detail": ("GET", ORDERS),
    "api:approval-action": ("POST", frozenset({"finance", "operations", "integrator", "administrator"})),
    "api:connection-list": ("GET", ORDERS),
    "api:connection-detail": ("GET", ORDERS),
    "api:statements": ("POST", frozenset({"finance", "administrator"})),
    "api:completeness-list": ("GET", ORDERS),
    "api:completeness-detail": ("GET", ORDERS),
    "api:completeness-action": ("POST", ORDERS - {"auditor"}),
    "api:event-detail": ("GET", frozenset({"operations", "integrator", "auditor", "administrator"})),
    "api:report-orders": ("POST", frozenset({"integrator", "administrator"})),
    "api:report-special-cases": ("POST", frozenset({"integrator", "administrator"})),
    "api:schema": ("GET", EVERYBODY),
    "metrics": ("GET", ORDERS),
}
OPEN = {"healthz", "readyz"}  # say nothing of anybody
SENT_TO_LOGIN = {"api:docs"}


def named(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}"


def ours() -> set[str]:
    every = set(named(get_resolver().url_patterns))
    return {name for name in every if name.startswith("api:")} | (every & {"healthz", "readyz", "metrics"})


def test_the_table_holds_every_address() -> None:
    assert ours() == TABLE.keys() | OPEN | SENT_TO_LOGIN


@pytest.fixture
def addresses(reported: Order, own_system: Connection) -> dict[str, str]:
    """An address of each name that leads to something."""
    case = ExceptionCase.objects.get()
    asker = User.objects.create_superuser("asker")
    job = jobs.for_cases("exceptions.take", [case], by=asker, data={}, key=uuid4())
    rule = Rule.objects.create(habit="closing", kind=case.kind, most=1, currency="EUR", by=asker)
    healing.record(How.DRIFT, "x", say("x"), proof={"rows": 1})
    asked = {"reason": "OTHER", "why": "asked for"}
    waits = Approval.objects.create(
        case=case, action="exceptions.dismiss", data=asked, amount=1, currency="EUR", requested_by=asker
    )
    day = DayTally.objects.create(connection=own_system, day="2026-11-20")
    paid = money.arguments()
    document = books.arguments()["document"][0]
    pot = reported.lines.exclude(variant=None).get().variant_id or 0
    listing = Listing.objects.create(connection=own_system, external_id="9", variant_id=pot, how="PERSON")
    MappingStep.objects.bulk_create(
        MappingStep(connection=own_system, external_id="9", after_id=pot, how="PERSON") for _role in ROLES
    )
    special = AfterSale.objects.create(
        order=reported, kind="REFUND", state="PROPOSED", occurred_at="2026-11-20T10:00:00Z"
    )
    stock = stocked.one_of_each(own_system, Variant.objects.get(pk=pot), reported)
    made = {
        **{f"stock-{kind}-list": f"stock/{path}/" for kind, path in stocked.PATHS.items()},
        **{f"stock-{kind}-detail": f"stock/{path}/{stock[kind]}/" for kind, path in stocked.PATHS.items()},
        "order-list": "orders/",
        "order-detail": f"orders/{reported.pk}/",
        "order-action": f"orders/{reported.pk}/actions/orders.retry/",
        "movement-list": "movements/",
        "movement-detail": f"movements/{paid['transaction'][0]}/",
        "movement-action": f"movements/{paid['transaction'][0]}/actions/payments.release/",
        "payout-list": "payouts/",
        "payout-detail": f"payouts/{paid['payout'][0]}/",
        "payout-action": f"payouts/{paid['payout'][0]}/actions/payments.accept_remainder/",
        "refund-list": "refunds/",
        "refund-detail": f"refunds/{paid['refund'][0]}/",
        "refund-action": f"refunds/{paid['refund'][0]}/actions/payments.decline_refund/",
        "document-list": "documents/",
        "document-detail": f"documents/{document}/",
        "document-action": f"documents/{document}/actions/accounting.cancel/",
        "dispute-list": "disputes/",
        "dispute-detail": f"disputes/{paid['dispute'][0]}/",
        "bank-line-list": "bank-lines/",
        "bank-line-detail": f"bank-lines/{money.bank_line().pk}/",
        "open-item-list": "open-items/",
        "open-item-detail": f"open-items/{balances.item_of(reported).pk}/",
        "after-sale-list": "after-sales/",
        "after-sale-detail": f"after-sales/{special.pk}/",
        "after-sale-action": f"after-sales/{special.pk}/actions/orders.confirm_after_sale/",
        "customer-list": "customers/",
        "customer-detail": f"customers/{reported.customer_id}/",
        "product-list": "products/",
        "product-detail": f"products/{pot}/",
        "product-action": f"products/{pot}/actions/inventory.edit/",
        "listing-list": "listings/",
        "listing-detail": f"listings/{listing.pk}/",
        "listing-action": f"listings/{listing.pk}/actions/inventory.undo/",
        "entry-list": "entries/",
        "entry-detail": f"entries/{posted.entry().pk}/",
        "entry-action": f"entries/{posted.entry().pk}/actions/accounting.reword/",
        "account-rule-list": "account-rules/",
        "account-rule-detail": f"account-rules/{AccountRule.objects.earliest('pk').pk}/",
        "export-list": "exports/",
        "export-detail": f"exports/{posted.export().pk}/",
        "export-action": f"exports/{posted.export().pk}/actions/accounting.export_again/",
        "export-make": "exports/make/",
        "export-file": f"exports/{posted.export().pk}/files/1/",
        "exception-list": "exceptions/",
        "exception-detail": f"exceptions/{case.pk}/",
        "exception-action": f"exceptions/{case.pk}/actions/exceptions.take/",
        "exception-try": f"exceptions/{case.pk}/try/exceptions.retry/",
        "exception-job-list": "exception-jobs/",
        "exception-job-detail": f"exception-jobs/{job.pk}/",
        "exception-job-stop": f"exception-jobs/{job.pk}/stop/",
        "exception-rule-list": "exception-rules/",
        "exception-rule-detail": f"exception-rules/{rule.pk}/",
        "exception-rule-action": f"exception-rules/{rule.pk}/actions/exceptions.rule_off/",
        "self-healing-list": "self-healings/",
        "self-healing-detail": f"self-healings/{Healing.objects.get().pk}/",
        "approval-list": "approvals/",
        "approval-detail": f"approvals/{waits.pk}/",
        "approval-action": f"approvals/{waits.pk}/actions/exceptions.approve/",
        "connection-list": "connections/",
        "connection-detail": "connections/laden/",
        "completeness-list": "completeness/",
        "completeness-detail": f"completeness/{day.pk}/",
        "completeness-action": f"completeness/{day.pk}/actions/completeness.again/",
        "event-detail": f"events/{InboundEvent.objects.order_by('pk').values_list('pk', flat=True)[0]}/",
        "report-orders": "reports/orders/",
        "report-special-cases": "reports/special-cases/",
        "statements": "statements/",
    }
    return {f"api:{name}": f"/api/v1/{path}" for name, path in made.items()} | {
        "api:schema": "/api/schema/",
        "metrics": "/metrics",
    }


def call(client: Client, method: str, url: str) -> int:
    body = {"data": "{}", "content_type": "application/json"} if method == "POST" else {}
    return client.generic(method, url, **body).status_code  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_where_the_table_says(caller: Caller, addresses: dict[str, str], role: str) -> None:
    client = caller(role)
    wrong = {}
    for name, (method, allowed) in TABLE.items():
        status = call(client, method, addresses[name])
        # an empty report gets in and is then found wanting
        asking = (
            "api:report-orders",
            "api:report-special-cases",
            "api:statements",
            "api:movement-action",
            "api:payout-action",
            "api:refund-action",
            "api:entry-action",
            "api:export-make",
            "api:exception-rule-action",
            "api:document-action",
        )
        over = ("api:export-action",)  # what is ready is not written again
        good = (400,) if name in asking else (409,) if name in over else (200,)
        if status not in (good if role in allowed else (403,)):
            wrong[name] = status
    assert not wrong


def test_nobody_gets_anywhere(addresses: dict[str, str]) -> None:
    statuses = {name: call(Client(), method, addresses[name]) for name, (method, _allowed) in TABLE.items()}
    assert statuses == dict.fromkeys(TABLE, 401)
    assert Client().get("/healthz").status_code == 200
    assert Client().get("/api/docs/").status_code == 302


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written_past_the_actions(caller: Caller, addresses: dict[str, str], method: str) -> None:
    client = caller("administrator")
    refused = {call(client, method, url) for url in addresses.values()}
    assert refused <= {403, 405}  # a door whose permissions name its methods refuses all others before it looks


def test_a_reporter_sees_the_fate_of_reports_only(caller: Caller, addresses: dict[str, str]) -> None:
    reporters = Group.objects.create(name="reporters")
    reporters.permissions.set(Permission.objects.filter(codename="report_orders"))
    client = caller("reporters", of="administrator")
    assert call(client, "GET", addresses["api:event-detail"]) == 404
    InboundEvent.objects.update(door="API")
    assert call(client, "GET", addresses["api:event-detail"]) == 200
