"""From booking rows, as DATEV knows them, to the lines of the ledger: what DATEV adds by itself is posted here too.

A row is an amount on an account against a contra account.  An automatic account (AM, AV) or a tax key on the contra account
splits the tax off, or adds it, exactly as DATEV does: ``gross * r / (1 + r)``, rounded half up to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

from ..events import Flag, KeyKind, Side
from ..models import Posting
from .mapping import Found, Key, Table

CENT = Decimal("0.01")
NO_AUTOMATIC = "40"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A booking row before its accounts are known: a positive amount is debit on ``head``, a negative one credit.

    ``amount`` is in the currency of the books, ``foreign`` the same in ``currency`` at ``exchange`` units per unit of the books.
    """

    head: Key
    contra: Key
    amount: Decimal
    text: str = ""
    belegfeld1: str = ""
    eu_id: str = ""
    currency: str = ""
    foreign: Decimal | None = None
    exchange: Decimal | None = None


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def tax_in(gross: Decimal, rate: Decimal) -> Decimal:
    """The tax in a gross amount, as DATEV takes it out; ``rate`` as a fraction."""
    return cents(gross * rate / (1 + rate))


def lines(rows: Sequence[Row], table: Table, currency: str) -> list[Posting]:
    """The lines of these rows, numbered; rows of nothing are left out.  Unmapped or Rejected where one cannot be posted."""
    made: list[Posting] = []
    worth = [replace(row, amount=cents(row.amount)) for row in rows]
    for number, row in enumerate((row for row in worth if row.amount), start=1):
        made += _lines(row, number, table, currency)
    for position, line in enumerate(made, start=1):
        line.position = position
    return made


def _lines(row: Row, number: int, table: Table, currency: str) -> Iterator[Posting]:
    head, contra = table.find(row.head), table.find(row.contra)
    if head.key is not None and contra.key is None:  # a tax key belongs to the contra account
        row = replace(row, head=row.contra, contra=row.head, amount=-row.amount)
        head, contra = contra, head
    _refuse_nonsense(row, head, contra)
    untaxed = contra.rule.tax_key == NO_AUTOMATIC
    text = _text(contra.rule.text or head.rule.text, row)
    shared = {"row": number, "currency": row.currency or currency, "belegfeld1": row.belegfeld1, "text": text}
    first = _side(row.head, head, Side.HEAD, contra.account.number, **shared)
    first.tax_key, first.eu_id, first.eu_rate = contra.rule.tax_key, row.eu_id, row.contra.rate if row.eu_id else None
    first.foreign, first.exchange = row.foreign and abs(cents(row.foreign)), row.exchange
    first.cost_centre = contra.rule.cost_centre or head.rule.cost_centre
    first.tax_case, first.rate, first.country = row.contra.tax_case, row.contra.rate, row.contra.country
    yield from _taxed(first, row.amount, head, untaxed)
    second = _side(row.contra, contra, Side.CONTRA, head.account.number, **shared)
    second.tax_key = contra.rule.tax_key
    yield from _taxed(second, -row.amount, contra, untaxed)


def _text(template: str, row: Row) -> str:
    """The rule's own posting text, if it has one: ``{text}`` and ``{number}`` stand for what the row would say."""
    return template.replace("{text}", row.text).replace("{number}", row.belegfeld1) if template else row.text


def _refuse_nonsense(row: Row, head: Found, contra: Found) -> None:
    """What DATEV would refuse, or take another tax from than the document says."""
    for key, found in ((row.head, head), (row.contra, contra)):
        automatic = found.account.is_automatic
        if automatic and found.rule.tax_key and found.rule.tax_key != NO_AUTOMATIC:
            raise Rejected(
                say("Account %(account)s takes its tax by itself and bears no tax key.", account=found.account.number),
                code="automatic_with_key",
            )
        if automatic and key.rate is not None and key.rate != found.account.rate and found.account.flag == Flag.OUTPUT:
            raise Rejected(
                say(
                    "Account %(account)s takes %(there)s %% by itself, but the rate is %(rate)s %%.",
                    account=found.account.number,
                    there=percent(found.account.rate or Decimal(0)),
                    rate=percent(key.rate),
                ),
                code="other_rate",
            )


def percent(rate: Decimal) -> str:
    """``0.19`` as people write it: ``19``."""
    return f"{rate * 100:f}".rstrip("0").rstrip(".") if rate else "0"


def _side(key: Key, found: Found, side: Side, contra: str, **shared: object) -> Posting:
    return Posting(
        side=side,
        account=found.account.number,
        contra=contra,
        event=key.event,
        channel_id=key.channel_id,
        location=key.location,
        product_group=key.product_group,
        payment_method=key.payment_method,
        country=key.country,
        rate=key.rate,
        tax_case=key.tax_case,
        cost_centre=found.rule.cost_centre,
        rule=found.rule,
        **shared,
    )


def _taxed(line: Posting, amount: Decimal, found: Found, untaxed: bool) -> Iterator[Posting]:
    """The line with its share of the amount (positive: debit), and the tax lines that belong to it."""
    parts = [] if untaxed else list(_tax(line, amount, found))
    out = sum((tax for _account, tax, inside in parts if inside), Decimal(0))
    head = line.side == Side.HEAD
    # DATEV's row names the gross amount; the ledger's account line is what is left of it
    yield _worth(line, amount if head else amount - out)
    if head and out:
        yield _worth(_tax_line(line, line.account), -out)
    for account, tax, _inside in parts:
        yield _worth(_tax_line(line, account), tax)


def _tax(line: Posting, amount: Decimal, found: Found) -> Iterable[tuple[str, Decimal, bool]]:
    """Account, signed amount, and whether the tax is inside the gross amount."""
    account, key = found.account, found.key
    if account.flag == Flag.OUTPUT and account.rate:
        return _only([(account.tax_account, tax_in(amount, account.rate), True)])
    if account.flag == Flag.INPUT and account.rate:
        tax = cents(amount * account.rate)
        return _only([(account.input_account, tax, False), (account.tax_account, -tax, False)])
    if key is None or key.kind in (KeyKind.NONE, KeyKind.CANCEL):
        return ()
    rate = key.rate if key.rate is not None else line.rate
    if not rate:
        return ()
    if key.kind == KeyKind.REVERSE:
        tax = cents(amount * rate)
        return _only([(key.input_account, tax, False), (key.tax_account, -tax, False)])
    return _only([(key.tax_account, tax_in(amount, rate), True)])


def _only(parts: list[tuple[str, Decimal, bool]]) -> list[tuple[str, Decimal, bool]]:
    return [part for part in parts if part[1]]


def _tax_line(line: Posting, account: str) -> Posting:
    return Posting(
        row=line.row,
        side=Side.TAX,
        account=account,
        contra=line.account,
        currency=line.currency,
        belegfeld1=line.belegfeld1,
        text=line.text,
        country=line.country,
        rate=line.rate,
        tax_case=line.tax_case,
    )


def _worth(line: Posting, amount: Decimal) -> Posting:
    line.debit, line.credit = (amount, Decimal(0)) if amount > 0 else (Decimal(0), -amount)
    return line
