"""Who may ask the played WooCommerce shop: Basic authentication, or OAuth 1.0a with one leg and HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from . import world as facts
from .http import Request

_PART = re.compile(r'(oauth_\w+)="([^"]*)"')


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _expected(request: Request, given: dict[str, str]) -> str:
    """RFC 5849 section 3.4: method, address and sorted parameters, keyed with the consumer secret alone."""
    pairs = [*request.query.items(), *given.items()]
    kept = sorted((_escaped(name), _escaped(value)) for name, value in pairs if name != "oauth_signature")
    parameters = "&".join(f"{name}={value}" for name, value in kept)
    base = "&".join(_escaped(part) for part in (request.method, request.url, parameters))
    digest = hmac.new(f"{facts.WOO_SECRET}&".encode(), base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def refused(request: Request) -> str:
    """Why the request is not let in, in WooCommerce's words; empty if it is."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(rest)
    if scheme.lower() == "oauth":
        return _oauth(request, {name: unquote(value) for name, value in _PART.findall(rest)})
    return _oauth(request, {}) if "oauth_signature" in request.query else "Sorry, you cannot list resources."


def _basic(rest: str) -> str:
    try:
        key, _, secret = base64.b64decode(rest).decode().partition(":")
    except ValueError:
        return "Sorry, you cannot list resources."
    if key != facts.WOO_KEY:
        return "Sorry, you cannot list resources."
    return "" if hmac.compare_digest(secret.encode(), facts.WOO_SECRET.encode()) else "Consumer secret is invalid."


def _oauth(request: Request, given: dict[str, str]) -> str:
    named = {**request.query, **given}
    if named.get("oauth_consumer_key") != facts.WOO_KEY:
        return "Consumer key is invalid."
    if named.get("oauth_signature_method") != "HMAC-SHA256":
        return "Invalid signature - signature method is invalid."
    stated = named.get("oauth_signature", "")
    good = hmac.compare_digest(stated.encode(), _expected(request, given).encode())
    return "" if good else "Invalid signature - provided signature does not match."
