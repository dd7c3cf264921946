"""How django-unfold shows the hub: name, colours, languages, sidebar."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

_INK = "integration_hub.backoffice.navigation"

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Integration Hub",
    "SITE_HEADER": "Integration Hub",
    "SITE_SUBHEADER": _("Processes, not just data"),
    "SITE_URL": None,
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "sizes": "any", "href": lambda _request: static("hub/icon.svg")}
    ],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda _request: static("hub/hub.css")],
    "SCRIPTS": [lambda _request: static("hub/hub.js")],
    "BORDER_RADIUS": "8px",
    "SIDEBAR": {"show_search": False, "navigation": f"{_INK}.sidebar"},
    "ACCOUNT": {"navigation": f"{_INK}.account_links"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.6% .014 222)",
            "100": "oklch(94.6% .032 221)",
            "200": "oklch(89.5% .062 221)",
            "300": "oklch(82.6% .098 221)",
            "400": "oklch(73.4% .118 224)",
            "500": "oklch(63.8% .116 228)",
            "600": "oklch(52.6% .103 231)",
            "700": "oklch(45.2% .088 231)",
            "800": "oklch(39.2% .073 231)",
            "900": "oklch(34.2% .058 232)",
            "950": "oklch(26.2% .046 233)",
        }
    },
}
