"""Whatever breaks on the way, one order ends as one processed sale with one invoice and one shipment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from integration_hub.connectors.http import Answer, Http
from integration_hub.kernel.errors import Misconfigured, RetryLater
from integration_hub.kernel.messages import WriteSale, Written
from tests.erp.office import LOOPBACK, Office
from tests.erp.server import Erp

from .orders import connector, order

pytestmark = pytest.mark.erp


class Killed(BaseException):
    """The end of our own process."""


class Dying(Http):
    """A client whose process is killed just before or just after its nth writing request."""

    def __init__(self, number: int, *, after: bool) -> None:
        super().__init__(allowed=[LOOPBACK])
        self.left, self.after = number, after

    def request(self, method: str, path: str, **kwargs: Any) -> Answer:
        writes = method != "GET" and not path.endswith("/rpc/")
        self.left -= writes
        if writes and self.left == 0 and not self.after:
            raise Killed
        answer = super().request(method, path, **kwargs)
        if writes and self.left == 0:
            raise Killed
        return answer


class Impatient(Http):
    """A client that gives up waiting for the answer to the nth writing request."""

    def __init__(self, number: int) -> None:
        super().__init__(allowed=[LOOPBACK])
        self.left = number

    def request(self, method: str, path: str, **kwargs: Any) -> Answer:
        self.left -= method != "GET"
        self.timeout = (5.0, 0.005 if self.left == 0 and method != "GET" else 30.0)
        return super().request(method, path, **kwargs)


def assert_complete(office: Office, command: WriteSale) -> None:
    sale = office.sale(command.reference, "invoices.id", "shipments.id", "total_amount")
    assert sale["state"] == "processing"
    assert sale["total_amount"] == command.total
    assert (len(sale["invoices"]), len(sale["shipments"])) == (1, 1)


def persist(send: Callable[[], Written]) -> Written:
    """Try as the hub does: again and again while the connector says that this may help."""
    for _ in range(20):
        try:
            return send()
        except RetryLater:
            threading.Event().wait(0.2)
    raise AssertionError("never got through")


WRITES = {1: "customer", 2: "invoice address", 3: "shipment address", 4: "create", 5: "quote", 6: "confirm"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", WRITES, ids=WRITES.values())
def test_killed_at_any_point_the_next_try_completes(real_erp: Erp, office: Office, number: int, after: bool) -> None:
    command = order()
    with pytest.raises(Killed):
        connector(real_erp, Dying(number, after=after)).send(command)

    connector(real_erp).send(command)

    assert_complete(office, command)


@pytest.mark.parametrize(("number", "state"), [(4, "draft"), (5, "quotation")])
def test_what_a_killed_try_left_is_found_unfinished(real_erp: Erp, office: Office, number: int, state: str) -> None:
    command = order()
    with pytest.raises(Killed):
        connector(real_erp, Dying(number, after=True)).send(command)
    assert office.sale(command.reference)["state"] == state

    left = connector(real_erp).find(command)
    written = connector(real_erp).send(command)

    assert left is not None
    assert (left.unfinished, left.vendor_status, left.external_id) == (True, state, written.external_id)
    assert connector(real_erp).find(command) == replace(written, was_there=True)


@pytest.mark.parametrize("number", WRITES, ids=WRITES.values())
def test_no_answer_in_time_is_unclear_and_the_next_try_completes(real_erp: Erp, office: Office, number: int) -> None:
    command = order()
    with pytest.raises(RetryLater) as caught:
        connector(real_erp, Impatient(number)).send(command)
    assert caught.value.maybe_written

    written = persist(lambda: connector(real_erp).send(command))

    assert written == persist(lambda: connector(real_erp).send(command)) or not written.was_there
    assert_complete(office, command)


def test_killed_between_confirmation_and_processing_the_next_try_processes(real_erp: Erp, office: Office) -> None:
    command = order()
    with real_erp.without_worker() as half, pytest.raises(Killed):
        connector(half, Dying(6, after=True)).send(command)
    assert office.sale(command.reference)["state"] == "confirmed"
    left = connector(real_erp).find(command)
    assert left is not None
    assert left.unfinished

    written = connector(real_erp).send(command)

    assert (written.vendor_status, written.was_there) == ("processing", True)
    assert_complete(office, command)


def test_four_at_once_make_one_sale(real_erp: Erp, office: Office) -> None:
    command, start, ends = order(), threading.Barrier(4), list[object]()

    def send() -> None:
        start.wait()
        try:
            ends.append(persist(lambda: connector(real_erp).send(command)).external_id)
        except BaseException as error:  # noqa: BLE001  the main thread looks at it
            ends.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert ends == [str(office.sale(command.reference)["id"])] * 4
    assert_complete(office, command)


def test_a_correction_reaches_the_draft_of_an_earlier_try(real_erp: Erp, office: Office) -> None:
    command = order()
    with pytest.raises(Killed):
        connector(real_erp, Dying(4, after=True)).send(command)

    connector(real_erp, warehouse="WH2").send(command)

    assert office.sale(command.reference, "warehouse.code")["warehouse"]["code"] == "WH2"
    assert_complete(office, command)


def test_a_quotation_with_another_total_goes_back_to_draft_first(real_erp: Erp, office: Office) -> None:
    command = order()
    with pytest.raises(Killed):
        connector(real_erp, Dying(4, after=True)).send(command)
    sale = office.sale(command.reference, "lines.id")
    office.rest.write("sale.line", sale["lines"][0]["id"], {"quantity": 5})
    office.press("sale.sale", sale["id"], "quote")

    with pytest.raises(RetryLater) as caught:
        connector(real_erp).send(command)
    assert caught.value.code == "changed_meanwhile"
    connector(real_erp).send(command)

    assert_complete(office, command)


def test_a_wrong_key_is_for_the_integrator(real_erp: Erp) -> None:
    with pytest.raises(Misconfigured) as caught:
        connector(real_erp, api_key="not-the-right-key").send(order())
    assert caught.value.code == "refused_credentials"


def test_a_wrong_database_is_for_the_integrator(real_erp: Erp) -> None:
    with pytest.raises(Misconfigured, match="no-such-database"):
        connector(real_erp, database="no-such-database").send(order())


def test_a_wrong_web_shop_is_for_the_integrator(real_erp: Erp) -> None:
    with pytest.raises(Misconfigured, match="Marktplatz"):
        connector(real_erp, web_shop="Marktplatz").send(order())
