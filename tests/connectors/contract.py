"""What every connector must keep.  A connector's tests inherit the parts that fit its capabilities.

    class TestDeclaration(Mine, DeclarationContract): ...
    class TestWebhooks(Mine, WebhookContract): ...      # RECEIVE, from webhooks.py
    class TestParsing(Mine, ParseContract): ...         # everybody
    class TestTrouble(Mine, TroubleContract): ...       # whoever speaks HTTP
    class TestListing(Mine, OrdersListedContract): ...  # LIST_ORDERS, from listing.py; SalesListedContract for LIST_SALES
    class TestLevels(Mine, LevelsListedContract): ...   # LIST_LEVELS, from levels.py; ProductsSweptContract for SWEEP_PRODUCTS
    class TestWriting(Mine, WriteContract): ...         # WRITE_SALE, TELL_*, REFUND, SET_STOCK
    class TestStock(Mine, StockContract): ...           # SET_STOCK and LIST_LEVELS, from stock.py
    class TestFunds(Mine, FundsContract): ...           # who reports money, from funds.py

where ``Mine`` is a ``Contract`` that says how to make the connector, which payloads and commands to try, and what the
outside world answers.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_hub.connectors.base import Capability, Connector, Delivery, Finding, Incoming
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater, Unsupported
from integration_hub.kernel.messages import Command, OrderReport
from integration_hub.kernel.text import Text

from .capabilities import COMMANDS, METHODS
from .nonsense import BROKEN_BODIES, mutations
from .soundness import assert_lines_add_up, assert_sound
from .world import Fault, World, everything, outside

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Sample:
    """A payload: ``agrees`` says that its own lines sum up to its total."""

    name: str
    delivery: Delivery
    agrees: bool = True


class Contract:
    """What a connector's tests say about it."""

    connector_class: ClassVar[type[Connector]]

    def config(self) -> dict[str, Any]:
        """Settings of a connection; every secret with a value of at least eight characters."""
        raise NotImplementedError

    def samples(self) -> Sequence[Sample]:
        """Payloads that parse, own ones."""
        return ()

    def commands(self) -> Sequence[Command]:
        """One command of each kind that the connector can carry out."""
        return ()

    def world(self) -> World:
        """A fresh outside world that keeps what is written to it."""
        raise NotImplementedError

    def hints(self) -> Sequence[Delivery]:
        """Messages that only say where to look."""
        return ()

    def connector(self, **changes: Any) -> Connector:
        return self.connector_class(self.connector_class.Config(**{**self.config(), **changes}), Http())

    def can(self, capability: Capability) -> bool:
        return capability in self.connector_class.capabilities

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "sample" in metafunc.fixturenames:
            samples = self.samples()
            metafunc.parametrize("sample", samples, ids=[item.name for item in samples])
        if "command" in metafunc.fixturenames:
            commands = self.commands()
            metafunc.parametrize("command", commands, ids=[type(item).__name__ for item in commands])
        if "call" in metafunc.fixturenames:
            calls = self.calls()
            metafunc.parametrize("call", list(calls.values()), ids=list(calls))

    def calls(self) -> Mapping[str, Callable[[Connector], object]]:
        """Everything that speaks to the outside, from the capabilities."""
        calls: dict[str, Callable[[Connector], object]] = {}
        for stream in self.connector_class.streams:
            calls[f"poll {stream.name}"] = lambda it, name=stream.name: it.poll(name, SINCE, None)  # type: ignore[misc]
        asked: dict[Capability, tuple[str, Callable[[Connector], object]]] = {
            Capability.SWEEP: ("gone", lambda it: it.gone(["1"])),
            Capability.SWEEP_PRODUCTS: ("gone products", lambda it: it.gone_products(["1"])),
            Capability.LIST_LEVELS: ("list levels", lambda it: it.list_levels(None)),
            Capability.LIST_ORDERS: (
                "list orders",
                lambda it: it.list_orders(SINCE, SINCE + timedelta(days=1), None),
            ),
            Capability.LIST_SALES: ("list sales", lambda it: it.list_sales(["R1"])),
        }
        calls |= dict(call for capability, call in asked.items() if self.can(capability))
        for hint in self.hints():
            calls[f"follow {hint.topic}"] = lambda it, what=hint: it.follow(what)  # type: ignore[misc]
        for command in self.commands():
            calls[f"send {type(command).__name__}"] = lambda it, what=command: it.send(what)  # type: ignore[misc]
        return calls


class DeclarationContract(Contract):
    """What a connector says about itself is true."""

    def test_names_itself(self) -> None:
        cls = self.connector_class
        assert cls.code
        assert cls.code == cls.code.lower()
        assert cls.label
        assert cls.roles
        assert all(isinstance(limit, Text) for limit in cls.cannot)

    def test_every_capability_is_implemented(self) -> None:
        for capability in self.connector_class.capabilities:
            for method in METHODS[capability]:
                assert getattr(self.connector_class, method) is not getattr(Connector, method), (capability, method)
        for method in ("parse", "check"):
            assert getattr(self.connector_class, method) is not getattr(Connector, method)

    def test_every_writing_capability_has_a_command_here(self) -> None:
        assert {type(command) for command in self.commands()} == {
            COMMANDS[capability] for capability in self.connector_class.capabilities if capability in COMMANDS
        }

    def test_has_streams_exactly_if_it_polls(self) -> None:
        streams = self.connector_class.streams
        assert bool(streams) == self.can(Capability.POLL)
        assert len({stream.name for stream in streams}) == len(streams)
        assert all(stream.every >= timedelta(minutes=1) and stream.overlap >= timedelta(0) for stream in streams)

    def test_what_it_cannot_do_is_unsupported(self) -> None:
        it = self.connector()
        if not self.can(Capability.RECEIVE):
            with pytest.raises(Unsupported):
                it.receive(Incoming({}, b"{}"))
        if not self.can(Capability.SWEEP):
            with pytest.raises(Unsupported):
                it.gone(["1"])
        if not self.can(Capability.SWEEP_PRODUCTS):
            with pytest.raises(Unsupported):
                it.gone_products(["1"])
        if not self.can(Capability.LIST_LEVELS):
            with pytest.raises(Unsupported):
                it.list_levels(None)
        if not self.can(Capability.LIST_ORDERS):
            with pytest.raises(Unsupported):
                it.list_orders(SINCE, SINCE, None)
        if not self.can(Capability.LIST_SALES):
            with pytest.raises(Unsupported):
                it.list_sales(["1"])
        with pytest.raises(Unsupported):
            it.poll("no such stream", None, None)

    def test_config_is_frozen_and_labelled(self) -> None:
        config = self.connector().config
        name = dataclasses.fields(config)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config, name, "other")
        assert all(isinstance(item.metadata["label"], Text) for item in self.connector_class.options())

    def test_secrets_are_not_in_the_repr_of_the_config(self) -> None:
        shown = repr(self.connector().config)
        for secret in self.secrets():
            assert secret not in shown

    def test_secrets_are_given_to_the_client(self) -> None:
        assert self.secrets() <= set(self.connector().http.secrets)

    def secrets(self) -> set[str]:
        return {self.config()[name] for name in self.connector_class.secret_names() if self.config().get(name)}


class ParseContract(Contract):
    """Translation: total, repeatable, exact, and never anything but Rejected."""

    def test_parses_twice_the_same(self, sample: Sample) -> None:
        first, second = self.connector().parse(sample.delivery), self.connector().parse(sample.delivery)
        assert first
        assert first == second

    def test_reports_hold_only_sound_values(self, sample: Sample) -> None:
        for report in self.connector().parse(sample.delivery):
            assert_sound(report)

    def test_money_is_exact(self, sample: Sample) -> None:
        for report in self.connector().parse(sample.delivery):
            if isinstance(report, OrderReport):
                assert_lines_add_up(report)
                assert not sample.agrees or sum(line.gross for line in report.lines) == report.total

    @pytest.mark.parametrize("body", BROKEN_BODIES, ids=range(len(BROKEN_BODIES)))
    def test_broken_bytes_are_rejected(self, body: bytes) -> None:
        for topic in {sample.delivery.topic for sample in self.samples()}:
            with pytest.raises(Rejected):
                self.connector().parse(Delivery(topic, "1", body))

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_whatever_is_wrong_inside_is_rejected_or_sound(self, data: st.DataObject) -> None:
        sample = data.draw(st.sampled_from(self.samples()))
        body = json.dumps(data.draw(mutations(json.loads(sample.delivery.body)))).encode()
        with suppress(Rejected):
            for report in self.connector().parse(dataclasses.replace(sample.delivery, body=body)):
                assert_sound(report)


class TroubleContract(Contract):
    """When the outside fails, the error says who acts next."""

    refusals: ClassVar[tuple[int, ...]] = (401, 403)

    def test_no_connection_writes_nothing(self, call: Callable[[Connector], object]) -> None:
        with everything(requests.ConnectTimeout()), pytest.raises(RetryLater) as caught:
            call(self.connector())
        assert not caught.value.maybe_written

    def test_no_answer_is_tried_again(self, call: Callable[[Connector], object]) -> None:
        with everything(requests.ReadTimeout()), pytest.raises(RetryLater):
            call(self.connector())

    def test_slow_down_says_when(self, call: Callable[[Connector], object]) -> None:
        with everything((429, {"Retry-After": "7"}, "")), pytest.raises(RetryLater) as caught:
            call(self.connector())
        assert caught.value.after == timedelta(seconds=7)

    @pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520])
    def test_their_fault_is_tried_again(self, status: int, call: Callable[[Connector], object]) -> None:
        with everything((status, {}, "<html>oops</html>")), pytest.raises(RetryLater):
            call(self.connector())

    def test_refused_credentials_are_for_the_integrator(self, call: Callable[[Connector], object]) -> None:
        for status in self.refusals:
            with everything((status, {}, "no")), pytest.raises(Misconfigured):
                call(self.connector())

    def test_a_redirect_is_not_followed(self, call: Callable[[Connector], object]) -> None:
        with everything((302, {"Location": "http://elsewhere.example/"}, "")) as rsps:
            with pytest.raises(Misconfigured):
                call(self.connector())
            assert len(rsps.calls) == 1

    @pytest.mark.parametrize("body", ["", "<html>hello</html>", "null", "[]", "{}", "[1]", '"x"', '{"data": 1}', "{"])
    def test_a_strange_answer_is_no_crash(self, body: str, call: Callable[[Connector], object]) -> None:
        with everything((200, {}, body)), suppress(HubError):
            call(self.connector())

    @pytest.mark.parametrize("status", [200, 401, 404, 500])
    def test_the_check_says_it_and_never_raises(self, status: int) -> None:
        with everything((status, {}, "<html>oops</html>")):
            findings = self.connector().check()
        assert all(isinstance(finding, Finding) for finding in findings)
        assert any(not finding.ok for finding in findings)

    def test_the_check_of_a_sound_connection_finds_it_sound(self) -> None:
        with outside(self.world()):
            findings = self.connector().check()
        assert findings
        assert all(finding.ok for finding in findings), [str(finding.text) for finding in findings]

    def test_secrets_are_in_no_exchange_error_or_log(
        self, call: Callable[[Connector], object], caplog: pytest.LogCaptureFixture
    ) -> None:
        secrets = [self.config()[name] for name in self.connector_class.secret_names() if self.config().get(name)]
        it, echo = self.connector(), " ".join(secrets) + json.dumps(secrets)
        with caplog.at_level(logging.DEBUG), everything((400, {}, echo)), suppress(HubError):
            try:
                call(it)
            except HubError as error:
                told = f"{error} {error.detail}"
                assert not [secret for secret in secrets if secret in told]
                raise
        kept = repr(it.http.exchanges) + caplog.text
        assert it.http.exchanges
        assert not [secret for secret in secrets if secret in kept]


class WriteContract(Contract):
    """The same command makes one object, whatever happens on the way."""

    def test_is_not_there_before_and_is_found_after(self, command: Command) -> None:
        it = self.connector()
        with outside(self.world()):
            assert it.find(command) is None
            written = it.send(command)
            found = it.find(command)
        assert found is not None
        assert found.external_id == written.external_id
        assert not written.was_there
        assert not found.unfinished

    def test_twice_makes_one(self, command: Command) -> None:
        world = self.world()
        with outside(world):
            first = self.connector().send(command)
            made = world.made()
            second = self.connector().send(command)
        assert made
        assert world.made() == made
        assert second.was_there
        assert second.external_id == first.external_id

    def test_a_lost_answer_is_marked_and_repeated_without_a_second_object(self, command: Command) -> None:
        undisturbed = self.world()
        with outside(undisturbed) as wire:
            self.connector().send(command)
        assert wire.writes >= 1
        for number in range(1, wire.writes + 1):
            world = self.world()
            with outside(world, Fault(after_write=number)), pytest.raises(RetryLater) as caught:
                self.connector().send(command)
            assert caught.value.maybe_written
            with outside(world):
                self.connector().send(command)
            assert world.made() == undisturbed.made()

    def test_what_a_broken_try_left_is_found_unfinished_and_finished_by_the_next(self, command: Command) -> None:
        """What ``find`` does not see, the hub may forget: so it sees everything that ``send`` would go on with."""
        undisturbed = self.world()
        with outside(undisturbed) as wire:
            self.connector().send(command)
        for number in range(1, wire.writes + 1):
            world = self.world()
            with outside(world, Fault(after_write=number)), pytest.raises(RetryLater):
                self.connector().send(command)
            with outside(world):
                left = self.connector().find(command)
                done = self.connector().send(command)
                found = self.connector().find(command)
            assert (left.external_id if left else None) == (done.external_id if done.was_there else None)
            assert found is not None
            assert not found.unfinished

    def test_a_write_that_never_left_is_not_marked(self, command: Command) -> None:
        world = self.world()
        before = world.made()
        with outside(world, Fault(before_write=1)), pytest.raises(RetryLater) as caught:
            self.connector().send(command)
        assert not caught.value.maybe_written
        assert world.made() == before
