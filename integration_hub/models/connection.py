"""A system of the merchant's, what it is for, how it is reached, and which processes run over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integration_hub.connectors import connector_class, registry
from integration_hub.connectors.base import Connector
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import Misconfigured
from integration_hub.kernel.states import Capability, Role
from integration_hub.kernel.text import Text, say

from . import vault

ROLES = [
    (Role.SHOP.value, _("shop")),
    (Role.ERP.value, _("ERP")),
    (Role.PAYMENT.value, _("payment provider")),
    (Role.BANK.value, _("bank")),
    (Role.BOOKS.value, _("accounting")),
]


class Mode(models.TextChoices):
    TEST = "TEST", _("test")
    LIVE = "LIVE", _("live")


class ConnectionState(models.TextChoices):
    ACTIVE = "ACTIVE", _("active")
    PAUSED = "PAUSED", _("paused")
    MISCONFIGURED = "MISCONFIGURED", _("misconfigured")


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def active(self) -> ConnectionQuerySet:
        return self.filter(state=ConnectionState.ACTIVE)


class Connection(models.Model):
    """One account at one system.  ``config`` holds what may be read, ``sealed`` what may not."""

    kind = models.CharField(_("system"), max_length=40)
    slug = models.SlugField(_("short name"), max_length=40, unique=True, validators=[RegexValidator(r"^[a-z0-9-]+$")])
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=20, choices=ROLES)
    mode = models.CharField(_("mode"), max_length=8, choices=Mode, default=Mode.TEST)
    state = models.CharField(_("state"), max_length=16, choices=ConnectionState, default=ConnectionState.ACTIVE)
    state_reason = models.JSONField(_("reason"), default=dict, blank=True)
    max_concurrent = models.PositiveSmallIntegerField(_("commands at a time"), default=4, db_default=4)
    per_minute = models.PositiveIntegerField(_("commands per minute"), default=0, db_default=0)  # 0: as many as come
    config = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["role", "name"]
        permissions = [("check_connection", "Can test a connection")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("connection", args=[self.pk])

    @property
    def connector_class(self) -> type[Connector]:
        return connector_class(self.kind)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the system can do; nothing where this version has no connector for it."""
        cls = registry().get(self.kind)
        return cls.capabilities if cls else frozenset()

    @property
    def secrets(self) -> dict[str, str]:
        """The decrypted secrets; never put them on a screen, in a log or in an answer."""
        return vault.unseal(self.sealed)

    def set_secrets(self, given: dict[str, str]) -> None:
        """Replace the secrets that are given; an empty value leaves the stored one.  All given: a lost key is no matter."""
        fresh = {name: value for name, value in given.items() if value}
        kept = {} if fresh.keys() >= self.connector_class.secret_names() else vault.unseal(self.sealed)
        self.sealed = vault.seal(kept | fresh)

    def connector(self) -> Connector:
        """A connector ready for use; Misconfigured when settings are missing or the key is lost."""
        return self.connectors()()

    def connectors(self) -> Callable[[], Connector]:
        """Makes connectors for several uses with these settings, which are decrypted once; raises as ``connector``."""
        cls, secrets = self.connector_class, self.secrets
        try:
            config = cls.Config(**_typed(cls, self.config), **secrets)
        except TypeError as error:
            raise Misconfigured(
                say("Settings of this connection are missing."), code="incomplete", detail=str(error)
            ) from error
        timeout = (settings.HUB_CONNECT_TIMEOUT, settings.HUB_READ_TIMEOUT)
        allowed = settings.HUB_ALLOWED_NETWORKS
        return lambda: cls(config, Http(secrets=list(secrets.values()), allowed=allowed, timeout=timeout))


def _typed(cls: type[Connector], stored: dict[str, Any]) -> dict[str, Any]:
    known = {item.name for item in cls.options()} - cls.secret_names()
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in known}


class ProcessSwitch(models.Model):
    """A business process switched on for a channel, with the system at its other end."""

    channel = models.ForeignKey(
        Connection, verbose_name=_("channel"), on_delete=models.CASCADE, related_name="switches"
    )
    process = models.CharField(_("process"), max_length=40)
    target = models.ForeignKey(
        Connection, verbose_name=_("target"), on_delete=models.PROTECT, related_name="targeted_by"
    )
    enabled = models.BooleanField(_("switched on"), default=True)
    since = models.DateTimeField(_("for orders placed since"), default=timezone.now)
    catch_up_after = models.BigIntegerField(null=True, editable=False)  # the last order taken up; None: all are

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        constraints = [
            models.UniqueConstraint(fields=["channel", "process"], name="one_switch_per_channel_and_process")
        ]

    def __str__(self) -> str:
        return f"{self.channel} · {self.process}"


class PollState(models.Model):
    """Where polling one stream of a connection stands: the window, the page within it, when it is next due."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="polls")
    stream = models.CharField(max_length=40)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    token = models.TextField(null=True)  # noqa: DJ001  None: no window is open; "" would be a token
    due_at = models.DateTimeField(db_default=Now())
    lease_token = models.UUIDField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_ok_at = models.DateTimeField(null=True)
    last_error = models.JSONField(default=dict)
    found = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("poll")
        verbose_name_plural = _("polls")
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="one_poll_per_stream")]

    def __str__(self) -> str:
        return f"{self.connection} · {self.stream}"


UNREACHABLE_AFTER = timedelta(seconds=settings.HUB_CASE_AFTER)


def reason(text: Text) -> dict[str, Any]:
    """A Text as it is stored; the screen translates it."""
    return text.as_json()
