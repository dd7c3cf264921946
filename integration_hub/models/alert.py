"""Who is told what when something is wrong: channels, rules, alerts, and each delivery with its tries."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from . import vault

LANGUAGES = [("de", _("German")), ("en", _("English"))]


class Form(models.TextChoices):
    EMAIL = "EMAIL", _("e-mail")
    SLACK = "SLACK", _("Slack")
    TEAMS = "TEAMS", _("Microsoft Teams")
    WEBHOOK = "WEBHOOK", _("signed webhook")


class AlertChannel(models.Model):
    """A way to people of one role.  ``sealed`` holds the address of a webhook and what it is signed with."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    form = models.CharField(_("form"), max_length=8, choices=Form)
    role = models.CharField(_("for the role"), max_length=20)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="de")
    recipients = models.TextField(_("e-mail addresses"), blank=True, default="")
    sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    quiet_weekend = models.BooleanField(_("quiet on Saturday and Sunday"), default=False)
    digest_at = models.TimeField(_("digest at"), default="08:00")
    digested_on = models.DateField(null=True, editable=False)
    enabled = models.BooleanField(_("switched on"), default=True)
    broken_since = models.DateTimeField(_("does not work since"), null=True, editable=False)
    last_error = models.JSONField(default=dict, editable=False)
    last_sent_at = models.DateTimeField(_("last sent"), null=True, editable=False)

    class Meta:
        verbose_name = _("alert channel")
        verbose_name_plural = _("alert channels")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> dict[str, str]:
        """``url`` and ``secret``; Misconfigured where no key fits."""
        return vault.unseal(self.sealed)

    def set_secrets(self, secrets: dict[str, str]) -> None:
        self.sealed = vault.seal(secrets)


class Condition(models.TextChoices):
    OPENED = "OPENED", _("an exception is opened")
    DEADLINE = "DEADLINE", _("a deadline comes near")
    ABOVE = "ABOVE", _("a figure is above the limit")
    BELOW = "BELOW", _("a figure is below the limit")
    RISES = "RISES", _("a figure rises by per cent")
    FALLS = "FALLS", _("a figure falls by per cent")
    SILENT = "SILENT", _("nothing for so many minutes")


class Urgency(models.TextChoices):
    NOW = "NOW", _("at once, in quiet hours too")
    SOON = "SOON", _("at once, but not in quiet hours")
    DIGEST = "DIGEST", _("in the digest")


class AlertRule(models.Model):
    """When people are told: about a kind of exception, or about a figure (``subject`` is its code)."""

    subject = models.CharField(_("about"), max_length=40)
    condition = models.CharField(_("when"), max_length=8, choices=Condition)
    limit = models.DecimalField(_("limit"), max_digits=14, decimal_places=2, default=0)
    window = models.PositiveIntegerField(_("minutes"), default=60, validators=[MinValueValidator(1)])
    urgency = models.CharField(_("how"), max_length=6, choices=Urgency)
    role = models.CharField(_("whom"), max_length=20)
    enabled = models.BooleanField(_("switched on"), default=True)
    escalate_after = models.PositiveIntegerField(_("escalate after minutes"), null=True, blank=True)
    escalate_to = models.CharField(_("escalate to"), max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ["subject", "condition"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "condition"], name="one_alert_rule_per_condition"),
            models.CheckConstraint(
                condition=Q(escalate_after__isnull=True) | ~Q(escalate_to=""), name="escalation_leads_to_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.condition}"


class AlertSubscription(models.Model):
    """A channel that differs from the rule: wants what is for another role, or does not want what is for its own."""

    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="subscriptions")
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="subscriptions")
    wanted = models.BooleanField()

    class Meta:
        verbose_name = _("alert subscription")
        verbose_name_plural = _("alert subscriptions")
        constraints = [models.UniqueConstraint(fields=["channel", "rule"], name="one_subscription_per_rule")]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.rule_id} {self.wanted}"


class AlertState(models.TextChoices):
    OPEN = "OPEN", pgettext_lazy("alert", "open")
    TAKEN = "TAKEN", pgettext_lazy("alert", "taken")
    OVER = "OVER", pgettext_lazy("alert", "over")


class Alert(models.Model):
    """One cause that people are told about once; what comes again is counted."""

    rule = models.ForeignKey(AlertRule, verbose_name=_("rule"), on_delete=models.PROTECT)
    cause = models.CharField(_("cause"), max_length=250)
    case_id = models.BigIntegerField(null=True)
    title = models.JSONField(_("what"), default=dict)
    count = models.PositiveIntegerField(_("times"), default=1)
    value = models.DecimalField(_("figure"), max_digits=19, decimal_places=4, null=True)
    state = models.CharField(_("state"), max_length=6, choices=AlertState, default=AlertState.OPEN)
    first_at = models.DateTimeField(_("first"), db_default=Now())
    last_at = models.DateTimeField(_("last"), db_default=Now())
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("taken by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    escalated_at = models.DateTimeField(_("escalated"), null=True)
    over_at = models.DateTimeField(_("over since"), null=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        permissions = [("take_alert", "Can take an alert")]
        constraints = [
            models.UniqueConstraint(fields=["rule", "cause"], condition=~Q(state="OVER"), name="one_alert_per_cause"),
            models.CheckConstraint(
                condition=Q(state="OVER", over_at__isnull=False) | (~Q(state="OVER") & Q(over_at=None)),
                name="alert_that_is_over_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["case_id"], name="alert_of_case"),
            models.Index(fields=["state", "-id"], name="alert_of_state"),
            models.Index(fields=["rule", "cause", "-id"], name="alert_of_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.cause}"


class Occasion(models.TextChoices):
    NEW = "NEW", _("new")
    ESCALATED = "ESCALATED", _("escalated")
    DIGEST = "DIGEST", _("digest")
    TEST = "TEST", _("test")


class DeliveryState(models.TextChoices):
    DUE = "DUE", pgettext_lazy("delivery", "waiting")
    LEASED = "LEASED", pgettext_lazy("delivery", "being sent")
    SENT = "SENT", pgettext_lazy("delivery", "sent")
    FAILED = "FAILED", pgettext_lazy("delivery", "failed")
    DROPPED = "DROPPED", pgettext_lazy("delivery", "not needed any more")


class AlertDelivery(models.Model):
    """One message to one channel: a row of an outbox.  ``key`` is unique per channel, so nothing is said twice."""

    channel = models.ForeignKey(AlertChannel, verbose_name=_("channel"), on_delete=models.CASCADE)
    occasion = models.CharField(_("occasion"), max_length=10, choices=Occasion)
    key = models.CharField(max_length=120)
    about = models.JSONField(default=list)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    state = models.CharField(_("state"), max_length=8, choices=DeliveryState, default=DeliveryState.DUE)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    reason = models.JSONField(_("reason"), default=dict)
    exchange = models.JSONField(_("request and answer"), default=dict)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("alert delivery")
        verbose_name_plural = _("alert deliveries")
        constraints = [
            models.UniqueConstraint(fields=["channel", "key"], name="one_delivery_per_key"),
            models.CheckConstraint(
                condition=Q(state="LEASED", lease_token__isnull=False) | ~Q(state="LEASED"),
                name="leased_delivery_has_token",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["DUE", "LEASED"]), name="delivery_turn"),
            models.Index(fields=["channel", "-id"], name="delivery_of_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.occasion} {self.key}"


class FigureSample(models.Model):
    """What a figure of a rule was at a moment, to tell how fast it changes."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE)
    at = models.DateTimeField(db_default=Now())
    value = models.DecimalField(max_digits=19, decimal_places=4)

    class Meta:
        verbose_name = _("sample of a figure")
        verbose_name_plural = _("samples of figures")
        indexes = [models.Index(fields=["rule", "-at"], name="sample_of_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.value}"
