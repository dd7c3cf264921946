"""What people did again and again, as a rule: in versions, and can be switched off."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection


class Rule(models.Model):
    """Does ``action`` to new cases of its kind and connection that fit ``match``, in the name of who switched it on.

    Nothing is done to a case with more at risk than ``most``, nor to one that needs a second person.
    """

    habit = models.CharField(_("habit"), max_length=60)
    kind = models.CharField(_("kind"), max_length=40)
    connection = models.ForeignKey(Connection, verbose_name=_("connection"), null=True, on_delete=models.PROTECT)
    match = models.JSONField(default=dict)
    words = models.JSONField(_("what"), default=dict)
    most = models.DecimalField(_("at most at risk"), max_digits=19, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)
    enabled = models.BooleanField(_("switched on"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("in the name of"), on_delete=models.PROTECT)
    created_at = models.DateTimeField(_("made"), db_default=Now())

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        default_permissions = ("view",)
        permissions = [("manage_rule", "Can make rules of habits and switch them")]
        constraints = [
            models.UniqueConstraint(
                fields=["habit", "kind", "connection", "match"], name="one_rule_per_habit", nulls_distinct=False
            ),
        ]
        indexes = [models.Index(fields=["kind"], condition=models.Q(enabled=True), name="rule_enabled")]

    def __str__(self) -> str:
        return f"{self.pk} {self.habit} {self.kind}"


class RuleVersion(models.Model):
    """How a rule stood since then: who changed it and why.  Append-only."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField(_("version"))
    enabled = models.BooleanField(_("switched on"))
    match = models.JSONField(default=dict)
    most = models.DecimalField(max_digits=19, decimal_places=4)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT)
    why = models.TextField(_("why"), blank=True, default="")
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("version of a rule")
        verbose_name_plural = _("versions of rules")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["rule", "version"], name="rule_versions_are_numbered")]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.version}"
