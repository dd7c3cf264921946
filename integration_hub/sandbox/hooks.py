"""Webhooks on their way: signing, sending, and what may happen to them (lost, doubled, out of order)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from .faults import Faults
from .later import Later


def signature(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw bytes, as WooCommerce and Shopify sign."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def is_local(url: str) -> bool:
    """Whether an address is one the sandbox may call: this machine and nothing else."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Parcel:
    """One webhook ready to go."""

    shop: str
    url: str
    body: bytes
    headers: Mapping[str, str]


class Sender:
    """Sends webhooks in the background and counts what became of them."""

    def __init__(self, faults: Faults, later: Later) -> None:
        self._faults = faults
        self._later = later
        self._local = threading.local()
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.receipts: set[str] | None = None  # digests of what was acknowledged, if anybody wants them

    def pending(self) -> int:
        """How many webhooks are on their way."""
        return self._later.pending()

    def soon(self, seconds: float, job: Callable[[], None]) -> None:
        """Run a delivery after its delay, moved within the reorder window if one is in force."""
        fault = self._faults.of("webhooks")
        moved = self._faults.within(fault.reorder_window) if fault.reorder_window else 0.0
        self._later.push(seconds + fault.latency_ms / 1000 + moved, job)

    def send(self, parcel: Parcel) -> bool:
        """Whether the sender believes it arrived: a lost webhook is one the receiver never sees."""
        if self._faults.strikes("webhooks", "lost_rate"):
            self._count(parcel.shop, "lost")
            return True
        if self._faults.strikes("webhooks", "duplicate_rate"):
            self._count(parcel.shop, "duplicated")
            self._later.push(0.2, lambda: self._post(parcel, "again"))
        return self._post(parcel, "sent")

    def post(self, parcel: Parcel) -> bool:
        """Send at once, spared of all faults and not counted; whether it arrived."""
        try:
            answer = self._session().post(
                parcel.url, data=parcel.body, headers=dict(parcel.headers), timeout=5, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return 200 <= answer.status_code < 300

    def _post(self, parcel: Parcel, counted: str) -> bool:
        arrived = self.post(parcel)
        self._count(parcel.shop, counted if arrived else "failed")
        if arrived and self.receipts is not None:
            self.receipts.add(hashlib.sha256(parcel.body).hexdigest())
        return arrived

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session

    def _count(self, shop: str, what: str) -> None:
        with self._lock:
            self.counts[f"{shop}.{what}"] += 1
