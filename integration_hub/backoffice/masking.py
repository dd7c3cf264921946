"""Payloads as people may see them: secrets hidden from everybody, personal data from those without the permission.

Decided by the names of JSON keys and by what strings look like, so it holds for systems nobody has described yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected

MASK = "•••"
LONGEST = 60_000  # characters of a payload on one page

_SECRET = re.compile(
    r"token|secret|passw|authori[sz]ation|apikey|accesskey|orderkey|paymenturl|statusurl|signature|hmac|cookie|nonce"
)
_PERSONAL = frozenset(
    """firstname lastname fullname surname givenname familyname middlename displayname salutation attention recipient
    company companyname customername buyername shippingname billingname username accountholder contactname
    street streetname street1 street2 housenumber address address1 address2 address3 addressline1 addressline2 line1 line2
    zip zipcode postcode postalcode city town locality suburb latitude longitude lat lng
    phone phonenumber telephone mobile mobilephone fax email emailaddress mail contactemail
    ip ipaddress customeripaddress browserip clientip remoteip useragent customeruseragent
    birthdate birthday dateofbirth vatid vatnumber taxid iban bic
    note notes comment comments customernote ordernote message giftmessage""".split()
)
_OF_A_PERSON = frozenset(
    "firstname lastname street street1 address1 zip zipcode postcode postalcode city email phone".split()
)
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE = re.compile(r"(?<![\w.-])(?:\+|00?)[1-9][\d ()/-]{5,18}\d(?![\w-])")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_IN_URL = re.compile(r"([?&](?:\w*(?:key|token|secret|sig|signature|hash|auth|code)\w*)=)[^&\s\"]+", re.IGNORECASE)


def masked(value: Any, *, personal: bool) -> Any:
    """A copy to show; ``personal`` says whether personal data may be seen.  Secrets never are."""
    if isinstance(value, Mapping):
        return _mapping(value, personal)
    if isinstance(value, list | tuple):
        return [masked(item, personal=personal) for item in value]
    return text(value, personal=personal) if isinstance(value, str) else value


def text(value: str, *, personal: bool) -> str:
    """A free text without keys in its links and, unless allowed, without e-mail, phone and network addresses."""
    shown = _IN_URL.sub(rf"\1{MASK}", value)
    if personal:
        return shown
    for pattern in (_EMAIL, _PHONE, _ADDRESS):
        shown = pattern.sub(MASK, shown)
    return shown


def pretty(body: bytes, *, personal: bool) -> str:
    """The bytes of a message as indented JSON, bounded; what is no JSON only for those who may see personal data."""
    try:
        found = codec.loads(body)
    except Rejected:
        return text(body.decode(errors="replace"), personal=True)[:LONGEST] if personal else MASK
    return indented(masked(found, personal=personal))


def indented(value: Any) -> str:
    """A JSON value that was masked before, indented and bounded."""
    shown = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "\n…"


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _mapping(value: Mapping[str, Any], personal: bool) -> dict[str, Any]:
    of_a_person = any(_norm(name) in _OF_A_PERSON for name in value)
    label = value.get("key") or value.get("name")
    shown = {}
    for name, item in value.items():
        # WooCommerce's meta_data and Shopify's note_attributes carry the telling name beside the value
        told = str(label) if name == "value" and isinstance(label, str) else name
        shown[name] = _item(_norm(told), item, personal=personal, of_a_person=of_a_person)
    return shown


def _item(name: str, item: Any, *, personal: bool, of_a_person: bool) -> Any:
    if item in (None, "", [], {}):
        return item
    if _SECRET.search(name):
        return MASK
    if not personal and (_is_personal(name) or (of_a_person and name == "name")) and not isinstance(item, Mapping):
        return MASK
    return masked(item, personal=personal)


def _is_personal(name: str) -> bool:
    return any(name.removeprefix(front) in _PERSONAL for front in ("", "billing", "shipping", "customer", "buyer"))


def _norm(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
