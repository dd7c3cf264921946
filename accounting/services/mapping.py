"""Which account for what: the most specific rule counts, and it can always say why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

from ..events import Event
from ..models import Account, AccountRule, MappingVersion, TaxKey

# what makes a rule specific, the weightiest first: of two rules that fit, the one with the higher sum counts
WEIGHTS = {
    "channel_id": 64,
    "location": 32,
    "product_group": 16,
    "payment_method": 8,
    "country": 4,
    "rate": 2,
    "tax_case": 1,
}


@dataclass(frozen=True, kw_only=True)
class Key:
    """What an account is looked up by; empty where nothing is known."""

    event: str
    day: date
    channel_id: int | None = None
    location: str = ""
    product_group: str = ""
    payment_method: str = ""
    country: str = ""
    rate: Decimal | None = None
    tax_case: str = ""

    def cause(self) -> str:
        """What distinguishes this question from others, the day apart."""
        return "|".join(str(getattr(self, name) or "") for name in ("event", *WEIGHTS))


@dataclass(frozen=True)
class Found:
    """The rule that counts, its account with DATEV's functions, and its tax key."""

    rule: AccountRule
    account: Account
    key: TaxKey | None


class Unmapped(Rejected):
    """No rule says which account is used, or it names one that the chart does not have."""

    def __init__(self, key: Key, account: str = "") -> None:
        wanted = say("No rule of the account mapping fits.")
        missing = say("The chart of accounts has no account %(account)s.", account=account)
        super().__init__(missing if account else wanted, code="no_account")
        self.key, self.account = key, account


def specificity(rule: AccountRule) -> int:
    """How specific a rule is: the sum of the weights of what it names."""
    return sum(weight for name, weight in WEIGHTS.items() if getattr(rule, name) not in (None, ""))


def fits(rule: AccountRule, key: Key) -> bool:
    """Whether a rule is about this question: everything it names is as asked, and the day is within its days."""
    if rule.event != key.event or key.day < rule.valid_from or (rule.valid_until and key.day > rule.valid_until):
        return False
    named = ((getattr(rule, name), getattr(key, name)) for name in WEIGHTS)
    return all(wanted in (None, "") or _same(wanted, asked) for wanted, asked in named)


def _same(wanted: Any, asked: Any) -> bool:
    return bool(
        wanted.casefold() == asked.casefold() if isinstance(wanted, str) and isinstance(asked, str) else wanted == asked
    )


class Table:
    """The rules of a chart in force, in memory."""

    def __init__(
        self, chart: str, rules: Iterable[AccountRule], accounts: Iterable[Account], keys: Iterable[TaxKey]
    ) -> None:
        self.chart = chart
        self.accounts = {account.number: account for account in accounts}
        self.keys = {key.key: key for key in keys}
        self._by_event: dict[str, list[AccountRule]] = {}
        for rule in sorted(rules, key=_rank, reverse=True):
            self._by_event.setdefault(rule.event, []).append(rule)
        self._known: dict[Key, Found] = {}

    @classmethod
    def load(cls, chart: str, *, instead: Sequence[AccountRule] = (), without: Sequence[int] = ()) -> Table:
        """As it is in the database; ``instead`` and ``without`` make it as it would be."""
        rules = AccountRule.objects.filter(chart=chart, until=None).exclude(pk__in=without)
        return cls(chart, [*rules, *instead], Account.objects.filter(chart=chart), TaxKey.objects.filter(chart=chart))

    def fitting(self, key: Key) -> list[AccountRule]:
        """All rules that are about this question, the one that counts first."""
        return [rule for rule in self._by_event.get(key.event, ()) if fits(rule, key)]

    def find(self, key: Key) -> Found:
        """The account for this; Unmapped if nobody says."""
        if key not in self._known:
            self._known[key] = self._find(key)
        return self._known[key]

    def _find(self, key: Key) -> Found:
        rule = next((rule for rule in self._by_event.get(key.event, ()) if fits(rule, key)), None)
        if rule is None:
            raise Unmapped(key)
        account = self.accounts.get(rule.account)
        if account is None:
            raise Unmapped(key, rule.account)
        if rule.tax_key and rule.tax_key not in self.keys:
            raise Rejected(say("The chart of accounts has no tax key %(key)s.", key=rule.tax_key), code="no_account")
        return Found(rule, account, self.keys.get(rule.tax_key))


def _rank(rule: AccountRule) -> tuple[int, date, int]:
    return specificity(rule), rule.valid_from, rule.pk or 1 << 62


def newest(chart: str) -> MappingVersion:
    """The version in force."""
    return MappingVersion.objects.filter(chart=chart).latest("number")


def key_of(line: Any, day: date) -> Key:
    """The question that a posting's account was the answer to."""
    return Key(
        event=line.event,
        day=day,
        channel_id=line.channel_id,
        location=line.location,
        product_group=line.product_group,
        payment_method=line.payment_method,
        country=line.country,
        rate=line.rate,
        tax_case=line.tax_case,
    )


SALES = (Event.REVENUE, Event.ADVANCE)
