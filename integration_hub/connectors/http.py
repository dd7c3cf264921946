"""The one way out: requests with guards.

Every request has timeouts, follows no redirect, trusts no environment proxy, reads a bounded answer, refuses private
networks that the operator did not allow, and is kept as an Exchange with secrets removed.  Errors become those of
``kernel.errors``; what may have reached the target is marked ``maybe_written``.
"""

from __future__ import annotations

import json as stdlib_json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import requests
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.text import say

from .sockets import Network, adapter

MAX_ANSWER = 10 * 1024 * 1024
KEPT = 20_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HIDDEN = "•••"
_HEADERS = dict(default_headers())


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, redacted and cut to KEPT characters, for the attempt's page."""

    method: str
    url: str
    request: str
    status: int | None
    answer: str
    ms: int


@dataclass(frozen=True)
class Answer:
    """What came back: status, lower-case headers, bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return codec.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class Http:
    """A client for one connection.  ``secrets`` are removed from everything that is kept."""

    base_url: str = ""
    auth: AuthBase | tuple[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    allowed: Sequence[Network] = ()
    timeout: tuple[float, float] = (5.0, 30.0)
    deadline: float | None = None  # on time.monotonic(); no request starts after it, none lasts beyond it
    exchanges: list[Exchange] = field(default_factory=list)
    wrote: bool = False  # a request that changes something was answered with success

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self.request("GET", path, **kwargs)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        writes: bool | None = None,
    ) -> Answer:
        """Send and wait.  Statuses in ``accept`` come back as answers; 2xx always does.

        ``writes`` says whether the request changes something there (default: by method); only then can an unclear
        end be ``maybe_written``.  ``json`` may hold Decimal: written as exact JSON numbers.  ``form`` is sent URL-encoded.
        """
        timeout = self._remaining()
        url = path if path.startswith(("http://", "https://")) else self.base_url.rstrip("/") + path
        body, sent = _written(json, form)
        writing = method not in SAFE_METHODS if writes is None else writes
        started = time.monotonic()
        try:
            answer = self._send(method, url, params, body, {**sent, **self.headers, **(headers or {})}, timeout)
        except (requests.RequestException, UnicodeError) as error:
            self._keep(method, url, body, None, type(error).__name__, started)
            raise self._broken(error, writing) from error
        self._keep(method, url, body, answer.status, answer.text[: KEPT * 2], started)
        well = 200 <= answer.status < 300
        self.wrote = self.wrote or (writing and well)
        if not (well or answer.status in set(accept)):
            raise self.refusal(answer, writing)
        return answer

    def refusal(self, answer: Answer, writing: bool) -> Exception:
        """The error for an answer that is no success, by its status; what it keeps is redacted."""
        return refusal(answer, writing, self.redact(answer.text)[:2000])

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
    ) -> Answer:
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=method,
            url=url,
            params=dict(params or {}),
            data=body,
            headers=CaseInsensitiveDict(_HEADERS | dict(headers)),
            auth=self.auth,
        )
        with adapter(tuple(self.allowed)).send(prepared, stream=True, timeout=timeout) as response:
            content = b"".join(_bounded(response, time.monotonic() + sum(timeout)))
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)

    def _remaining(self) -> tuple[float, float]:
        if self.deadline is None:
            return self.timeout
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise RetryLater(say("The system took too long over this."), maybe_written=True, code="deadline")
        return min(self.timeout[0], left), min(self.timeout[1], left)

    def _broken(self, error: requests.RequestException | UnicodeError, writing: bool) -> Exception:
        if isinstance(error, _BAD_ADDRESS):
            return Misconfigured(say("The address is not valid."), code="bad_address")
        if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
            return Misconfigured(say("A credential holds characters that cannot be sent."), code="bad_credentials")
        if isinstance(error, requests.exceptions.SSLError):
            return Misconfigured(
                say("The server's certificate is not trusted."),
                code="certificate",
                detail=self.redact(str(error))[:500],
            )
        reached = (
            not isinstance(error, requests.ConnectTimeout)
            and "NewConnectionError" not in repr(error)
            and "NameResolutionError" not in repr(error)
        )
        words = say("No answer in time.") if isinstance(error, requests.Timeout) else say("The connection failed.")
        return RetryLater(words, maybe_written=writing and reached, code="no_answer", detail=type(error).__name__)

    def _keep(self, method: str, url: str, body: bytes | None, status: int | None, answer: str, started: float) -> None:
        text = body.decode("utf-8", "replace") if body else ""
        ms = round((time.monotonic() - started) * 1000)
        self.exchanges.append(Exchange(method, self.redact(url), self.redact(text), status, self.redact(answer), ms))

    def redact(self, text: str) -> str:
        """The text without secrets, cut to KEPT characters."""
        for secret in filter(None, self.secrets):
            for form in _forms(secret):
                text = text.replace(form, HIDDEN)
        # PostgreSQL keeps no NUL
        return _NAMED_SECRET.sub(rf"\1{HIDDEN}", text)[:KEPT].replace("\x00", "\ufffd")


def _written(json: Any, form: Mapping[str, Any] | None) -> tuple[bytes | None, dict[str, str]]:
    """The body and what it is."""
    if form is not None:
        return urlencode(form, doseq=True).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return (None, {}) if json is None else (codec.canonical(json), {"Content-Type": "application/json"})


def _forms(secret: str) -> tuple[str, ...]:
    """A secret as it may stand in a text: plain, in an address, in JSON (PHP escapes slashes as well)."""
    quoted = stdlib_json.dumps(secret)[1:-1]
    return secret, quote(secret, safe=""), quote_plus(secret), quoted, quoted.replace("/", "\\/")


_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")  # Shopify writes 2.0
_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
_NAMED_SECRET = re.compile(
    r'("(?:order_key|access_token|token|password|api_key|secret|key)"\s*:\s*"|(?:consumer_key|consumer_secret|oauth_signature|key|order_key)=)[^"&\s]+'
)


def _bounded(response: requests.Response, until: float) -> Iterable[bytes]:
    """The answer's bytes, as long as there are not too many and they do not drip in for ever."""
    size = 0
    for chunk in response.iter_content(65_536):
        size += len(chunk)
        if time.monotonic() > until:
            raise requests.Timeout
        if size > MAX_ANSWER:
            raise Rejected(say("The answer is too large."), code="answer_too_large")
        yield chunk


def refusal(answer: Answer, writing: bool, detail: str = "") -> Exception:
    """The error for an answer that is no success, by its status."""
    if answer.status == 429:
        return RetryLater(
            say("The system asks us to slow down."), after=retry_after(answer), code="slow_down", detail=detail
        )
    if answer.status in (401, 403):
        return Misconfigured(
            say("The system refuses our credentials or rights (%(status)s).", status=answer.status),
            code="refused_credentials",
            detail=detail,
        )
    if answer.status >= 500 or answer.status == 408:
        return RetryLater(
            say("The system has a fault (%(status)s).", status=answer.status),
            after=retry_after(answer),
            maybe_written=writing and answer.status != 503,
            code="their_fault",
            detail=detail,
        )
    if 300 <= answer.status < 400:
        return Misconfigured(say("The system answers with a redirect; is the address right?"), code="redirect")
    return Rejected(say("The system refused it (%(status)s).", status=answer.status), code="refused", detail=detail)


def answered_at(answer: Answer) -> datetime:
    """The answering server's clock by the Date header (RFC 9110 section 6.6.1, whole seconds); ours where it says none."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC)


def retry_after(answer: Answer) -> timedelta | None:
    """The Retry-After header (RFC 9110 section 10.2.3: seconds or a date), at most one hour; None if there is none."""
    value = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return timedelta(seconds=math.ceil(min(float(value), 3600)))
    try:
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    return min(max(wait, timedelta(0)), timedelta(hours=1))
