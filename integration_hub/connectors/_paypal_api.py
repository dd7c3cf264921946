"""Calls to PayPal's interface with a token that lives nine hours, and what its refusals mean."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from ._paypal_config import PayPalConfig
from .http import Answer, Http

GONE, TOO_MANY = "gone", "too_many"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_JUDGED_HERE = (400, 404, 409, 422)
_AT_WORK = frozenset({"PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT"})
_tokens: dict[bytes, tuple[str, float]] = {}  # by account: the token and until when it is good, per process


def safe_id(value: str) -> str:
    """An id fit for an address; Rejected for anything else."""
    if not _ID.fullmatch(value) or ".." in value:
        raise unreadable("“%(id)s” is not an id of PayPal's", id=value[:100])
    return value


class Api:
    """JSON both ways; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http, config: PayPalConfig) -> None:
        self.http = http
        self._config = config
        account = f"{config.base}|{config.client_id}|{config.client_secret}"
        self._account = hashlib.sha256(account.encode()).digest()

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Object:
        """One object."""
        return self._object(self._call("GET", path, params=params))

    def write(self, path: str, body: Mapping[str, Any], key: str) -> tuple[Object, bool]:
        """Create one object under a key, which PayPal keeps for 45 days, and whether it had done so before."""
        headers = {"PayPal-Request-Id": key[:108], "Prefer": "return=representation"}
        answer = self._call("POST", path, json=body, headers=headers)
        return self._object(answer, writing=True), answer.status == 200

    def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **kwargs: Any) -> Answer:
        """With the token we hold; one that PayPal does not take any more is fetched anew, once."""
        known = self._account in _tokens
        for accept in ((*_JUDGED_HERE, 401), _JUDGED_HERE) if known else (_JUDGED_HERE,):
            bearer = {"Authorization": f"Bearer {self._token()}", **(headers or {})}
            answer = self.http.request(method, path, headers=bearer, accept=accept, **kwargs)
            if answer.status != 401:
                break
            _tokens.pop(self._account, None)
        return answer

    def _token(self) -> str:
        token, until = _tokens.get(self._account, ("", 0.0))
        if until <= time.monotonic():
            token = self._new_token()
        if token not in self.http.secrets:
            self.http.secrets = [*self.http.secrets, token]
        return token

    def _new_token(self) -> str:
        http, auth = self.http, (self._config.client_id, self._config.client_secret)
        http.auth = auth
        try:
            form = {"grant_type": "client_credentials"}
            answer = http.request("POST", "/v1/oauth2/token", form=form, writes=False, accept=(400,))
        finally:
            http.auth = None
        found = self._json(answer)
        if answer.status >= 400 or not found:
            raise Misconfigured(say("PayPal does not know this client ID and secret."), code="refused_credentials")
        token = fields.words(found, "access_token", 4000)
        good_for = int(fields.amount(found, "expires_in")) - 300
        _tokens[self._account] = (token, time.monotonic() + min(good_for, 8 * 3600))
        return token

    def _json(self, answer: Answer) -> Object:
        try:
            found = answer.json()
        except Rejected:
            return {}
        return found if isinstance(found, dict) else {}

    def _object(self, answer: Answer, *, writing: bool = False) -> Object:
        found = self._json(answer)
        if answer.status >= 400:
            raise self._refused(answer, found, writing)
        if not found:
            raise Misconfigured(
                say("The address answers, but not as PayPal's interface. Is it right?"), code="not_an_api"
            )
        return found

    def _refused(self, answer: Answer, found: Object, writing: bool) -> Exception:
        issues = fields.children(found, "details")
        issue = fields.words(issues[0], "issue", 80) if issues else fields.words(found, "name", 80)
        why = fields.words(issues[0], "description", 300) if issues else fields.words(found, "message", 300)
        detail, why = self.http.redact(answer.text)[:2000], self.http.redact(why)
        if answer.status == 409 or issue in _AT_WORK:
            return RetryLater(
                say("PayPal is still at work on it."), maybe_written=writing, code="at_work", detail=detail
            )
        if answer.status == 404:
            return Rejected(say("PayPal does not hold this object: %(why)s", why=why), code=GONE, detail=detail)
        code = TOO_MANY if "RESULTSET_TOO_LARGE" in (issue, found.get("name")) else "refused"
        return Rejected(say("PayPal refused it: %(why)s", why=why or issue), code=code, detail=detail)
