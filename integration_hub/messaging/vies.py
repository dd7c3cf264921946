"""The European Commission's register of VAT ids (VIES), asked over its REST interface.

Source: ec.europa.eu/taxation_customs/vies, "Technical information", operation check-vat-number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, RetryLater
from integration_hub.kernel.text import say

ADDRESS = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"


@dataclass(frozen=True)
class Registered:
    """What the register says.  ``consultation`` is its number of this question, given where the asker named itself."""

    valid: bool
    name: str = ""
    address: str = ""
    consultation: str = ""


def ask(vat_id: str, own: str = "") -> Registered:
    """Whether a VAT id is registered today; ``own`` is the asker's.  RetryLater where the register or the country is silent."""
    body = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
    if own:
        body |= {"requesterMemberStateCode": own[:2], "requesterNumber": own[2:]}
    http = Http(allowed=settings.HUB_ALLOWED_NETWORKS, timeout=(5.0, 15.0))
    try:
        found = http.request("POST", ADDRESS, json=body, writes=False).json()
    except HubError as error:
        raise RetryLater(say("The register of VAT ids does not answer."), detail=str(error)) from error
    if not isinstance(found, dict) or not isinstance(found.get("valid"), bool):
        raise RetryLater(say("The register of VAT ids does not answer."), detail=str(found)[:300])
    return Registered(found["valid"], _text(found, "name"), _text(found, "address"), _text(found, "requestIdentifier"))


def _text(found: dict[str, Any], name: str) -> str:
    """A field of the answer; the register writes three dashes for what a country does not tell."""
    value = str(found.get(name) or "").strip()
    return "" if value == "---" else value
