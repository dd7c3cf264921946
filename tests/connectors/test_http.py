"""The one way out: real sockets where the guard matters, mocks where only the answer does."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
import responses

from integration_hub.connectors import http as module
from integration_hub.connectors.http import HIDDEN, KEPT, Answer, Http, retry_after
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from tests.connectors.world import everything

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
URL = "https://api.example.test"


class Handler(BaseHTTPRequestHandler):
    """Answers what its path says."""

    seen: list[str] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()
            return
        body = b"x" * (module.MAX_ANSWER + 1) if self.path == "/large" else b'{"price": 0.10}'
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Handler.seen = []
    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_private_address_is_refused_before_a_byte_is_sent(server: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Http(server).get("/")
    assert caught.value.code == "private_address"
    assert Handler.seen == []


def test_a_name_that_leads_to_a_private_address_is_refused(server: str) -> None:
    with pytest.raises(Misconfigured, match="private address"):
        Http(server.replace("127.0.0.1", "localhost")).get("/")
    assert Handler.seen == []


def test_the_operator_may_allow_a_network(server: str) -> None:
    answer = Http(server, allowed=LOOPBACK).get("/")
    assert answer.json() == {"price": Decimal("0.10")}


def test_another_allowed_network_does_not_help(server: str) -> None:
    with pytest.raises(Misconfigured):
        Http(server, allowed=(ipaddress.ip_network("10.0.0.0/8"),)).get("/")


def test_a_redirect_is_not_followed(server: str) -> None:
    with pytest.raises(Misconfigured, match="redirect"):
        Http(server, allowed=LOOPBACK).get("/redirect")
    assert Handler.seen == ["/redirect"]


def test_an_answer_is_read_only_up_to_the_cap(server: str) -> None:
    with pytest.raises(Rejected, match="too large"):
        Http(server, allowed=LOOPBACK).get("/large")


def test_a_proxy_of_the_environment_is_not_used(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert Http(server, allowed=LOOPBACK).get("/").status == 200


def test_a_closed_port_was_never_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RetryLater) as caught:
        Http(f"http://127.0.0.1:{port}", allowed=LOOPBACK).request("POST", "/", json={})
    assert not caught.value.maybe_written


@pytest.mark.parametrize(
    ("method", "error", "maybe"),
    [
        ("POST", requests.ReadTimeout(), True),
        ("POST", requests.exceptions.ChunkedEncodingError(), True),
        ("POST", requests.ConnectionError("Connection aborted"), True),
        ("POST", requests.ConnectTimeout(), False),
        ("GET", requests.ReadTimeout(), False),
    ],
)
def test_an_unclear_end_is_marked_only_for_writes(method: str, error: Exception, maybe: bool) -> None:
    with everything(error), pytest.raises(RetryLater) as caught:
        Http(URL).request(method, "/")
    assert caught.value.maybe_written is maybe


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, Misconfigured),
        (400, Rejected),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, Rejected),
        (408, RetryLater),
        (409, Rejected),
        (422, Rejected),
        (429, RetryLater),
        (500, RetryLater),
        (503, RetryLater),
    ],
)
def test_a_status_says_who_acts(status: int, error: type[Exception]) -> None:
    with everything((status, {}, "")), pytest.raises(error):
        Http(URL).request("POST", "/")


@pytest.mark.parametrize(("status", "maybe"), [(500, True), (502, True), (504, True), (503, False), (429, False)])
def test_a_fault_may_hide_a_write(status: int, maybe: bool) -> None:
    with everything((status, {}, "")), pytest.raises(RetryLater) as caught:
        Http(URL).request("POST", "/")
    assert caught.value.maybe_written is maybe


@responses.activate
def test_it_remembers_that_something_was_written() -> None:
    responses.post(f"{URL}/search", json={})
    responses.post(f"{URL}/refused", json={}, status=422)
    responses.post(f"{URL}/orders", json={})
    http = Http(URL)
    http.request("POST", "/search", writes=False)
    http.request("POST", "/refused", accept=[422])
    assert not http.wrote
    http.request("POST", "/orders")
    http.request("POST", "/search", writes=False)
    assert http.wrote


def test_a_reading_post_says_so() -> None:
    with everything((500, {}, "")), pytest.raises(RetryLater) as caught:
        Http(URL).request("POST", "/", writes=False)
    assert not caught.value.maybe_written


def test_expected_statuses_come_back() -> None:
    with everything((404, {"X-A": "b"}, "gone")):
        answer = Http(URL).get("/", accept={404})
    assert (answer.status, answer.headers["x-a"], answer.text) == (404, "b", "gone")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999", timedelta(hours=1)),
        ("2.0", timedelta(seconds=2)),
        ("2.25", timedelta(seconds=3)),
        ("", None),
        ("soon", None),
        ("²", None),
        ("-5", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("Thu, 01 Jan 1970 00:00:00 -0000", None),
    ],
)
def test_retry_after(header: str, wait: timedelta | None) -> None:
    assert retry_after(Answer(429, {"retry-after": header}, b"")) == wait


def test_retry_after_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    wait = retry_after(Answer(429, {"retry-after": later}, b""))
    assert wait is not None
    assert timedelta(minutes=4, seconds=50) < wait <= timedelta(minutes=5)


@pytest.mark.parametrize("url", ["", "shop.example.test", "ftp://shop.example.test", "https://", "http://[::1"])
def test_a_bad_address_is_for_the_integrator(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Http(url).get("/x")
    assert caught.value.code == "bad_address"


@pytest.mark.parametrize("token", ["a\nb", "schlüssel€"])
def test_a_credential_that_cannot_be_sent_is_for_the_integrator(token: str, server: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Http(server, allowed=LOOPBACK, headers={"X-Token": token}).get("/x")
    assert caught.value.code == "bad_credentials"


def test_a_certificate_that_is_not_trusted_is_for_the_integrator() -> None:
    with everything(requests.exceptions.SSLError("bad")), pytest.raises(Misconfigured) as caught:
        Http(URL).get("/")
    assert caught.value.code == "certificate"


SECRET = 's3cr/t "ü&x'


@pytest.mark.parametrize(
    "text",
    [
        f"token={SECRET}",
        "u=s3cr%2Ft%20%22%C3%BC%26x",
        "u=s3cr%2Ft+%22%C3%BC%26x",
        '{"a":"s3cr/t \\"\\u00fc&x"}',
        '{"a":"s3cr\\/t \\"\\u00fc&x"}',
    ],
)
def test_a_secret_is_hidden_however_it_is_written(text: str) -> None:
    hidden = Http(secrets=[SECRET]).redact(text)
    assert HIDDEN in hidden
    assert "s3cr" not in hidden


@pytest.mark.parametrize(
    "text",
    ['{"order_key":"wc_order_abc"}', "?pay_for_order=true&key=wc_order_abc", '{"access_token": "wc_order_abc"}'],
)
def test_what_is_named_a_secret_is_hidden_unknown_as_it_is(text: str) -> None:
    assert "wc_order_abc" not in Http().redact(text)


def test_an_exchange_keeps_what_happened_and_no_secret() -> None:
    client = Http(URL, secrets=["hush-hush"], headers={"Authorization": "hush-hush"})
    with responses.RequestsMock() as rsps:
        rsps.post(f"{URL}/a", json={"echo": "hush-hush"}, status=422)
        with pytest.raises(Rejected) as caught:
            client.request("POST", "/a?t=hush-hush", json={"b": Decimal("1.10"), "t": "hush-hush"})
    (kept,) = client.exchanges
    assert (kept.method, kept.status) == ("POST", 422)
    assert '"b":1.10' in kept.request
    assert "hush" not in repr(kept) + caught.value.detail


def test_an_exchange_is_kept_when_nothing_came_back() -> None:
    client = Http(URL)
    with everything(requests.ReadTimeout()), pytest.raises(RetryLater):
        client.get("/a")
    assert (client.exchanges[0].status, client.exchanges[0].answer) == (None, "ReadTimeout")


def test_an_exchange_is_cut() -> None:
    client = Http(URL)
    with everything((200, {}, "x" * 100_000)):
        client.get("/")
    assert len(client.exchanges[0].answer) == KEPT
