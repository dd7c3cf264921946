"""Our connectors while the played world misbehaves: what is tried again, and what must never happen twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.messages import WriteSale
from integration_hub.sandbox.app import Sandbox

from .across import as_sale, polled
from .play import control, odoo, shopify, state, woo


@pytest.mark.parametrize("fault", ["drop_after_write_rate", "timeout_after_write_rate"])
@pytest.mark.parametrize("version", ["17", "19"])
def test_an_answer_that_gets_lost_makes_no_second_sale(sandbox: Sandbox, fault: str, version: str) -> None:
    sandbox.world.turn(odoo_version=version)
    control(sandbox, "orders", shop="woo", webhooks=False)
    (report,) = polled(woo(sandbox))
    control(sandbox, "faults", target="odoo", **{fault: 1}, hold_seconds=5)
    command, erp = as_sale(report, "H-1"), odoo(sandbox)
    erp.http.timeout = (1, 0.3)
    for _ in range(5):
        if erp.find(command) is not None:
            break
        with pytest.raises(RetryLater) as caught:
            erp.send(command)
        assert caught.value.maybe_written
    assert erp.find(command) is not None
    control(sandbox, "reset")
    assert erp.send(command).was_there
    found = state(sandbox)
    assert (list(found["sales"]), found["doubles"], found["odoo"]["confirmed"]) == (["H-1"], {}, 1)


@pytest.mark.parametrize("fault", ["timeout_before_write_rate", "drop_before_write_rate"])
def test_a_request_that_never_arrived_wrote_nothing(sandbox: Sandbox, fault: str) -> None:
    control(sandbox, "orders", shop="woo", webhooks=False)
    (report,) = polled(woo(sandbox))
    control(sandbox, "faults", target="odoo", hold_seconds=0.1, **{fault: 1})
    with pytest.raises(RetryLater):
        odoo(sandbox).send(as_sale(report, "H-1"))
    assert state(sandbox)["odoo"]["partners"] == 0


def test_asking_to_slow_down_is_a_fault_of_its_own(sandbox: Sandbox) -> None:
    control(sandbox, "faults", target="odoo", slow_down_rate=1, retry_after=3)
    with pytest.raises(RetryLater) as caught:
        odoo(sandbox).poll("sales", None, None)
    assert (caught.value.code, caught.value.after) == ("slow_down", timedelta(seconds=3))


@pytest.mark.parametrize(("status", "wait"), [(503, None), (429, timedelta(seconds=9)), (500, None)])
def test_an_outage_is_tried_again(sandbox: Sandbox, status: int, wait: timedelta | None) -> None:
    seconds = int(wait.total_seconds()) if wait else 0
    for target in ("woo", "shopify", "odoo"):
        control(sandbox, "faults", target=target, error_rate=1, status=status, retry_after=seconds)
    for it in (woo(sandbox), odoo(sandbox)):
        with pytest.raises(RetryLater) as caught:
            it.poll(it.streams[0].name, None, None)
        assert caught.value.after == wait


def test_shopify_asks_to_slow_down_in_its_own_way(sandbox: Sandbox) -> None:
    control(sandbox, "faults", target="shopify", error_rate=1, status=429)
    with pytest.raises(RetryLater) as caught:
        shopify(sandbox).poll("orders", None, None)
    assert caught.value.code == "slow_down"
    assert caught.value.after is not None


@pytest.mark.parametrize("version", ["17", "19"])
def test_every_order_becomes_one_sale_whatever_goes_wrong_on_the_way(sandbox: Sandbox, version: str) -> None:
    sandbox.world.turn(odoo_version=version)
    control(sandbox, "orders", shop="woo", count=40, webhooks=False)
    commands = [as_sale(report, f"H-{report.external_id}") for report in polled(woo(sandbox))]
    rates = {"error_rate": 0.1, "drop_after_write_rate": 0.15, "timeout_before_write_rate": 0.1}
    control(sandbox, "faults", target="odoo", status=502, hold_seconds=0.01, **rates)
    threads = [threading.Thread(target=_persist, args=(sandbox, commands[part::4])) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    struck = state(sandbox)["faults"]["struck"]
    control(sandbox, "reset")
    found = state(sandbox)
    assert all(struck[f"odoo.{rate}"] > 5 for rate in rates)
    assert {reference: len(ids) for reference, ids in found["sales"].items()} == {
        item.reference: 1 for item in commands
    }
    assert found["odoo"]["confirmed"] == 40
    assert len({row["ref"] for row in sandbox.world.store.rows("res.partner") if row.get("ref")}) == 40


def _persist(sandbox: Sandbox, commands: Sequence[WriteSale]) -> None:
    """What the hub does: try, look after an unclear end, try again."""
    for command in commands:
        erp, done = odoo(sandbox), False
        while not done:
            try:
                found = erp.find(command)
                done = (found is not None and not found.unfinished) or bool(erp.send(command))
            except RetryLater:
                continue
