"""Charts of accounts, and which account is used for what: rules in versions, never changed, only retired."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection

from ..events import AccountKind, Chart, Event, Flag, KeyKind
from ..states import TaxCase
from .columns import country_field, rate_field

BEGINNING = date(2000, 1, 1)


def account_field(label: Any, **extra: Any) -> models.CharField:  # type: ignore[type-arg]
    """The number of an account: one to nine digits, not only noughts (DATEV, fields 7 and 8)."""
    plain = RegexValidator(r"^(?!0+$)\d{1,9}$", _("An account is a number of up to nine digits."))
    return models.CharField(label, max_length=9, validators=[plain], **extra)


class Account(models.Model):
    """An account of a chart, with what DATEV does by itself on it (AM and AV accounts, their rate and tax accounts)."""

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    number = account_field(_("account"))
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=AccountKind)
    flag = models.CharField(_("function"), max_length=2, choices=Flag, blank=True, default="")
    rate = rate_field(_("rate"), null=True, blank=True)
    tax_account = account_field(_("VAT account"), blank=True, default="")
    input_account = account_field(_("input tax account"), blank=True, default="")
    shipped = models.BooleanField(_("shipped with the hub"), default=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["chart", "number"]
        constraints = [
            models.UniqueConstraint(fields=["chart", "number"], name="one_account_per_number"),
            models.CheckConstraint(condition=Q(flag__in=Flag.values), name="account_flag_is_known"),
            models.CheckConstraint(
                condition=~Q(flag__in=("AM", "AV")) | Q(rate=0) | Q(rate__gt=0) & ~Q(tax_account=""),
                name="automatic_account_has_its_rate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def is_automatic(self) -> bool:
        """Whether DATEV takes or adds tax by itself; such an account bears no tax key but 40."""
        return self.flag in (Flag.OUTPUT, Flag.INPUT)


class TaxKey(models.Model):
    """A BU key of DATEV: what it does, at which rate (empty: the rate of the row), on which accounts."""

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    key = models.CharField(_("tax key"), max_length=4)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("does"), max_length=8, choices=KeyKind)
    rate = rate_field(_("rate"), null=True, blank=True)
    tax_account = account_field(_("VAT account"), blank=True, default="")
    input_account = account_field(_("input tax account"), blank=True, default="")

    class Meta:
        verbose_name = _("tax key")
        verbose_name_plural = _("tax keys")
        constraints = [models.UniqueConstraint(fields=["chart", "key"], name="one_tax_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.name}"


class MappingVersion(models.Model):
    """A state of the account mapping: who made it, when and why.  Append-only."""

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    number = models.PositiveIntegerField(_("version"))
    made_at = models.DateTimeField(_("made"), db_default=Now())
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    why = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("version of the account mapping")
        verbose_name_plural = _("versions of the account mapping")
        constraints = [models.UniqueConstraint(fields=["chart", "number"], name="mapping_versions_are_numbered")]

    def __str__(self) -> str:
        return f"{self.get_chart_display()} v{self.number}"


class AccountRule(models.Model):
    """One row of the account mapping: for what (empty means any) the account, tax key, cost centre and text.

    The most specific rule counts: see ``services.mapping.WEIGHTS``.  Of two that are equally specific the later
    ``valid_from`` counts.  A rule is never changed: a new version retires it and brings another one.
    """

    chart = models.CharField(_("chart of accounts"), max_length=2, choices=Chart)
    event = models.CharField(_("for"), max_length=20, choices=Event)
    channel = models.ForeignKey(
        Connection, verbose_name=_("channel or provider"), null=True, blank=True, on_delete=models.PROTECT
    )
    location = models.CharField(_("location"), max_length=40, blank=True, default="")
    product_group = models.CharField(_("product group"), max_length=120, blank=True, default="")
    payment_method = models.CharField(_("payment method"), max_length=120, blank=True, default="")
    country = country_field(_("country"), blank=True, default="")
    rate = rate_field(_("rate"), null=True, blank=True)
    tax_case = models.CharField(_("tax case"), max_length=24, choices=TaxCase, blank=True, default="")
    account = account_field(_("account"))
    tax_key = models.CharField(_("tax key"), max_length=4, blank=True, default="")
    cost_centre = models.CharField(_("cost centre"), max_length=36, blank=True, default="")
    text = models.CharField(_("posting text"), max_length=60, blank=True, default="")
    valid_from = models.DateField(_("valid from"), default=BEGINNING)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    since = models.ForeignKey(MappingVersion, on_delete=models.PROTECT, related_name="brought")
    until = models.ForeignKey(MappingVersion, null=True, on_delete=models.PROTECT, related_name="retired")

    class Meta:
        verbose_name = _("rule of the account mapping")
        verbose_name_plural = _("rules of the account mapping")
        default_permissions = ("view",)
        permissions = [("map_accounts", "Can change which accounts are used")]
        constraints = [
            models.UniqueConstraint(
                fields=["chart", "event", "channel", "location", "product_group", "payment_method", "country", "rate",
                        "tax_case", "valid_from"],
                condition=Q(until=None),
                nulls_distinct=False,
                name="one_rule_per_case_and_day",
            ),
            models.CheckConstraint(condition=Q(event__in=Event.values), name="rule_event_is_known"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="rule_ends_after_it_begins"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["chart", "event"], condition=Q(until=None), name="rule_in_force")]

    def __str__(self) -> str:
        return f"{self.get_event_display()} → {self.account}"


class Books(models.Model):
    """The books of the merchant: one row, which actions about the books as a whole are done to."""

    name = models.CharField(_("name"), max_length=80, default="")

    class Meta:
        verbose_name = _("books")
        verbose_name_plural = _("books")
        default_permissions = ("view",)
        permissions = [("set_up_books", "Can decide how the books are kept")]

    def __str__(self) -> str:
        return self.name or str(_("books"))


class Choice(models.Model):
    """What was chosen where the law leaves a choice: by whom, on whose advice, when and why.  Append-only; the last counts."""

    name = models.CharField(_("choice"), max_length=40)
    value = models.JSONField(_("chosen"))
    adviser = models.CharField(_("on the advice of"), max_length=120, blank=True, default="")
    why = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("choice of the books")
        verbose_name_plural = _("choices of the books")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["name", "-id"], name="choice_newest")]

    def __str__(self) -> str:
        return self.name
