"""The web server of the hub as a process, and a shop that knocks at it."""

from __future__ import annotations

import json

import requests

from tests import standin


def web(port: int, *, host: str = "127.0.0.1", workers: int = 1) -> list[str]:
    """The command of the web server, for the hub that knows the stand-ins."""
    return ["web", "--host", host, "--port", str(port), "--workers", str(workers), "--threads", "2"]


def post(address: str, number: int) -> int:
    """A signed order; the status of the answer."""
    body = json.dumps(standin.order(number)).encode()
    signed = {"X-Signature": standin.sign(body), "X-Topic": "order.updated", "X-Object": str(number)}
    return requests.post(f"{address}/webhooks/laden/", body, headers=signed, timeout=30).status_code


def ready(address: str) -> int:
    """The status of /readyz; 0 where nobody answers."""
    try:
        return requests.get(f"{address}/readyz", timeout=30).status_code
    except requests.RequestException:
        return 0
