"""Cases of the exception list and the objects each of them blocks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from .levels import Severity


class CaseState(models.TextChoices):
    OPEN = "OPEN", _("open")
    SOLVED = "SOLVED", _("solved")
    DISMISSED = "DISMISSED", _("dismissed")


class CloseCode(models.TextChoices):
    """Why a case was closed although nothing was fixed."""

    NOT_NEEDED = "NOT_NEEDED", _("no longer needed")
    ELSEWHERE = "ELSEWHERE", _("settled outside the hub")
    FALSE_ALARM = "FALSE_ALARM", _("nothing is wrong")
    DUPLICATE = "DUPLICATE", _("treated in another exception")
    LOSS = "LOSS", _("loss accepted")
    TEST = "TEST", _("test data")
    OTHER = "OTHER", _("other")


class Waits(models.TextChoices):
    """Whose turn it is, if not ours."""

    CUSTOMER = "CUSTOMER", _("customer")
    SUPPLIER = "SUPPLIER", _("supplier")
    PROVIDER = "PROVIDER", _("payment provider or bank")
    SYSTEM = "SYSTEM", _("operator of the other system")
    COLLEAGUE = "COLLEAGUE", _("colleague")


class CaseQuerySet(models.QuerySet["ExceptionCase"]):
    def open(self) -> CaseQuerySet:
        return self.filter(state=CaseState.OPEN)

    def our_turn(self) -> CaseQuerySet:
        """Open ones that wait for nobody else, or have waited long enough."""
        return self.open().filter(Q(waits_for="") | Q(waits_until__lte=Now()))

    def waiting(self) -> CaseQuerySet:
        """Open ones where somebody outside has to move first."""
        return self.open().filter(~Q(waits_for=""), Q(waits_until=None) | Q(waits_until__gt=Now()))

    def by_urgency(self) -> CaseQuerySet:
        """Amount at risk times age, then due time: what to do next comes first."""
        age = Now() - F("first_seen_at")
        risk = models.ExpressionWrapper(
            (F("amount") + 1) * models.functions.Extract(age, "epoch"),
            output_field=models.DecimalField(max_digits=30, decimal_places=4),
        )
        return self.annotate(urgency=risk).order_by("-urgency", "due_at", "pk")


class ExceptionCase(models.Model):
    """One cause of trouble, however many objects it holds up; (kind, cause) is unique while it is open."""

    kind = models.CharField(_("kind"), max_length=40)
    cause = models.CharField(_("cause"), max_length=200)
    root = models.CharField(_("root cause"), max_length=64, default="", db_default="")
    params = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    expected = models.JSONField(_("expected"), default=dict)
    found = models.JSONField(_("found"), default=dict)
    connection = models.ForeignKey(Connection, verbose_name=_("connection"), null=True, on_delete=models.PROTECT)
    amount = models.DecimalField(_("amount at risk"), max_digits=19, decimal_places=4, default=0)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    size = models.PositiveIntegerField(_("affects"), default=0)
    role = models.CharField(_("responsible"), max_length=20)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("assigned to"), null=True, blank=True, on_delete=models.SET_NULL
    )
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity, default=Severity.NORMAL, db_default=1)
    due_at = models.DateTimeField(_("due"))
    due_fixed = models.BooleanField(_("the deadline is set outside"), default=False, db_default=False)
    waits_for = models.CharField(_("waits for"), max_length=10, choices=Waits, blank=True, default="", db_default="")
    waits_until = models.DateTimeField(_("until"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=CaseState, default=CaseState.OPEN)
    occurrences = models.PositiveIntegerField(_("occurrences"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"), db_default=Now())
    last_seen_at = models.DateTimeField(_("last seen"), db_default=Now())
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("closed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    close_code = models.CharField(
        _("why closed"), max_length=12, choices=CloseCode, blank=True, default="", db_default=""
    )
    close_reason = models.TextField(_("reason"), blank=True, default="")
    reopened = models.PositiveSmallIntegerField(_("re-opened"), default=0, db_default=0)

    rules_tried = models.BooleanField(default=False, db_default=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        permissions = [
            ("assign_exceptioncase", "Can assign exceptions"),
            ("retry_exceptioncase", "Can retry what an exception holds up"),
            ("dismiss_exceptioncase", "Can dismiss an exception"),
            ("comment_exceptioncase", "Can comment on an exception"),
            ("reopen_exceptioncase", "Can re-open an exception"),
            ("approve_exceptioncase", "Can approve what others request on an exception"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "cause"], condition=Q(state="OPEN"), name="one_open_case_per_cause"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", closed_at=None) | (~Q(state="OPEN") & Q(closed_at__isnull=False)),
                name="closed_case_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="DISMISSED") | (~Q(close_code="") & ~Q(close_reason="")),
                name="closed_without_a_fix_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN") | Q(waits_for="", waits_until=None), name="closed_case_waits_for_nobody"
            ),
        ]
        indexes = [
            models.Index(fields=["role", "due_at"], condition=Q(state="OPEN"), name="case_open_role"),
            models.Index(fields=["assignee"], condition=Q(state="OPEN"), name="case_open_assignee"),
            models.Index(fields=["state", "-closed_at"], name="case_closed"),
            # what is asked for by the hour in which it began, and whether the same trouble was there before
            BrinIndex(fields=["first_seen_at"], name="case_first_seen", pages_per_range=16),
            models.Index(fields=["kind", "cause", "id"], condition=~Q(state="OPEN"), name="case_before"),
            models.Index(fields=["id"], condition=Q(state="OPEN", rules_tried=False), name="case_before_rules"),
            models.Index(fields=["root"], condition=Q(state="OPEN"), name="case_open_root"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cause}"

    def param(self, name: str) -> Any:
        return self.params.get(name, "")


class CaseSubject(models.Model):
    """One object that a case holds up, with the money in it."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="subjects")
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    label = models.CharField(_("affects"), max_length=160)
    amount = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, default="EUR")
    event_id = models.BigIntegerField(null=True)
    open = models.BooleanField(default=True)
    let_go = models.BooleanField(
        default=False, db_default=False
    )  # released by the closing itself, so that re-opening holds it again
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("affected object")
        verbose_name_plural = _("affected objects")
        constraints = [
            models.UniqueConstraint(fields=["case", "subject_type", "subject_id"], name="subject_once_per_case")
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], condition=Q(open=True), name="case_subject_open"),
        ]

    def __str__(self) -> str:
        return self.label


class SavedView(models.Model):
    """A filter of the exception list under a name, for one person or for a whole role."""

    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=500)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    role = models.CharField(_("for the role"), max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name", "owner", "role"], name="one_view_per_name", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name
