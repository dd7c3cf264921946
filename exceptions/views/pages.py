"""What the pages of the exception list share: the way back to the list as it was."""

from __future__ import annotations

from django.urls import reverse


def back_to(query: str) -> str:
    """The list as it was; only a query string is taken over, never an address."""
    query = query[:500].replace("\n", "").replace("\r", "")
    return f"{reverse('exceptions')}?{query}" if query else reverse("exceptions")
