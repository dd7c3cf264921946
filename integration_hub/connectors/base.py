"""What every connector is: a translator between one vendor's words and ours.  Plain Python, no Django, no database.

A connector is made per use with its Config; it keeps no state between uses.  It raises only the errors of
``kernel.errors``.  What a system cannot do is absent from ``capabilities`` and said on its page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar

from integration_hub.kernel.errors import Unsupported
from integration_hub.kernel.messages import Command, Listed, Report, Written
from integration_hub.kernel.states import Capability, Role
from integration_hub.kernel.text import Text, say

from .http import Http

__all__ = [
    "Capability",
    "Connector",
    "Delivery",
    "Finding",
    "Incoming",
    "Listed",
    "Listing",
    "Page",
    "Role",
    "Stream",
    "option",
]


@dataclass(frozen=True)
class Incoming:
    """An HTTP request at the webhook door.  Header names are lower case; ``body`` is what was signed."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Delivery:
    """One thing a system told us, as bytes.

    ``topic`` and ``object_id`` say what it is about; together with a digest of ``body`` they are what makes a repeat a
    repeat.  ``context`` keeps the few headers that parse needs (lower case), never secrets, and when a state was seen.
    ``key`` is the sender's own id of this saying, where no two sayings share one: then that alone makes a repeat, too.
    ``salt`` sets apart what is said again in the very same words and means something new.
    """

    topic: str
    object_id: str
    body: bytes
    context: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    salt: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a poll; ``token`` leads to the next one, None ends the window."""

    deliveries: Sequence[Delivery]
    token: str | None = None


@dataclass(frozen=True)
class Listing:
    """One page of a list; ``token`` leads to the next one, None ends it."""

    rows: Sequence[Listed]
    token: str | None = None


@dataclass(frozen=True)
class Stream:
    """Something that can be polled: how often, and how far each window reaches back behind the last one.

    ``restates``: each poll states everything anew without a time of its own; only what differs becomes an event.
    ``after``: what this stream speaks of comes with that one, so it waits until that one was read through once.
    """

    name: str
    every: timedelta
    overlap: timedelta
    label: Text
    restates: bool = False
    after: str = ""


@dataclass(frozen=True)
class Finding:
    """One line of a connection test: what was looked at, whether it is well, and what to do if not."""

    ok: bool
    text: Text


def option(
    label: Text,
    *,
    default: Any = MISSING,
    secret: bool = False,
    help: Text | None = None,
    choices: Sequence[tuple[str, Text]] = (),
) -> Any:
    """A field of a Config: its label, whether it is a secret, and the words beside it in the form.

    Types that make a form field: str, int, bool, Decimal and tuple[str, ...] (one word a line).
    """
    meta = {"label": label, "secret": secret, "help": help, "choices": tuple(choices)}
    return field(default=default, metadata=meta, repr=not secret)


class Connector:
    """Base of all connectors; a subclass sets the class attributes and the methods of its capabilities."""

    code: ClassVar[str] = ""
    label: ClassVar[str] = ""
    roles: ClassVar[frozenset[Role]] = frozenset()
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    streams: ClassVar[tuple[Stream, ...]] = ()
    cannot: ClassVar[tuple[Text, ...]] = ()  # what users may expect and this system can't do, in plain words
    words: ClassVar[
        Mapping[str, Mapping[str, str]]
    ] = {}  # by what they are about: the vendor's word and ours, for docs/states.md
    Config: ClassVar[type[Any]]

    def __init__(self, config: Any, http: Http) -> None:
        self.config = config
        self.http = http
        secrets = (getattr(config, name) for name in self.secret_names())
        http.secrets = [*http.secrets, *(value for value in secrets if value)]

    @classmethod
    def options(cls) -> tuple[Field[Any], ...]:
        return fields(cls.Config)

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        return frozenset(item.name for item in cls.options() if item.metadata.get("secret"))

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        """Verify over the raw bytes and say what was delivered; empty for a ping.  Raises Unauthentic."""
        raise Unsupported(say("%(system)s sends no webhooks to us.", system=self.label))

    def take(self, name: str, body: bytes) -> Sequence[Delivery]:
        """What an uploaded file holds, looked through whole: a file that is not sound is Rejected, with all that is in it."""
        raise Unsupported(say("%(system)s takes no files.", system=self.label))

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        """Translate; the same delivery always gives equal reports.  Raises Rejected for what makes no sense."""
        raise NotImplementedError

    def is_hint(self, delivery: Delivery) -> bool:
        """Whether the delivery only says where to look; then ``follow`` reads it instead of ``parse``."""
        return False

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        """Ask the system for what a hint points at; empty where that means nothing to us.

        Raises Unauthentic for a hint that turns out not to come from the system, Rejected for one that makes no sense.
        """
        raise Unsupported(say("%(system)s sends no hints.", system=self.label))

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        """One page of what changed since then (None: from the beginning), oldest first."""
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def gone(self, order_ids: Sequence[str]) -> Sequence[str]:
        """Which of these orders (at most 100) the system does not hold any more."""
        raise Unsupported(say("%(system)s cannot be asked what is missing.", system=self.label))

    def gone_delivery(self, order_id: str) -> Delivery:
        """The delivery that states what the sweep found; ``parse`` makes an OrderGone of it."""
        raise Unsupported(say("%(system)s cannot be asked what is missing.", system=self.label))

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        """Which of these articles (at most 100, by ``ProductReport.external_id``) the system does not hold any more."""
        raise Unsupported(say("%(system)s cannot be asked what is missing.", system=self.label))

    def gone_product_delivery(self, product_id: str) -> Delivery:
        """The delivery that states what the sweep found; ``parse`` makes a ProductGone of it."""
        raise Unsupported(say("%(system)s cannot be asked what is missing.", system=self.label))

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        """One page of the orders placed from ``start`` to before ``end``, in any state but deleted or unfinished."""
        raise Unsupported(say("%(system)s cannot list its orders.", system=self.label))

    def list_sales(self, references: Sequence[str]) -> Sequence[Listed]:
        """The sales that stand under these references (at most 50), cancelled ones too; several where it holds several."""
        raise Unsupported(say("%(system)s cannot list its sales.", system=self.label))

    def list_levels(self, token: str | None) -> Page:
        """One page of all levels (and the locations on the first one), for a full comparison; ``parse`` reads them."""
        raise Unsupported(say("%(system)s cannot list its stock.", system=self.label))

    def send(self, command: Command) -> Written:
        """Carry the command out.  Safe to repeat after any error: it looks before it writes where it can."""
        raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))

    def find(self, command: Command) -> Written | None:
        """What the command would make, if it is already there, ``unfinished`` where sending would have to finish it.

        Raises Unsupported where the target can't be asked.
        """
        raise Unsupported(say("%(system)s cannot be asked whether this was done.", system=self.label))

    def check(self) -> Sequence[Finding]:
        """Try the connection without changing anything; every finding in words a merchant understands."""
        raise NotImplementedError
