"""The business processes a merchant switches on per sales channel, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from integration_hub.connectors.base import Role
from orders.commands import STATUS_TO_SHOP
from orders.services import ORDER_TO_ERP


@dataclass(frozen=True)
class Process:
    """A process: its code, what it is called, what it does, and the role of the system at its other end."""

    code: str
    label: Any
    help: Any
    target_role: Role


PROCESSES = (
    Process(ORDER_TO_ERP, _("Orders to the ERP"), _("Valid orders become sales in the ERP."), Role.ERP),
    Process(
        STATUS_TO_SHOP,
        _("Status back to the shop"),
        _("The shop gets the ERP's number, tracking and shipping status."),
        Role.ERP,
    ),
)
