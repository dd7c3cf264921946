"""What can go wrong, named by who acts next.

HubError
├── Unauthentic      the sender could not prove who it is: answer 401, store nothing
├── TooLarge         more bytes than the door takes: answer 413, store nothing
├── Rejected         the data or the target says no: parked, a person decides
│   └── Unsupported  the system cannot do what was asked of it
├── Misconfigured    credentials or settings are wrong: parked, the integrator acts
├── RetryLater       nobody acts, it is tried again; ``maybe_written`` says that the target may have done it
└── Defect           our own mistake: parked, developers act
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .text import Text, say


class HubError(Exception):
    """Base of all errors that carry words for a person: ``text`` for the screen, ``detail`` for the evidence."""

    def __init__(self, text: Text | str, *, code: str = "", detail: str = "") -> None:
        self.text = text if isinstance(text, Text) else Text(text)
        self.code = code
        self.detail = detail
        super().__init__(str(text))


class Unauthentic(HubError):
    """The signature or token is missing or wrong."""


class TooLarge(HubError):
    """The message is larger than the door takes."""


class Rejected(HubError):
    """Understood and refused, or authentic and not understood; the same try would fail again."""


class Unsupported(Rejected):
    """The system behind this connector cannot do this."""


class Misconfigured(HubError):
    """Address, credentials or rights of the connection are wrong."""


class RetryLater(HubError):
    """Try again after ``after`` (None: the caller's own backoff).

    ``maybe_written`` is True when the request may have reached the target, so it must be looked up before it is
    sent again.
    """

    def __init__(
        self,
        text: Text | str,
        *,
        after: timedelta | None = None,
        maybe_written: bool = False,
        code: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(text, code=code, detail=detail)
        self.after = after
        self.maybe_written = maybe_written


class Defect(HubError):
    """Something that must not happen did."""


class NotNow(HubError):
    """The action is not possible in this state; ``text`` says why."""


def unreadable(what: str, /, **params: Any) -> Rejected:
    """The error for bytes that are authentic and make no sense; ``what`` is marked for translation by this name."""
    return Rejected(say("The message cannot be read: %(what)s", what=Text(what, params)), code="unreadable")
