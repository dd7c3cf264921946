"""PayPal's webhook signature: RSA-SHA256 over ``id|time|webhook id|crc32 of the body``, by a certificate to be fetched.

https://developer.paypal.com/api/rest/webhooks/rest/ .  The certificate is trusted for where it comes from, over TLS: a host
of PayPal's, or the one this connection is configured to speak to; and for what it says: a name of paypal.com, in force.
"""

from __future__ import annotations

import base64
import binascii
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from integration_hub.kernel.errors import Unauthentic
from integration_hub.kernel.text import say

from .http import Http

HEADERS = tuple(f"paypal-{name}" for name in ("transmission-id", "transmission-time", "transmission-sig", "cert-url",
                                              "auth-algo"))  # fmt: skip
_KEPT = 12 * 3600.0
_certificates: dict[str, tuple[x509.Certificate, float]] = {}  # by address, per process


def signed(headers: Mapping[str, str], base: str) -> dict[str, str]:
    """What of the headers proves something later; Unauthentic where they cannot prove anything."""
    found = {name: headers.get(name, "") for name in HEADERS}
    if not all(found.values()) or found["paypal-auth-algo"].upper() != "SHA256WITHRSA":
        raise _wrong()
    if not _is_theirs(found["paypal-cert-url"], base):
        raise Unauthentic(say("The webhook's certificate is not PayPal's."))
    try:
        signature = base64.b64decode(found["paypal-transmission-sig"].encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise _wrong() from error
    if not signature:
        raise _wrong()
    return found


def verify(found: Mapping[str, str], webhook_id: str, body: bytes, http: Http, base: str) -> None:
    """Raises Unauthentic unless PayPal has signed exactly these bytes for this webhook."""
    found = signed(found, base)
    said = [found["paypal-transmission-id"], found["paypal-transmission-time"], webhook_id, str(zlib.crc32(body))]
    key = _certificate(found["paypal-cert-url"], http).public_key()
    if not isinstance(key, RSAPublicKey):
        raise Unauthentic(say("The webhook's certificate is not PayPal's."))
    try:
        signature = base64.b64decode(found["paypal-transmission-sig"])
        key.verify(signature, "|".join(said).encode(), PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise _wrong() from error


def _is_theirs(url: str, base: str) -> bool:
    parts, own = urlsplit(url), urlsplit(base)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    host = parts.hostname or ""
    plain = parts.netloc.lower() == host  # no user, no port
    return plain and parts.scheme == "https" and (host == "paypal.com" or host.endswith(".paypal.com"))


def _certificate(url: str, http: Http) -> x509.Certificate:
    known = _certificates.get(url)
    if known and known[1] > time.monotonic():
        return known[0]
    try:
        certificate = x509.load_pem_x509_certificate(http.get(url, headers={"Accept": "*/*"}).body)
    except ValueError as error:
        raise Unauthentic(say("The webhook's certificate is not PayPal's.")) from error
    now = datetime.now(UTC)
    in_force = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not in_force or not _names_paypal(certificate):
        raise Unauthentic(say("The webhook's certificate is not PayPal's."))
    _certificates[url] = (certificate, time.monotonic() + _KEPT)
    return certificate


def _names_paypal(certificate: x509.Certificate) -> bool:
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return any(name == "paypal.com" or name.endswith(".paypal.com") for name in names)


def _wrong() -> Unauthentic:
    return Unauthentic(say("The webhook's signature is missing or wrong."))
