"""The hub on one page: report -> handlers (and who takes many at once); news -> reactions; commands; kinds of case, looks of what they hold up; lanes of work and what runs when."""

from __future__ import annotations

from datetime import time, timedelta

from django.utils.translation import gettext_lazy as _

import accounting.books
import accounting.cases
import accounting.handlers
import accounting.invariants
import accounting.ledger_cases
import accounting.ledger_invariants
import accounting.panel
import accounting.states
import exceptions.invariants
import exceptions.jobs
import exceptions.levels
import exceptions.models
import exceptions.rules
import inventory.cases
import inventory.invariants
import inventory.models
import inventory.services
import inventory.stock_cases
import orders.aftersales.cases
import orders.aftersales.check
import orders.aftersales.handlers
import orders.aftersales.states
import orders.batch
import orders.cases
import orders.catchup
import orders.commands
import orders.completeness
import orders.completeness_cases
import orders.edits
import orders.erp
import orders.explaining
import orders.habits
import orders.handlers
import orders.invariants
import orders.panels
import orders.replacements
import orders.silence
import orders.states
import orders.stock
import orders.stock_cases
import orders.summary
import payments.aftersales
import payments.balances
import payments.cases
import payments.chores
import payments.handlers
import payments.invariants
import payments.panel
import payments.refunds
import payments.states
import payments.summary
import payments.telling
from accounting.services import cockpit, due, exporting, files, finding, posting, vat_ids
from exceptions import explaining as outlooks
from exceptions import habits, kinds, subjects
from integration_hub import roles
from integration_hub.api import alert_figures
from integration_hub.backoffice import invariants, seals, words
from integration_hub.dashboards import panels, rollup
from integration_hub.kernel import aftersales, funds, goods, messages
from integration_hub.messaging import (
    bulk,
    cases,
    dispatch,
    explaining,
    inbox,
    outbox,
    polling,
    pump,
    schedules,
    switches,
    verification,
)
from integration_hub.messaging import invariants as messaging_invariants
from integration_hub.messaging.alerts import actions as alert_actions
from integration_hub.messaging.alerts import delivery as alert_delivery
from integration_hub.messaging.alerts import rules as alert_rules
from integration_hub.messaging.alerts import watch as alert_watch
from integration_hub.messaging.dispatch import Many, Verb
from integration_hub.messaging.schedules import Task
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import Door
from integration_hub.models.outbound import Outcome
from integration_hub.processes import PROCESSES
from inventory.services import alarms, comparison, levels, places, push, recording, watch
from orders.aftersales import commands as after_sale
from orders.aftersales import steps

REPORTS: dict[type, list[dispatch.Handler]] = {
    messages.OrderReport: [orders.handlers.order_reported],
    messages.OrderGone: [orders.handlers.order_gone],
    messages.SaleReport: [orders.handlers.sale_reported],
    goods.ProductReport: [inventory.services.record],
    goods.ProductGone: [inventory.services.gone],
    aftersales.AfterSaleReport: [orders.aftersales.handlers.reported],
    goods.LocationReport: [places.reported],
    goods.StockReport: [levels.report],
    messages.SubscriptionReport: [orders.handlers.subscription_reported],
    funds.TransactionReport: [payments.handlers.transaction_reported],
    funds.PayoutReport: [payments.handlers.payout_reported],
    funds.DisputeReport: [payments.handlers.dispute_reported],
    funds.StatementReport: [payments.handlers.statement_reported],
}

BATCHES: dict[type, dispatch.BatchHandler] = {
    messages.OrderReport: orders.batch.record_new,
    funds.TransactionReport: payments.handlers.transactions_reported,
}

NEWS: dict[type, list[dispatch.Reaction]] = {
    messages.ProductKnown: [watch.products_known, orders.handlers.products_known],
    messages.StockMoved: [orders.handlers.stock_moved],
    messages.OrderAccepted: [
        orders.commands.write_sales,
        payments.telling.order_accepted,
        accounting.handlers.orders_accepted,
    ],
    messages.AfterSaleMoneyDue: [payments.aftersales.money_due],
    messages.OrderMoneyChanged: [
        payments.telling.money_changed,
        payments.aftersales.paid_up,
        accounting.handlers.money_changed,
    ],
    messages.SaleRecorded: [
        orders.commands.tell_accepted,
        orders.replacements.written,
        payments.telling.sale_recorded,
        orders.aftersales.handlers.sales_recorded,
    ],
    messages.ShipmentRecorded: [
        orders.commands.tell_shipped,
        orders.replacements.shipped,
        accounting.handlers.shipments_recorded,
    ],
    messages.SaleCancelled: [orders.commands.tell_cancelled],
    messages.AfterSaleMoved: [
        orders.handlers.after_sales_moved,
        orders.replacements.moved,
        orders.edits.moved,
        payments.aftersales.exchanged,
        accounting.handlers.after_sales_moved,
    ],
    messages.DocumentIssued: [
        accounting.handlers.documents_issued,
        accounting.books.documents_issued,
        posting.documents_issued,
    ],
}

VERBS = {
    "sale.write": Verb(
        orders.commands.build_sale,
        orders.erp.sale_written,
        _("Write the order to the ERP"),
        wanted=orders.commands.sale_wanted,
        many=Many(orders.commands.build_sales, orders.erp.sales_written),
    ),
    "shop.accepted": Verb(
        orders.commands.build_accepted,
        orders.commands.told,
        _("Tell the shop the ERP's number"),
        many=Many(orders.commands.build_all_accepted, orders.commands.all_told),
    ),
    "shop.shipped": Verb(orders.commands.build_shipped, orders.commands.told, _("Tell the shop about the shipment")),
    "shop.cancelled": Verb(
        orders.commands.build_cancelled, orders.commands.told, _("Tell the shop about the cancellation")
    ),
    payments.refunds.SEND: Verb(payments.refunds.build, payments.refunds.sent, _("Refund at the provider")),
    payments.telling.TELL: Verb(
        payments.telling.build_tell, payments.telling.told, _("Tell the shop how the order stands with its money")
    ),
    payments.telling.REGISTER: Verb(
        payments.telling.build_register, payments.telling.told, _("Register the payment in the ERP")
    ),
    push.VERB: Verb(push.build, push.done, _("Tell the shop what it may sell")),
}

VERBS |= {
    steps.CANCEL_SALE: Verb(after_sale.build_cancel_sale, after_sale.written, _("Cancel the sale in the ERP")),
    steps.WRITE_RETURN: Verb(after_sale.build_return, after_sale.written, _("Book the return in the ERP")),
    steps.REFUNDED: Verb(after_sale.build_refunded, after_sale.written, _("Note the refund in the shop")),
    steps.CANCEL_ORDER: Verb(after_sale.build_cancel_order, after_sale.written, _("Cancel the order in the shop")),
    steps.RETURNED: Verb(after_sale.build_returned, after_sale.written, _("Tell the shop that the goods are back")),
    steps.EXCHANGED: Verb(after_sale.build_exchanged, after_sale.written, _("Tell the shop what is sent instead")),
    steps.PARCEL: Verb(after_sale.build_parcel, after_sale.written, _("Tell the shop about a parcel of a replacement")),
}

VERBS |= {
    accounting.books.WRITE: Verb(
        accounting.books.build, accounting.books.written, _("Write the document to the accounting system")
    ),
}

INVARIANTS = (
    *messaging_invariants.INVARIANTS,
    *seals.INVARIANTS,
    *exceptions.invariants.INVARIANTS,
    *inventory.invariants.INVARIANTS,
    *orders.invariants.INVARIANTS,
    *payments.invariants.INVARIANTS,
    *accounting.ledger_invariants.INVARIANTS,
    *accounting.invariants.INVARIANTS,
)

KINDS = (
    *cases.KINDS,
    *inventory.cases.KINDS,
    *orders.cases.KINDS,
    *orders.aftersales.cases.KINDS,
    *orders.completeness_cases.KINDS,
    *orders.silence.KINDS,
    *payments.cases.KINDS,
    *accounting.ledger_cases.KINDS,
    *accounting.cases.KINDS,
    *inventory.stock_cases.KINDS,
    *orders.stock_cases.KINDS,
    *alert_actions.KINDS,
    verification.kind(INVARIANTS),
)

FACES = (orders.summary.FACE, *inventory.cases.FACES, *inventory.stock_cases.FACES, *payments.summary.FACES)

EXPLAINERS = (orders.explaining.explain, explaining.explain)
# sections of the start pages that the floors below fill
PANELS = (
    panels.Panel(
        roles=frozenset({"finance"}),
        permission="accounting.view_period",
        template="accounting/_month_panel.html",
        facts=lambda _user: cockpit.status(),
    ),
)

LANES = {
    "in": inbox.process,
    "out": outbox.deliver,
    "bulk_in": inbox.process_bulk,
    "bulk_out": outbox.deliver_bulk,
    "poll": polling.work,
    "catchup": bulk.as_bulk(orders.catchup.work),
    "duty": schedules.work,
    orders.completeness.LANE: orders.completeness.work,
    "stock": watch.work,
    "jobs": lambda: exceptions.jobs.work() or exceptions.rules.work(),
    comparison.LANE: comparison.work,
    alert_delivery.LANE: alert_delivery.work,
    finding.LANE: posting.work,
    exporting.LANE: exporting.work,
    due.LANE: due.work,
}

TASKS = (
    Task(name="completeness", label=_("Compare shops, hub and ERP"), at=time(3), run=orders.completeness.nightly),
    Task(
        name="differences",
        label=_("Look whether differences are gone"),
        every=timedelta(minutes=5),
        run=orders.completeness.follow_up,
    ),
    Task(
        name="sides", label=_("Compare the states of shop and ERP"), at=time(3, 30), run=orders.aftersales.check.nightly
    ),
    Task(name="silence", label=_("Look for silent shops"), every=timedelta(minutes=5), run=orders.silence.look),
    Task(
        name="payments_match",
        label=_("Look for the orders of payments"),
        every=timedelta(minutes=1),
        run=payments.chores.find_orders,
    ),
    Task(
        name="payments_balances",
        label=_("Bring open items up to date"),
        every=timedelta(minutes=1),
        run=payments.chores.bring_up_to_date,
    ),
    Task(
        name="payouts",
        label=_("Look after payouts and bank lines"),
        every=timedelta(hours=1),
        run=payments.chores.look_after,
    ),
    Task(
        name="ledger",
        label=_("Look for what is to be posted"),
        every=timedelta(minutes=1),
        run=finding.look,
    ),
    Task(
        name="ledger_changed",
        label=_("Look whether what is posted has changed"),
        every=timedelta(hours=1),
        run=finding.look_back,
    ),
    Task(
        name="stock",
        label=_("Cover back-orders, let go of what has expired, look for stock troubles"),
        every=timedelta(minutes=5),
        run=watch.tidy,
    ),
    Task(
        name="stock_orders",
        label=_("Let orders under way hold their goods"),
        every=timedelta(minutes=5),
        run=orders.stock.take_up,
    ),
    Task(name="stocktake", label=_("Compare the stock of every system"), at=time(2), run=comparison.nightly),
    Task(
        name="confirmed",
        label=_("Look for stock levels nobody confirms"),
        every=timedelta(hours=1),
        run=alarms.hourly,
    ),
    Task(
        name=exceptions.levels.DUTY,
        label=_("Reckon due times of exceptions anew"),
        at=time(4),
        run=exceptions.levels.weigh_all,
    ),
    Task(name="stock_nightly", label=_("Look for idle stock"), at=time(1, 30), run=alarms.nightly),
    Task(
        name="figures",
        label=_("Count what ran by the hour and the day"),
        every=timedelta(minutes=1),
        run=rollup.run,
    ),
    Task(
        name="alerts",
        label=_("Look what people must be told"),
        every=timedelta(minutes=1),
        run=alert_watch.look,
    ),
    Task(name="seal", label=_("Seal the audit trail"), every=timedelta(minutes=1), run=seals.seal),
    Task(name="vat_ids", label=_("Ask the register of VAT ids"), every=timedelta(hours=1), run=vat_ids.ask),
    Task(name="document_files", label=_("Make PDFs of new documents"), every=timedelta(minutes=1), run=files.make),
    Task(name="documents", label=_("Try failed documents again"), every=timedelta(minutes=5), run=due.retry),
    Task(
        name="documents_due", label=_("Look for orders that are to be billed"), every=timedelta(hours=1), run=due.sweep
    ),
    *verification.tasks(INVARIANTS),
)

# what codes in stored sentences are called
TERMS = (
    dict(orders.states.OrderState.choices)
    | dict(orders.states.Payment.choices)
    | payments.states.TERMS
    | dict(orders.aftersales.states.AfterSaleState.choices)
    | {kind.value: label for kind, label in orders.aftersales.states.KINDS.items()}
    | {f"close:{code}": label for code, label in exceptions.models.CloseCode.choices}
    | {f"waits:{code}": label for code, label in exceptions.models.Waits.choices}
    | dict(Door.choices)
    | dict(ConnectionState.choices)
    | dict(Outcome.choices)
    | dict(accounting.states.DocumentKind.choices)
    | dict(accounting.states.Issuer.choices)
    | dict(inventory.models.Field.choices)
    | dict(inventory.models.Owner.choices)
    | {code: verb.title for code, verb in VERBS.items()}
    | {f"process:{process.code}": process.label for process in PROCESSES}
    | {f"role:{code}": label for code, label in roles.LABELS.items()}
)


def connect() -> None:
    """Put the tables where the lower floors look for them."""
    dispatch.connect(REPORTS, NEWS, VERBS, BATCHES)
    kinds.register(KINDS, teams=roles.LABELS)
    subjects.register(FACES)
    outlooks.register(EXPLAINERS)
    habits.register((*habits.HABITS, *orders.habits.HABITS))
    panels.register(PANELS)
    orders.panels.register([payments.panel.PANEL, accounting.panel.PANEL])
    switches.register(PROCESSES)
    invariants.register(INVARIANTS)
    alert_rules.register(alert_figures.FIGURES, alert_figures.DEFAULTS)
    schedules.register(TASKS)
    words.learn(TERMS)
    polling.register_goods(recording.still_listed)
    for lane, work in LANES.items():
        pump.register(lane, work)
