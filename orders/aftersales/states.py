"""The states of a special case, the moves between them, and how much it decides by itself."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleStage
from integration_hub.kernel.states import Moves


class AfterSaleState(models.TextChoices):
    """Decided: where the process stands."""

    UNTIED = "UNTIED", _("not tied to an order or line")  # a case with candidates is open
    RECORDED = "RECORDED", _("only recorded")  # known; the hub does nothing about it
    PROPOSED = "PROPOSED", _("proposed")  # a person confirms
    ANNOUNCED = "ANNOUNCED", _("announced")  # goods are on their way back
    ARRIVED = "ARRIVED", _("arrived, to be inspected")
    RUNNING = "RUNNING", _("being carried out")
    DONE = "DONE", _("done")
    DECLINED = "DECLINED", _("declined")


S = AfterSaleState
MOVES: Moves = {
    S.UNTIED: frozenset({S.RECORDED, S.PROPOSED, S.ANNOUNCED, S.ARRIVED, S.RUNNING, S.DECLINED}),
    S.RECORDED: frozenset({S.PROPOSED, S.DECLINED}),
    S.PROPOSED: frozenset({S.RECORDED, S.ANNOUNCED, S.ARRIVED, S.RUNNING, S.DECLINED}),
    S.ANNOUNCED: frozenset({S.ARRIVED, S.DECLINED}),
    S.ARRIVED: frozenset({S.RUNNING}),
    S.RUNNING: frozenset({S.DONE, S.DECLINED, S.ANNOUNCED}),  # back only while no target has taken it
    S.DONE: frozenset({S.RUNNING}),  # a refund that failed, a parcel that came back
    S.DECLINED: frozenset({S.PROPOSED}),
}
OPEN = (S.UNTIED, S.PROPOSED, S.ANNOUNCED, S.ARRIVED, S.RUNNING)
# from here on quantities of the order's lines are taken up by the process
TAKING = (S.ANNOUNCED, S.ARRIVED, S.RUNNING, S.DONE)

KINDS = {
    AfterSaleKind.CANCELLATION: _("Cancellation"),
    AfterSaleKind.PARTIAL_DELIVERY: _("Partial delivery"),
    AfterSaleKind.RETURN: _("Return"),
    AfterSaleKind.EXCHANGE: _("Exchange"),
    AfterSaleKind.REFUND: _("Refund"),
    AfterSaleKind.DISCOUNT: _("Later discount"),
    AfterSaleKind.VOUCHER: _("Voucher"),
    AfterSaleKind.ADDRESS_CHANGE: _("Change of address"),
    AfterSaleKind.EDIT: _("Change of the order"),
}
RETURNING = (AfterSaleKind.RETURN, AfterSaleKind.EXCHANGE)


class Mode(models.TextChoices):
    """How much the hub does by itself."""

    RECORD = "RECORD", _("only record")
    PROPOSE = "PROPOSE", _("propose, a person confirms")
    AUTOMATIC = "AUTOMATIC", _("automatic")


class Wins(models.TextChoices):
    """Who is right when two systems contradict each other."""

    ASK = "ASK", _("ask")
    SHOP = "SHOP", _("the shop")
    ERP = "ERP", _("the ERP")


# what moves money or goods is proposed, what only states a fact runs by itself
DEFAULT_MODES = dict.fromkeys(AfterSaleKind, Mode.PROPOSE) | {
    AfterSaleKind.PARTIAL_DELIVERY: Mode.AUTOMATIC,
    AfterSaleKind.VOUCHER: Mode.RECORD,
}

# where a process begins that is reported in this stage and may run
FIRST = {
    AfterSaleStage.REQUESTED: S.PROPOSED,
    AfterSaleStage.ANNOUNCED: S.ANNOUNCED,
    AfterSaleStage.RECEIVED: S.ARRIVED,
    AfterSaleStage.DONE: S.RUNNING,
    AfterSaleStage.DECLINED: S.DECLINED,
}


class Outcome(models.TextChoices):
    """What an inspection found of a returned piece."""

    UNDECIDED = "", _("to be inspected")
    RESTOCK = "RESTOCK", _("back into stock")
    WRITE_OFF = "WRITE_OFF", _("written off")
