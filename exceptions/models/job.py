"""Work on many cases or objects at once: a row for each, so that it can be left, found again, and survives its workers."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .case import ExceptionCase


class RowState(models.TextChoices):
    WAITING = "WAITING", _("waiting")
    DONE = "DONE", _("done")
    FAILED = "FAILED", _("not done")
    STOPPED = "STOPPED", _("stopped before its turn")


class Job(models.Model):
    """One action on many cases, or a case's objects that run again.  ``key`` comes from the page: twice sent is once done."""

    key = models.UUIDField(unique=True)
    action = models.CharField(_("action"), max_length=60, blank=True, default="")
    data = models.JSONField(default=dict)
    title = models.JSONField(_("what"), default=dict)
    case = models.ForeignKey(ExceptionCase, null=True, on_delete=models.CASCADE, related_name="jobs")
    root = models.CharField(max_length=64, blank=True, default="")
    back = models.CharField(max_length=500, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField(_("begun"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        indexes = [
            models.Index(fields=["id"], condition=Q(finished_at=None), name="job_unfinished"),
            models.Index(fields=["by", "-id"], name="job_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.action}"


class JobRow(models.Model):
    """One case to act upon, or one object to run again, with what came of it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="rows")
    case = models.ForeignKey(ExceptionCase, null=True, on_delete=models.CASCADE)
    subject_type = models.ForeignKey(ContentType, null=True, on_delete=models.PROTECT)
    subject_id = models.BigIntegerField(null=True)
    subject = GenericForeignKey("subject_type", "subject_id")
    label = models.CharField(max_length=160, blank=True, default="")
    seen = models.JSONField(default=dict)  # what the form held unseen when the person decided
    state = models.CharField(max_length=8, choices=RowState, default=RowState.WAITING)
    text = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("row of a background job")
        verbose_name_plural = _("rows of background jobs")
        constraints = [
            models.UniqueConstraint(fields=["job", "case"], condition=~Q(case=None), name="case_once_per_job"),
            models.UniqueConstraint(
                fields=["job", "subject_type", "subject_id"],
                condition=~Q(subject_id=None),
                name="object_once_per_job",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=False, subject_id=None) | Q(case=None, subject_id__isnull=False),
                name="job_row_is_case_or_object",
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", done_at=None) | (~Q(state="WAITING") & Q(done_at__isnull=False)),
                name="job_row_over_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="WAITING"), name="job_row_due")]

    def __str__(self) -> str:
        return self.label or f"{self.case_id}"
