"""Calls to Shopware's Admin API with a token that lives ten minutes, and what its refusals mean."""

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

from ._shopware_config import ShopwareConfig
from .http import Answer, Http

GONE = "gone"
_ID = re.compile(r"[0-9a-f]{32}")
_JUDGED_HERE = (400, 403, 404, 409, 412)
_LOCKED = "SYSTEM__STATE_MACHINE_TRANSITION_LOCKED"
_ILLEGAL = "SYSTEM__ILLEGAL_STATE_TRANSITION"
_tokens: dict[bytes, tuple[str, float]] = {}  # by account: the token and until when it is good, per process


def safe_id(value: str) -> str:
    """An id of Shopware's (32 hexadecimal digits), fit for an address; Rejected for anything else."""
    if not is_id(value):
        raise unreadable("“%(id)s” is not an id of Shopware's", id=value[:100])
    return value


def is_id(value: str) -> bool:
    """Whether this can be an id of Shopware's at all."""
    return _ID.fullmatch(value) is not None


class Api:
    """JSON both ways; every refusal is one of the kernel's errors."""

    def __init__(self, http: Http, config: ShopwareConfig) -> None:
        self.http = http
        self._config = config
        account = f"{config.base}|{config.access_key}|{config.access_secret}"
        self._account = hashlib.sha256(account.encode()).digest()

    def search(
        self, entity: str, criteria: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> list[Object]:
        """The rows of an entity that meet the criteria, one page of them."""
        found = self._json(self._call("POST", f"/api/search/{entity}", headers=headers, json=criteria, writes=False))
        if not isinstance(found, dict) or not isinstance(found.get("data"), list):
            raise _not_an_api()
        return fields.children(found, "data")

    def write(self, method: str, path: str, body: Any) -> None:
        """Change something; what is answered on success is not needed."""
        self._call(method, path, json=body)

    def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **kwargs: Any) -> Answer:
        """With the token we hold; one that the shop does not take any more is fetched anew, once."""
        known = self._account in _tokens
        for accept in ((*_JUDGED_HERE, 401), _JUDGED_HERE) if known else (_JUDGED_HERE,):
            told = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json", **(headers or {})}
            answer = self.http.request(method, path, headers=told, accept=accept, **kwargs)
            if answer.status != 401:
                break
            _tokens.pop(self._account, None)
        if answer.status >= 300:
            raise self._refused(answer, kwargs.get("writes", True))
        return answer

    def _token(self) -> str:
        token, until = _tokens.get(self._account, ("", 0.0))
        if until <= time.monotonic():
            token = self._new_token()
        if token not in self.http.secrets:
            self.http.secrets = [*self.http.secrets, token]
        return token

    def _new_token(self) -> str:
        wish = {
            "grant_type": "client_credentials",
            "client_id": self._config.access_key,
            "client_secret": self._config.access_secret,
        }
        answer = self.http.request("POST", "/api/oauth/token", json=wish, writes=False, accept=(400, 404))
        if answer.status == 400:
            raise Misconfigured(say("Shopware does not know this access key and secret."), code="refused_credentials")
        found = self._json(answer) if answer.status < 300 else None
        token = fields.words(found, "access_token", 8000) if isinstance(found, dict) else ""
        if not token or not isinstance(found, dict):
            raise _not_an_api()
        good_for = min(int(fields.amount(found, "expires_in")), 3600) - 60
        _tokens[self._account] = (token, time.monotonic() + good_for)
        return token

    def _json(self, answer: Answer) -> Any:
        try:
            return answer.json()
        except Rejected:
            return None

    def _refused(self, answer: Answer, writing: bool) -> Exception:
        error = self._error(answer)
        code, why = fields.words(error, "code", 120), self.http.redact(fields.words(error, "detail", 300))
        detail = self.http.redact(answer.text)[:2000]
        if answer.status == 403:
            words = say("The integration in Shopware lacks a right: %(why)s", why=why or code or "403")
            return Misconfigured(words, code="refused_credentials", detail=detail)
        if code == _LOCKED or answer.status == 409:
            return RetryLater(say("Shopware is still at work on it."), maybe_written=writing, code="at_work")
        if code == _ILLEGAL:
            return Rejected(
                say("Shopware does not allow this step: %(why)s", why=why), code="illegal_step", detail=detail
            )
        if answer.status == 404:
            return (
                Rejected(say("The shop does not hold it any more."), code=GONE, detail=detail)
                if code
                else _not_an_api()
            )
        return Rejected(say("The shop refused it: %(why)s", why=why or code), code="refused", detail=detail)

    def _error(self, answer: Answer) -> Object:
        found = self._json(answer)
        errors = found.get("errors") if isinstance(found, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else None
        return (
            {name: first[name] for name in ("code", "detail") if isinstance(first.get(name), str)}
            if isinstance(first, dict)
            else {}
        )


def _not_an_api() -> Misconfigured:
    words = say("The address answers, but not as Shopware's Admin API. Is it right?")
    return Misconfigured(words, code="not_an_api")
