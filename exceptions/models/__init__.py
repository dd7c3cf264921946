"""The tables of the exception list."""

from .approval import Approval, ApprovalState
from .case import CaseQuerySet, CaseState, CaseSubject, CloseCode, ExceptionCase, SavedView, Waits
from .healing import Healing, How
from .job import Job, JobRow, RowState
from .levels import AmountLimit, ServiceLevel, Severity, WorkCalendar, limits_of
from .rule import Rule, RuleVersion

__all__ = [
    "AmountLimit",
    "Approval",
    "ApprovalState",
    "CaseQuerySet",
    "CaseState",
    "CaseSubject",
    "CloseCode",
    "ExceptionCase",
    "Healing",
    "How",
    "Job",
    "JobRow",
    "RowState",
    "Rule",
    "RuleVersion",
    "SavedView",
    "ServiceLevel",
    "Severity",
    "Waits",
    "WorkCalendar",
    "limits_of",
]
