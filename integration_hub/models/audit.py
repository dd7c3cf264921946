"""What was changed or read, by whom, from where: the trail that triggers write, and the seals over it.  Both only grow."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Deed(models.TextChoices):
    INSERT = "INSERT", _("made")
    UPDATE = "UPDATE", _("changed")
    DELETE = "DELETE", _("removed")
    TRUNCATE = "TRUNCATE", _("emptied")
    READ = "READ", _("personal data read")


class AuditEntry(models.Model):
    """One row that was made, changed or removed (written by a trigger), or personal data that somebody read.

    ``before`` and ``after`` hold the columns that differ.  ``digest`` is the SHA-256 of both: it stays when the law asks
    for their erasure, so that the chain of seals does.  ``origin`` says from where: address, session or token, page.
    ``program`` is PostgreSQL's application_name, so that what was done past the hub shows.
    """

    at = models.DateTimeField(_("at"), db_default=Now())
    deed = models.CharField(_("deed"), max_length=8, choices=Deed)
    relation = models.CharField(_("table"), max_length=63)
    row_id = models.CharField(_("row"), max_length=64, blank=True, db_default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    origin = models.JSONField(_("from where"), db_default={})
    program = models.CharField(_("program"), max_length=64, blank=True, db_default="")
    db_user = models.CharField(_("database user"), max_length=63, blank=True, db_default="")
    action = models.CharField(_("action"), max_length=60, blank=True, db_default="")
    why = models.TextField(_("why"), blank=True, db_default="")
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    digest = models.BinaryField()
    xid = models.BigIntegerField(_("transaction"))

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["relation", "row_id", "-id"], name="audit_of_row"),
            models.Index(fields=["actor", "-id"], condition=models.Q(actor__isnull=False), name="audit_of_person"),
            models.Index(fields=["-id"], condition=models.Q(deed="READ"), name="audit_readings"),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.relation} {self.row_id}"


class Multirange(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's int8multirange: which ids, as few ranges as they have gaps."""

    def db_type(self, connection: Any) -> str:
        return "int8multirange"


class Seal(models.Model):
    """A range of rows of a ledger under one hash, chained to the seal before it.

    ``root`` is the hash over the rows' own hashes in order of id.  ``settled``: below this id nothing can come any more.
    """

    ledger = models.CharField(_("ledger"), max_length=20)
    number = models.BigIntegerField(_("number"))
    at = models.DateTimeField(_("at"), db_default=Now())
    ids = Multirange()
    rows = models.IntegerField(_("rows"))
    last_id = models.BigIntegerField()
    settled = models.BigIntegerField()
    horizon = models.BigIntegerField()
    root = models.BinaryField()
    previous = models.BinaryField()
    hash = models.BinaryField(_("hash"))

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        constraints = [models.UniqueConstraint(fields=["ledger", "number"], name="seals_are_numbered")]

    def __str__(self) -> str:
        return f"{self.ledger} {self.number}"
