"""What every connector that receives webhooks must keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.kernel.errors import Rejected, Unauthentic

from .contract import Contract
from .nonsense import BROKEN_BODIES


class WebhookContract(Contract):
    """Only what the system really signed comes in, and nothing that it signed gets lost."""

    signature_headers: ClassVar[tuple[str, ...]]

    def signed(self, body: bytes, topic: str) -> Incoming:
        """The request as the system would send it, signed with the secret of ``config``."""
        raise NotImplementedError

    def topic(self) -> str:
        """A topic that carries orders."""
        raise NotImplementedError

    def take(self, request: Incoming, **changes: Any) -> Sequence[Delivery]:
        """Let the request in; who can judge a signature only later does so here."""
        return self.connector(**changes).receive(request)

    def test_signed_is_taken_with_exactly_these_bytes(self) -> None:
        body = b'{"id": 4711,  "name": "caf\\u00e9"}\n'
        (delivery,) = self.connector().receive(self.signed(body, self.topic()))
        assert (delivery.topic, delivery.object_id, delivery.body) == (self.topic(), "4711", body)

    def test_unsigned_is_refused(self) -> None:
        request = self.signed(b'{"id": 1}', self.topic())
        headers = {name: value for name, value in request.headers.items() if name not in self.signature_headers}
        with pytest.raises(Unauthentic):
            self.take(Incoming(headers, request.body))

    @pytest.mark.parametrize("wrong", ["", "AAAA", "é", "0" * 64, "=" * 44])
    def test_wrongly_signed_is_refused(self, wrong: str) -> None:
        request = self.signed(b'{"id": 1}', self.topic())
        headers = {**request.headers, **dict.fromkeys(set(self.signature_headers) & set(request.headers), wrong)}
        with pytest.raises(Unauthentic):
            self.take(Incoming(headers, request.body))

    def test_one_changed_byte_is_refused(self) -> None:
        request = self.signed(b'{"id": 1}', self.topic())
        with pytest.raises(Unauthentic):
            self.take(Incoming(request.headers, b'{"id": 2}'))

    def test_an_empty_secret_opens_no_door(self) -> None:
        request = self.signed(b'{"id": 1}', self.topic())
        blank = dict.fromkeys(self.connector_class.secret_names() & set(self.config()), "")
        with pytest.raises(Unauthentic):
            self.take(request, **blank)

    def test_a_replay_is_the_same_delivery(self) -> None:
        request = self.signed(b'{"id": 1}', self.topic())
        assert self.connector().receive(request) == self.connector().receive(request)

    @pytest.mark.parametrize("body", BROKEN_BODIES, ids=range(len(BROKEN_BODIES)))
    def test_signed_nonsense_is_kept_and_then_rejected(self, body: bytes) -> None:
        (delivery,) = self.connector().receive(self.signed(body, self.topic()))
        assert delivery.body == body
        assert delivery.object_id in ("", "1")  # read cheaply where it stands first; judged when it is understood
        it = self.connector()
        with pytest.raises(Rejected):
            it.follow(delivery) if it.is_hint(delivery) else it.parse(delivery)
