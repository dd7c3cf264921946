"""Secrets at rest: Fernet (cryptography), keys from the environment, first key encrypts, all decrypt, fail closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from integration_hub.kernel.errors import Misconfigured
from integration_hub.kernel.text import say


def _box() -> MultiFernet:
    return _boxed(tuple(settings.HUB_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _boxed(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secrets: Mapping[str, str]) -> bytes:
    """Encrypt with the first key."""
    return _box().encrypt(json.dumps(dict(secrets)).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Decrypt with whichever key fits; Misconfigured if none does."""
    if not sealed:
        return {}
    try:
        return dict(json.loads(_box().decrypt(bytes(sealed))))
    except InvalidToken:
        raise _no_key() from None


def rotate(sealed: bytes | memoryview) -> bytes:
    """Encrypt anew with the first key; Misconfigured if no key fits."""
    try:
        return _box().rotate(bytes(sealed)) if sealed else b""
    except InvalidToken:
        raise _no_key() from None


def _no_key() -> Misconfigured:
    return Misconfigured(
        say("The stored secrets cannot be decrypted: HUB_ENCRYPTION_KEYS lacks the key they were sealed with."),
        code="no_key",
    )
