"""The ledger: entries and their lines, append-only and balanced by the database; months; how far everything is posted."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection
from orders.models import Order
from payments.models import BankLine, Payout, Transaction, WriteOff

from ..events import Chart, Event, PeriodState, Side, Source, Standing
from ..states import TaxCase
from .columns import country_field, currency_field, money_field, rate_field
from .documents import Document
from .mapping import AccountRule, MappingVersion, account_field


class Period(models.Model):
    """A month of the books.  The database refuses entries into a locked one."""

    year = models.PositiveSmallIntegerField(_("year"))
    month = models.PositiveSmallIntegerField(_("month"))
    state = models.CharField(_("state"), max_length=8, choices=PeriodState, default=PeriodState.OPEN, db_default="OPEN")

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ["year", "month"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["year", "month"], name="one_period_per_month"),
            models.CheckConstraint(condition=Q(month__gte=1, month__lte=12), name="month_is_a_month"),
            models.CheckConstraint(condition=Q(state__in=PeriodState.values), name="period_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.month:02d}/{self.year}"


class Entry(models.Model):
    """What one thing means for the books: (``source``, ``subject_id``, ``revision``) is its identity, so nothing is posted twice.

    Never changed: what turns out different is reversed by an entry that ``reverses`` it, and posted as the next revision.
    ``digest`` is made of the entry, its lines and ``previous``, the digest of the entry before it.
    """

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    source = models.CharField(_("about"), max_length=10, choices=Source)
    subject_id = models.BigIntegerField()
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    reverses = models.OneToOneField(
        "self", verbose_name=_("reverses"), null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    booked_on = models.DateField(_("date"))
    belegfeld1 = models.CharField(_("document field 1"), max_length=60, blank=True, default="")
    belegfeld2 = models.CharField(_("document field 2"), max_length=40, blank=True, default="")
    text = models.CharField(_("posting text"), max_length=200, blank=True, default="")
    version = models.ForeignKey(MappingVersion, verbose_name=_("account mapping"), on_delete=models.PROTECT)
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="entries")
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="entries")
    transaction = models.ForeignKey(Transaction, null=True, on_delete=models.PROTECT, related_name="entries")
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="entries")
    bank_line = models.ForeignKey(BankLine, null=True, on_delete=models.PROTECT, related_name="entries")
    write_off = models.ForeignKey(WriteOff, null=True, on_delete=models.PROTECT, related_name="entries")
    why = models.CharField(_("reason"), max_length=300, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField(_("posted"), db_default=Now())
    digest = models.CharField(max_length=64, blank=True, default="")
    previous = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        default_permissions = ("view",)
        permissions = [("post_entries", "Can correct entries and post into another month")]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "subject_id", "revision"], condition=Q(reverses=None), name="posted_once"
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="entry_source_is_known"),
        ]
        indexes = [
            models.Index(fields=["booked_on", "id"], name="entry_by_day"),
            models.Index(fields=["belegfeld1"], name="entry_belegfeld"),
        ]

    def __str__(self) -> str:
        return f"B-{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("entry", args=[self.pk])

    def stake(self) -> tuple[str, Decimal, str]:
        total = self.lines.filter(side=Side.HEAD).aggregate(s=models.Sum(F("debit") + F("credit")))["s"]
        return f"{self} {self.text}"[:160], total or Decimal(0), settings.HUB_BOOK_CURRENCY


class Posting(models.Model):
    """A line of an entry, debit or credit, in the currency of the books.

    Lines of one ``row`` are one booking row of DATEV: the HEAD line (account, contra account, gross amount, tax key), what
    it means on the contra account, and the tax that DATEV adds by itself.  ``event`` to ``payment_method`` are what the
    account was looked up by, ``rule`` what answered.  ``foreign`` is the amount in ``currency`` where that is another one.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, db_index=False, related_name="lines")
    position = models.PositiveSmallIntegerField()
    row = models.PositiveSmallIntegerField()
    side = models.CharField(_("part"), max_length=6, choices=Side)
    account = account_field(_("account"))
    contra = account_field(_("contra account"), blank=True, default="")
    debit = money_field(_("debit"), default=Decimal(0))
    credit = money_field(_("credit"), default=Decimal(0))
    currency = currency_field(_("currency"), default="EUR")
    foreign = money_field(_("foreign amount"), null=True)
    exchange = models.DecimalField(_("exchange rate"), max_digits=12, decimal_places=6, null=True)
    tax_key = models.CharField(_("tax key"), max_length=4, blank=True, default="")
    cost_centre = models.CharField(_("cost centre"), max_length=36, blank=True, default="")
    eu_id = models.CharField(_("EU country or VAT id"), max_length=20, blank=True, default="")
    eu_rate = rate_field(_("EU rate"), null=True)
    belegfeld1 = models.CharField(_("document field 1"), max_length=60, blank=True, default="")
    text = models.CharField(_("posting text"), max_length=200, blank=True, default="")
    event = models.CharField(_("for"), max_length=20, choices=Event, blank=True, default="")
    channel = models.ForeignKey(
        Connection, null=True, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("channel")
    )
    location = models.CharField(_("location"), max_length=40, blank=True, default="")
    product_group = models.CharField(_("product group"), max_length=120, blank=True, default="")
    payment_method = models.CharField(_("payment method"), max_length=120, blank=True, default="")
    country = country_field(_("country"), blank=True, default="")
    rate = rate_field(_("rate"), null=True)
    tax_case = models.CharField(_("tax case"), max_length=24, choices=TaxCase, blank=True, default="")
    rule = models.ForeignKey(AccountRule, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["entry", "position"], name="postings_are_numbered"),
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="debit_or_credit"
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="posting_side_is_known"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="posting_of_account")]

    def __str__(self) -> str:
        return f"{self.account} {self.debit or -self.credit}"


class Booking(models.Model):
    """How far one thing is posted: every document, movement, payout, bank line and write-off has one, posted or not."""

    source = models.CharField(_("about"), max_length=10, choices=Source)
    subject_id = models.BigIntegerField()
    state = models.CharField(_("state"), max_length=8, choices=Standing, default=Standing.DUE, db_default="DUE")
    due_at = models.DateTimeField(db_default=Now())
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="booking")
    moved_to = models.DateField(_("posted on instead"), null=True)  # a person chose it, since the month is locked
    why = models.JSONField(_("why"), default=dict)
    seen = models.CharField(max_length=80, blank=True, default="")  # what it looked like: to notice that it changed

    class Meta:
        verbose_name = _("standing with the ledger")
        verbose_name_plural = _("standings with the ledger")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["source", "subject_id"], name="one_booking_per_subject"),
            models.CheckConstraint(condition=Q(state__in=Standing.values), name="booking_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=Standing.POSTED) | Q(entry__isnull=False), name="posted_by_an_entry"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="DUE"), name="booking_due"),
            models.Index(
                fields=["state", "source"], condition=Q(state__in=["WAITING", "REFUSED"]), name="booking_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.subject_id} {self.state}"
