"""Secrets: sealed at rest, never in what is kept or shown, and keys that can be changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.serializers import serialize

from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.messaging import checks
from integration_hub.models import Activity, Attempt, Connection, InboundEvent, OutboundCommand, User, vault
from tests import spine, standin

pytestmark = pytest.mark.django_db
SECRET = "s3cret-for-tests"
KEPT = (Activity, Attempt, InboundEvent, OutboundCommand, Connection, ExceptionCase)


def everything_kept() -> str:
    rows = [row for model in KEPT for row in model._default_manager.all()]
    bodies = b"".join(bytes(event.body) for event in InboundEvent.objects.all())
    return f"{serialize('json', rows)}{bodies.decode()}"


def test_a_secret_is_in_nothing_that_is_kept_or_logged(
    joined: Connection,
    erp: Connection,
    world: standin.World,
    person: Callable[..., User],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    spine.teapot()
    world.before = lambda _command: (_ for _ in ()).throw(Rejected("no", detail="refused"))
    spine.deliver(standin.order(1))
    spine.deliver(standin.order(2, bug=True))
    spine.run()
    perform(checks.CHECK, erp, by=person("integrator"))
    assert Attempt.objects.exists()
    assert SECRET not in everything_kept()
    assert SECRET not in caplog.text
    assert "zero" in caplog.text.lower() or "mistake of ours" in caplog.text  # something was logged at all


def test_a_connector_shows_no_secret(joined: Connection) -> None:
    connector = joined.connector()
    assert SECRET not in repr(connector.config) + repr(joined) + str(vars(joined) | {"sealed": b""})
    assert SECRET in connector.http.secrets
    assert SECRET.encode() not in bytes(joined.sealed)


def test_what_is_kept_of_an_exchange_is_redacted_and_storable() -> None:
    kept = Http(secrets=[SECRET]).redact(f"token {SECRET} \x00 end")
    assert SECRET not in kept
    assert "\x00" not in kept
    assert json.dumps(kept)


def test_keys_can_be_changed_one_after_the_other(joined: Connection, settings: Any) -> None:
    old, new = settings.HUB_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.HUB_ENCRYPTION_KEYS = [new, old]
    assert joined.secrets == {"secret": SECRET}
    sealed = vault.rotate(joined.sealed)
    settings.HUB_ENCRYPTION_KEYS = [new]
    assert vault.unseal(sealed) == {"secret": SECRET}
    with pytest.raises(Misconfigured):
        vault.unseal(joined.sealed)
    assert vault.rotate(b"") == b""


def test_the_command_rotates_every_connection(joined: Connection, erp: Connection, settings: Any, capsys: Any) -> None:
    new = Fernet.generate_key().decode()
    settings.HUB_ENCRYPTION_KEYS = [new, *settings.HUB_ENCRYPTION_KEYS]
    call_command("rotate_keys")
    settings.HUB_ENCRYPTION_KEYS = [new]
    assert [connection.secrets for connection in Connection.objects.all()] == [{"secret": SECRET}] * 2
    assert SECRET not in capsys.readouterr().out


def test_a_lost_key_is_misconfigured_and_new_secrets_heal_it(joined: Connection, settings: Any) -> None:
    settings.HUB_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for act in (lambda: joined.secrets, joined.connector, lambda: vault.rotate(joined.sealed)):
        with pytest.raises(Misconfigured) as lost:
            act()
        assert lost.value.code == "no_key"
    with pytest.raises(Misconfigured):
        joined.set_secrets({"secret": ""})
    joined.set_secrets({"secret": "another-secret"})
    assert joined.secrets == {"secret": "another-secret"}


def test_an_empty_secret_leaves_the_stored_one(joined: Connection) -> None:
    joined.set_secrets({"secret": ""})
    assert joined.secrets == {"secret": SECRET}


def test_missing_settings_are_misconfigured(joined: Connection) -> None:
    joined.sealed = b""
    with pytest.raises(Misconfigured) as missing:
        joined.connector()
    assert missing.value.code == "incomplete"
