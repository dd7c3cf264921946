"""A small HTTP/1.1 server on loopback: requests, answers, a router, and the faults around every system."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .faults import Faults

MAX_BODY = 8 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case, ``url`` is without query."""

    method: str
    path: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    pairs: tuple[tuple[str, str], ...] = ()  # the query where names repeat

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    kept = {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}
    return Response(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), kept)


class System(Protocol):
    """A played system: its fault target and address prefix, and what it answers."""

    name: str
    prefix: str

    def handle(self, request: Request) -> Response: ...

    def writes(self, request: Request) -> bool: ...

    def failure(self, status: int, retry_after: int) -> Response: ...


Handler = Callable[..., Response]


class Router:
    """Handlers by method and address pattern; ``{name}`` matches digits, handed over as int."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        self._routes.append((method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>\\d{1,18})", pattern) + "/?"), handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, int]] | None:
        for of, pattern, handler in self._routes:
            match = pattern.fullmatch(path) if of == method else None
            if match:
                return handler, {name: int(value) for name, value in match.groupdict().items()}
        return None


class Application:
    """Finds the system for a request and wraps it in its faults.  ``None`` means: close the connection unanswered."""

    def __init__(self, systems: list[System], faults: Faults) -> None:
        self._systems = systems
        self._faults = faults
        self.closing = threading.Event()

    def answer(self, request: Request) -> Response | None:
        system = next((item for item in self._systems if request.path.startswith(item.prefix)), None)
        if system is None:
            return json_response({"error": "nothing is played here"}, 404)
        plan = self._faults.plan(system.name, system.writes(request))
        if plan.delay:
            self.closing.wait(plan.delay)
        if plan.slows or plan.fails:
            return system.failure(429 if plan.slows else plan.status, plan.retry_after)
        if plan.hold_before or plan.drop_before:
            self.closing.wait(plan.hold if plan.hold_before else 0)
            return None
        response = system.handle(request)
        if plan.hold_after:
            self.closing.wait(plan.hold)
        return None if plan.hold_after or plan.drop_after else response


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    timeout = 120
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what happened is in /control/state."""

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY:
            self._write(Response(413))
            return
        response = self.server.application.answer(self._read(size))
        if response is None:
            self.close_connection = True
        else:
            self._write(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the base class looks for these names

    def _read(self, size: int) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = f"http://{headers.get('host', '')}{parts.path}"
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return Request(self.command, parts.path, url, dict(pairs), headers, self.rfile.read(size), pairs)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


class Server(ThreadingHTTPServer):
    """The listening socket; bound to loopback and nowhere else."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is shown by the base class."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
