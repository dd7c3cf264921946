"""From the lines of an order to the lines of a document: pieces, vouchers, bundles, shared tax, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.money import Money, rounded
from integration_hub.kernel.states import LineKind as OrderedKind
from integration_hub.kernel.text import Text, say
from inventory.models import Kind, Variant
from inventory.services import bundles
from orders.models import Order, OrderLine

from ..models import IssuingRule
from ..states import Figures, LineKind, SharedTax, TaxCase, VoucherUse
from . import tax
from .rates import RateTable, percent
from .sums import Draft, TaxSum, settle, shares, spread
from .tax import Article, Circumstances, Treatment

ZERO = Decimal(0)
_KINDS = {Kind.SERVICE: LineKind.SERVICE, Kind.VOUCHER_SINGLE: LineKind.VOUCHER, Kind.VOUCHER_MULTI: LineKind.VOUCHER}
_DEPOSIT = ("pfand", "deposit")


@dataclass(frozen=True)
class Trouble:
    """Why it cannot be issued as it is: the kind of case, and what is expected and found."""

    kind: str
    expected: Text | None
    found: Text


@dataclass
class Composition:
    """Lines and sums of one delivery; ``vouchers`` is what was paid by multi-purpose voucher, ``taken`` pieces by line id."""

    lines: list[Draft] = field(default_factory=list)
    sums: list[TaxSum] = field(default_factory=list)
    vouchers: Decimal = ZERO
    taken: dict[int, Decimal] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        return sum((one.net for one in self.sums), ZERO)

    @property
    def tax(self) -> Decimal:
        return sum((one.tax for one in self.sums), ZERO)

    @property
    def gross(self) -> Decimal:
        return sum((one.gross for one in self.sums), ZERO)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What of an order is to be billed under which circumstances.

    ``pieces``: line id -> pieces (None: all that are left); ``billed``: line id -> pieces billed before; ``rest`` says that
    shipping, fees and discounts go with it (they do with an order's first document).
    """

    order: Order
    lines: Sequence[OrderLine]
    rule: IssuingRule
    table: RateTable
    given: Circumstances
    pieces: Mapping[int, Decimal] | None = None
    billed: Mapping[int, Decimal] = field(default_factory=dict)
    rest: bool = True
    figures: Figures | None = None
    variants: Mapping[int, Variant] = field(default_factory=dict)


def compose(task: Task) -> Composition:
    """The document's lines and sums; what a person must decide first is in ``troubles``."""
    made = Composition()
    try:
        _lines(task, made)
    except Rejected as error:  # tax.Undecided, or a bundle whose price cannot be shared
        made.troubles.append(Trouble("document_tax_undecided", None, error.text))
        return made
    order = task.order
    made.sums = settle(made.lines, order.currency, includes_tax=order.prices_include_tax, tolerance=task.rule.tolerance)
    if task.figures is None:
        made.troubles += [*_sum_trouble(task), *_tax_trouble(task, made)]
    return made


def _lines(task: Task, made: Composition) -> None:
    gross = _cents(task)
    shared: list[Draft] = []
    for line in task.lines:
        pieces = _pieces(task, line)
        if not pieces:
            continue
        made.taken[line.pk] = pieces
        draft = _draft(task, line, gross[line.pk], pieces)
        if draft.shared:
            shared.append(draft)
        else:
            made.lines += _treated(task, line, draft)
    goods = list(made.lines)
    for draft in shared:
        _share(task, made, draft, goods)


def _cents(task: Task) -> dict[int, Decimal]:
    """Whole coins per line that sum up to the rounded sum of all, whatever fractions the shop states."""
    exact = [line.gross for line in task.lines]
    total = rounded(sum(exact, ZERO), task.order.currency)
    return dict(zip([line.pk for line in task.lines], shares(total, exact, task.order.currency), strict=True))


def _pieces(task: Task, line: OrderLine) -> Decimal:
    if line.kind in (OrderedKind.SHIPPING, OrderedKind.FEE):
        return line.quantity if task.rest else ZERO
    if task.pieces is not None:
        return task.pieces.get(line.pk, ZERO)
    return line.quantity - line.cancelled - task.billed.get(line.pk, ZERO)


def _draft(task: Task, line: OrderLine, gross: Decimal, pieces: Decimal) -> Draft:
    before = task.billed.get(line.pk, ZERO)

    def part(amount: Decimal) -> Decimal:
        """The share of these pieces, so that the shares of all pieces make the whole."""
        if pieces == line.quantity:
            return amount
        upto, done = amount * (before + pieces) / line.quantity, amount * before / line.quantity
        return rounded(upto, task.order.currency) - rounded(done, task.order.currency)

    return Draft(
        kind=_kind(line),
        title=line.title,
        gross=part(gross),
        quantity=pieces,
        unit_price=line.unit_price,
        discount=part(line.discount),
        sku=line.sku,
        group=line.variant.group if line.variant else "",
        order_line_id=line.pk,
        variant_id=line.variant_id,
        shared=line.kind in (OrderedKind.SHIPPING, OrderedKind.FEE),
        stated_net=line.net if pieces == line.quantity else part(line.net),
        stated_tax=line.tax if pieces == line.quantity else part(line.tax),
        stated_rate=_rate(line),
    )


def _kind(line: OrderLine) -> LineKind:
    if line.kind == OrderedKind.SHIPPING:
        return LineKind.SHIPPING
    if line.kind == OrderedKind.FEE:
        if line.gross < 0:
            return LineKind.DISCOUNT
        return LineKind.DEPOSIT if any(word in line.title.lower() for word in _DEPOSIT) else LineKind.FEE
    if line.kind == OrderedKind.GIFT_CARD:
        return LineKind.VOUCHER
    return _KINDS.get(Kind(line.variant.kind), LineKind.GOODS) if line.variant else LineKind.GOODS


def _rate(line: OrderLine) -> Decimal | None:
    """The one rate the shop states; None where it states several."""
    return line.tax_rate if len(line.taxes) < 2 else None


def article_of(line: OrderLine) -> Article:
    """The line as tax sees it; a gift card without an article of ours is a multi-purpose voucher."""
    variant = line.variant
    if variant is None:
        kind = Kind.VOUCHER_MULTI if line.kind == OrderedKind.GIFT_CARD else Kind.GOODS
        return Article(kind=kind, stated=_rate(line))
    return Article(kind=variant.kind, group=variant.group, tax_class=variant.tax_class, stated=_rate(line))


def _treatment(task: Task, article: Article) -> Treatment:
    look = tax.as_stated if task.figures == Figures.SHOP else tax.decide
    return look(task.table, task.given, article)


def _treated(task: Task, line: OrderLine, draft: Draft) -> list[Draft]:
    if line.variant and line.variant.kind == Kind.BUNDLE and draft.gross and task.figures != Figures.SHOP:
        return _bundle(task, line, draft)
    draft.treatment = _treatment(task, article_of(line))
    return [draft]


def _bundle(task: Task, line: OrderLine, draft: Draft) -> list[Draft]:
    """A bundle at the rates of its parts, shared by its rule; one line where all parts are treated alike."""
    assert line.variant is not None  # noqa: S101  the caller looked
    parts = bundles.share(line.variant, Money(draft.gross, task.order.currency))
    variants = Variant.objects.in_bulk([part.variant_id for part in parts])
    amounts: dict[Treatment, Decimal] = {}
    for part in parts:
        one = variants[part.variant_id]
        article = Article(kind=one.kind, group=one.group, tax_class=one.tax_class)
        treatment = _treatment(task, article)
        amounts[treatment] = amounts.get(treatment, ZERO) + part.amount.amount
    if len(amounts) == 1:
        draft.treatment = next(iter(amounts))
        return [draft]
    return [_bundle_part(draft, treatment, amount) for treatment, amount in amounts.items()]


def _bundle_part(draft: Draft, treatment: Treatment, gross: Decimal) -> Draft:
    return Draft(
        kind=draft.kind,
        title=f"{draft.title} ({percent(treatment.rate)} %)"[:250],
        gross=gross,
        quantity=draft.quantity,
        unit_price=gross / draft.quantity,
        sku=draft.sku,
        group=draft.group,
        order_line_id=draft.order_line_id,
        variant_id=draft.variant_id,
        treatment=treatment,
    )


def _share(task: Task, made: Composition, draft: Draft, goods: Sequence[Draft]) -> None:
    """Shipping, fees and discounts: paid by voucher, taxed before, or with the tax of the goods."""
    if draft.gross < 0 and not draft.stated_tax and any(one.stated_tax for one in goods):
        if task.rule.voucher_use == VoucherUse.PAYMENT:
            made.vouchers -= draft.gross
            return
        if task.rule.voucher_use == VoucherUse.SINGLE:
            largest = max(goods, key=lambda one: one.gross).treated
            draft.kind = LineKind.VOUCHER
            draft.treatment = Treatment(TaxCase.VOUCHER_SINGLE, task.given.home, largest.rate)
            made.lines.append(draft)
            return
    stated = task.figures == Figures.SHOP or task.rule.shared_tax == SharedTax.STATED
    real = [one for one in goods if one.treated.case != TaxCase.VOUCHER_MULTI]
    if stated or not real:
        draft.treatment = _treatment(task, Article(stated=draft.stated_rate))
        made.lines.append(draft)
        return
    made.lines += spread(draft, real, task.order.currency)


def _sum_trouble(task: Task) -> list[Trouble]:
    order = task.order
    lines = rounded(sum((line.gross for line in task.lines), ZERO), order.currency)
    if lines == rounded(order.total, order.currency):
        return []
    expected = say("Total of the shop: %(total)s", total=Money(order.total, order.currency))
    return [
        Trouble("document_sum_differs", expected, say("Sum of the lines: %(sum)s", sum=Money(lines, order.currency)))
    ]


def _tax_trouble(task: Task, made: Composition) -> list[Trouble]:
    """The shop's tax beside ours, rate by rate; a coin per line is rounding, more is a difference."""
    ours: dict[Decimal, Decimal] = {}
    theirs: dict[Decimal, Decimal] = {}
    for one in made.sums:
        if one.treatment.case == TaxCase.VOUCHER_SINGLE and one.gross < 0:
            continue  # taxed when it was sold: a shop states no tax where it is redeemed
        ours[one.treatment.rate] = ours.get(one.treatment.rate, ZERO) + one.tax
    for line in task.lines:
        for rate, amount in _stated(line, made.taken.get(line.pk, ZERO)):
            theirs[rate] = theirs.get(rate, ZERO) + amount
    allowed = task.rule.tolerance * max(len(made.lines), 1)
    rates = sorted(rate for rate in ours.keys() | theirs.keys() if rate)
    differing = [rate for rate in rates if abs(ours.get(rate, ZERO) - theirs.get(rate, ZERO)) > allowed]
    if not differing:
        return []
    currency = task.order.currency
    return [
        Trouble(
            "document_tax_differs",
            say("Tax by the hub's tables: %(sums)s", sums=[_sum(rate, ours, currency) for rate in rates]),
            say("Tax as the shop states it: %(sums)s", sums=[_sum(rate, theirs, currency) for rate in rates]),
        )
    ]


def _stated(line: OrderLine, pieces: Decimal) -> list[tuple[Decimal, Decimal]]:
    """What the shop says about the tax of so many pieces of a line, by rate."""
    share = pieces / line.quantity if line.quantity else Decimal(1)
    parts = [(Decimal(part["rate"]), Decimal(part["amount"])) for part in line.taxes] or [(line.tax_rate, line.tax)]
    return [(rate, amount * share) for rate, amount in parts]


def _sum(rate: Decimal, sums: Mapping[Decimal, Decimal], currency: str) -> Text:
    return say("%(rate)s %%: %(amount)s", rate=percent(rate), amount=Money(sums.get(rate, ZERO), currency))
