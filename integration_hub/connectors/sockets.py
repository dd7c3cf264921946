"""Whom a request may reach, and connections that are kept from one request to the next."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integration_hub.kernel.errors import Misconfigured
from integration_hub.kernel.text import say

LONGEST_IDLE = 3.0  # seconds; servers close idle connections after five (Apache, Node) to 75 (nginx)
MOST_HOSTS, MOST_AT_ONCE = 50, 50

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _guard(allowed: Sequence[Network]) -> Callable[[str], None]:
    def check(peer: str) -> None:
        address = ipaddress.ip_address(peer.split("%", maxsplit=1)[0])
        if address.is_global or any(address in network for network in allowed):
            return
        raise Misconfigured(
            say("%(address)s is a private address; the operator must allow its network first.", address=peer),
            code="private_address",
        )

    return check


def _kept(base: type[Any], kind: type[Any]) -> type[Any]:
    class Kept(base):  # type: ignore[misc]
        """A pool that does not trust a connection on which nothing was heard for long: its other end may just be closing it.

        A write on a closing connection would end unclear, which costs a wait and a look.
        """

        ConnectionCls = kind

        def _put_conn(self, conn: Any) -> None:
            if conn is not None:
                conn.put_back_at = time.monotonic()
            super()._put_conn(conn)

        def _get_conn(self, timeout: float | None = None) -> Any:
            conn = super()._get_conn(timeout)
            if time.monotonic() - getattr(conn, "put_back_at", math.inf) > LONGEST_IDLE:
                conn.close()  # it connects anew by itself
            return conn

    return Kept


def _guarded(base: type[Any], check: Callable[[str], None]) -> type[Any]:
    class Guarded(base):  # type: ignore[misc]
        """Looks at the peer it is really connected to, so no DNS answer can lead it astray."""

        def _new_conn(self) -> Any:
            sock = super()._new_conn()
            try:
                check(sock.getpeername()[0])
            except Misconfigured:
                sock.close()
                raise
            return sock

    return Guarded


class Adapter(HTTPAdapter):
    def __init__(self, allowed: Sequence[Network]) -> None:
        self._check = _guard(allowed)
        super().__init__(max_retries=0, pool_connections=MOST_HOSTS, pool_maxsize=MOST_AT_ONCE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        plain = _kept(HTTPConnectionPool, _guarded(HTTPConnection, self._check))
        tls = _kept(HTTPSConnectionPool, _guarded(HTTPSConnection, self._check))
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": tls}


@cache
def adapter(allowed: tuple[Network, ...]) -> Adapter:
    """One for all clients of this process, so that connections are kept from one request to the next.

    Threads may share it; it knows no cookies, no credentials and no environment.
    """
    return Adapter(allowed)
