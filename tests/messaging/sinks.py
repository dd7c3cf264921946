"""A mail server and a web server that keep what they get, for the tests of alerts; both answer as they are told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sink:
    """What came, and what is answered: ``answers`` one after the other, then ``usual``."""

    port: int = 0
    usual: Any = None
    answers: list[Any] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)

    def next(self) -> Any:
        return self.answers.pop(0) if self.answers else self.usual


@contextmanager
def web() -> Iterator[Sink]:
    """``answers`` are (status, headers); ``got`` are (path, headers, body)."""
    sink = Sink(usual=(200, {}))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = sink.next()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), sink):
        yield sink


@contextmanager
def mail() -> Iterator[Sink]:
    """As much of SMTP (RFC 5321) as a client needs; ``answers`` are what RCPT gets; ``got`` are (recipients, message)."""
    sink = Sink(usual=b"250 ok")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say(b"220 sink")
            to: list[str] = []
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"QUIT":
                    self._say(b"221 bye")
                    return
                if word == b"RCPT":
                    to.append(line.decode().partition("<")[2].partition(">")[0])
                    self._say(sink.next())
                elif word == b"DATA":
                    self._say(b"354 go on")
                    sink.got.append((to, b"".join(iter(self.rfile.readline, b".\r\n")).decode()))
                    to = []
                    self._say(b"250 kept")
                else:
                    self._say(b"250 ok")

        def _say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _serving(server, sink):
        yield sink


@contextmanager
def _serving(server: Any, sink: Sink) -> Iterator[None]:
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
