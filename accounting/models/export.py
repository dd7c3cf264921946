"""Files for the adviser: what was asked for, what is in them, byte for byte; locked when they are ready."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..events import Chart, ExportState, Format
from .ledger import Entry


class Export(models.Model):
    """A batch of postings of one month: entries after ``after`` up to ``upto`` that no earlier batch of the month holds.

    The second batch of a month and those after it are corrections.  ``answers`` are the settings it was made with.
    """

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    year = models.PositiveSmallIntegerField(_("year"))
    month = models.PositiveSmallIntegerField(_("month"))
    number = models.PositiveSmallIntegerField(_("batch"))
    after = models.BigIntegerField(default=0)
    upto = models.BigIntegerField()
    version = models.PositiveSmallIntegerField(_("format"), choices=Format)
    answers = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=8, choices=ExportState, default=ExportState.DUE)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(default=0)
    last_entry = models.BigIntegerField(default=0)
    last_position = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    due_at = models.DateTimeField(null=True, db_default=Now())
    proof = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    without = models.TextField(_("why rows were left out"), blank=True, default="")
    error = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked for"), db_default=Now())
    ready_at = models.DateTimeField(_("ready"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        default_permissions = ("view",)
        permissions = [("make_export", "Can make and download exports for the adviser")]
        constraints = [
            models.UniqueConstraint(fields=["year", "month", "number"], name="exports_are_numbered"),
            models.CheckConstraint(condition=Q(upto__gt=F("after")), name="export_holds_entries"),
            models.CheckConstraint(condition=Q(state__in=ExportState.values), name="export_state_is_known"),
            models.CheckConstraint(condition=~Q(state="READY") | ~Q(sha256=""), name="ready_export_has_its_checksum"),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="export_due")]

    def __str__(self) -> str:
        return f"{self.month:02d}/{self.year} · {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("export", args=[self.pk])

    @property
    def is_correction(self) -> bool:
        return self.number > 1


class ExportFile(models.Model):
    """One file of a batch: at most 99,999 rows."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="files")
    part = models.PositiveSmallIntegerField(_("part"))
    name = models.CharField(_("file"), max_length=120)
    rows = models.PositiveIntegerField(_("rows"))
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("file of an export")
        verbose_name_plural = _("files of an export")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["export", "part"], name="one_file_per_part")]

    def __str__(self) -> str:
        return self.name


class ExportChunk(models.Model):
    """A piece of a file, packed by zlib.  Append-only."""

    file = models.ForeignKey(ExportFile, on_delete=models.PROTECT, related_name="chunks")
    position = models.PositiveIntegerField()
    packed = models.BinaryField()

    class Meta:
        verbose_name = _("piece of a file")
        verbose_name_plural = _("pieces of a file")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["file", "position"], name="chunks_are_numbered")]

    def __str__(self) -> str:
        return f"{self.file_id} {self.position}"


class HeldBack(models.Model):
    """An entry that was left out of a batch by choice; the next batch of its month takes it up.  Append-only."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="held_back")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="held_back")
    reasons = models.JSONField(default=list)

    class Meta:
        verbose_name = _("entry left out")
        verbose_name_plural = _("entries left out")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["export", "entry"], name="held_back_once")]

    def __str__(self) -> str:
        return f"{self.export_id} {self.entry_id}"


class Download(models.Model):
    """Somebody took a file.  The second time and later it says so in its name.  Append-only."""

    file = models.ForeignKey(ExportFile, on_delete=models.PROTECT, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.file_id} {self.at:%Y-%m-%d}"
