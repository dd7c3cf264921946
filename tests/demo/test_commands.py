"""The operator's commands: configuration out and in, keys turned, queues drained."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from exceptions.models import SavedView
from integration_hub.kernel.errors import Misconfigured
from integration_hub.models import Connection, ExternalReference, OutboundCommand, PollState, ProcessSwitch
from inventory import services as inventory
from inventory.models import Variant
from inventory.services import Named
from orders.models import Order
from tests import standin
from tests.stories.test_order_to_erp import deliver

pytestmark = pytest.mark.django_db


def run(*command: str) -> str:
    """What the command says."""
    said = StringIO()
    call_command(*command, stdout=said)
    return said.getvalue()


@pytest.fixture
def furnished(joined: Connection) -> Connection:
    """A shop with settings, a mapping, a process that is off, and a view for everybody."""
    joined.config = {"note": "Köln"}
    joined.save()
    inventory.map_name(
        joined, Named(product_id="77", sku="TK-100-B"), Variant.objects.create(sku="TK-100", title="Kanne")
    )
    ProcessSwitch.objects.filter(process="status_to_shop").update(enabled=False)
    SavedView.objects.create(name="Teuer", query="amount=100", role="finance")
    return joined


@pytest.fixture
def written(furnished: Connection, tmp_path: Path) -> Path:
    path = tmp_path / "hub.yaml"
    run("config", "export", str(path))
    return path


def emptied() -> None:
    for model in (ProcessSwitch, ExternalReference, PollState, Connection, Variant, SavedView):
        model._default_manager.all().delete()


def everything() -> dict[str, Any]:
    return {
        "connections": list(
            Connection.objects.order_by("slug").values("slug", "kind", "name", "role", "mode", "config", "state")
        ),
        "switches": sorted(ProcessSwitch.objects.values_list("channel__slug", "process", "target__slug", "enabled")),
        "names": sorted(ExternalReference.objects.values_list("connection__slug", "kind", "external_id")),
        "products": list(Variant.objects.values_list("sku", "title")),
        "views": list(SavedView.objects.values_list("name", "query", "role")),
    }


def secrets_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("LADEN", "ERP"):
        monkeypatch.setenv(f"HUB_SECRET_{slug}_SECRET", f"of-{slug}")


def test_what_is_exported_comes_back_into_an_empty_hub(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    emptied()
    secrets_given(monkeypatch)
    said = run("config", "import", str(written))
    assert everything() == before
    assert Connection.objects.get(slug="laden").secrets == {"secret": "of-LADEN"}
    assert "connection laden: ready" in said
    assert PollState.objects.filter(connection__slug="erp").exists()
    again = written.with_name("again.yaml")
    run("config", "export", str(again))
    assert again.read_text() == written.read_text()


def test_no_secret_is_ever_in_the_file(written: Path) -> None:
    said = written.read_text()
    assert "s3cret-for-tests" not in said
    assert yaml.safe_load(said)["connections"][0]["secrets"] == ["secret"]


def test_importing_twice_changes_nothing(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets_given(monkeypatch)
    before = everything()
    for _ in range(2):
        run("config", "import", str(written))
    assert everything() == before


def test_a_connection_without_its_secrets_is_paused_and_says_so(written: Path) -> None:
    emptied()
    said = run("config", "import", str(written))
    assert "connection laden: paused, secrets missing: secret" in said
    made = Connection.objects.get(slug="laden")
    assert (made.state, made.state_reason["params"]) == ("PAUSED", {"names": "secret"})


def test_a_secret_that_is_stored_already_is_kept(written: Path) -> None:
    said = run("config", "import", str(written))
    assert "connection laden: ready" in said
    assert Connection.objects.get(slug="laden").secrets == {"secret": "s3cret-for-tests"}


def spoil(found: dict[str, Any], part: str, **changes: Any) -> None:
    found[part][-1] |= changes


BAD: dict[str, Any] = {
    "another version": lambda found: found.update(version=2),
    "a process of no channel": lambda found: spoil(found, "processes", channel="nowhere"),
    "an unknown system": lambda found: spoil(found, "connections", kind="nosuch"),
    "an unknown mode": lambda found: spoil(found, "connections", mode="PLAY"),
    "an unknown process": lambda found: spoil(found, "processes", process="nosuch"),
    "test joined to live": lambda found: spoil(found, "connections", mode="LIVE"),
    "a moment that is none": lambda found: spoil(found, "processes", since="gestern"),
    "a connection without a name": lambda found: found["connections"][-1].pop("name"),
    "a mapping without its product": lambda found: found["mappings"][-1].pop("sku"),
    "a view without a query": lambda found: found["views"][-1].pop("query"),
    "a text where a list belongs": lambda found: found.update(processes="all"),
    "settings that are a list": lambda found: spoil(found, "connections", config=["url"]),
    "a name that is too long": lambda found: spoil(found, "connections", slug="x" * 200),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_file_changes_nothing(written: Path, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets_given(monkeypatch)
    found = yaml.safe_load(written.read_text())
    found["connections"][0]["name"] = "Another name"
    BAD[mistake](found)
    written.write_text(yaml.safe_dump(found))
    before = everything()
    with pytest.raises(CommandError) as caught:
        run("config", "import", str(written))
    assert everything() == before
    assert len(str(caught.value)) > 10


@pytest.mark.parametrize("said", ["connections: [", "- just a list", "!!python/object/apply:os.getcwd []", ""])
def test_a_file_that_is_no_configuration(tmp_path: Path, said: str) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(said)
    with pytest.raises(CommandError):
        run("config", "import", str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run("config", "import", str(tmp_path / "none.yaml"))


def test_keys_are_turned_and_the_old_one_may_go(joined: Connection, settings: Any) -> None:
    old, new = settings.HUB_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    Connection.objects.create(kind="report", slug="portal", name="Portal", role="SHOP")
    settings.HUB_ENCRYPTION_KEYS = [new, old]
    assert "3 connections" in run("rotate_keys")
    settings.HUB_ENCRYPTION_KEYS = [new]
    assert Connection.objects.get(slug="laden").secrets == {"secret": "s3cret-for-tests"}


def test_without_the_old_key_nothing_is_turned(joined: Connection, settings: Any) -> None:
    before = bytes(Connection.objects.get(slug="laden").sealed)
    settings.HUB_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Misconfigured):
        run("rotate_keys")
    assert bytes(Connection.objects.get(slug="laden").sealed) == before


def test_drain_polls_processes_and_delivers_until_nothing_is_due(joined: Connection, world: standin.World) -> None:
    Variant.objects.create(sku="TK-100", title="Teekanne")
    deliver(standin.order(1))
    assert "moved" in run("drain")
    assert [len(held) for held in world.sales.values()] == [1]
    assert Order.objects.get().sales.count() == 1
    assert not OutboundCommand.objects.exclude(state="DONE").exists()
    assert run("drain").startswith("0 moved")
