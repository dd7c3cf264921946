"""How the law sees a supply: case, country and rate.  Plain rules over a table of rates; nothing is read or written here.

Sections are those of the German UStG; what an adviser may see otherwise is a row of the tables or a column of the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say
from inventory.models import Kind

from ..models import Seller
from ..states import BuyerKind, Level, TaxCase
from ..territories import vat_area
from .rates import REDUCED, RateTable, percent

ZERO = Decimal(0)


class Undecided(Rejected):
    """The tables and facts do not say how this is taxed; ``code`` names what is missing."""


@dataclass(frozen=True)
class Treatment:
    """Tax case, country of the tax and rate (a fraction)."""

    case: TaxCase
    country: str
    rate: Decimal


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Who sells to whom, from where to where, when.

    ``vat_id`` is the buyer's as stated; ``vat_valid`` says that its form is right and no register denied it.  ``over`` says
    that the year's or last year's distance sales have passed the threshold of section 3c (4).
    """

    seller: Seller
    destination: str
    postal_code: str
    on: date
    vat_id: str = ""
    vat_valid: bool = False
    business: bool = False
    over: bool = False

    @property
    def home(self) -> str:
        return str(self.seller.country)

    @property
    def area(self) -> str:
        return vat_area(self.destination, self.postal_code)

    @property
    def buyer(self) -> BuyerKind:
        return BuyerKind.BUSINESS if self.business or self.vat_valid else BuyerKind.CONSUMER

    @property
    def abroad_in_eu(self) -> bool:
        return bool(self.area) and self.area != vat_area(self.home)


@dataclass(frozen=True, kw_only=True)
class Article:
    """What is sold, as tax sees it; ``stated`` is the shop's own rate, None where it states none."""

    kind: str = Kind.GOODS
    group: str = ""
    tax_class: str = ""
    stated: Decimal | None = None


def well_formed(vat_id: str) -> bool:
    """Whether the number has the form and check digit of its country."""
    from stdnum.eu import vat  # noqa: PLC0415  5 MB that only who checks VAT ids needs
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    try:
        vat.validate(vat_id)
    except ValidationError:
        return False
    return True


def decide(table: RateTable, given: Circumstances, article: Article) -> Treatment:
    """The treatment of one article; Undecided where the tables or the facts leave it open."""
    home = given.home
    if article.kind == Kind.VOUCHER_MULTI:
        return Treatment(TaxCase.VOUCHER_MULTI, home, ZERO)
    if given.seller.small_business:
        return Treatment(TaxCase.SMALL_BUSINESS, home, ZERO)
    if article.kind == Kind.VOUCHER_SINGLE:
        return Treatment(TaxCase.VOUCHER_SINGLE, home, _home_rate(table, given, article))
    if not given.area:
        return _third_country(table, given, article)
    if given.abroad_in_eu:
        return _other_member_state(table, given, article)
    return _domestic(table, given, article)


def _third_country(table: RateTable, given: Circumstances, article: Article) -> Treatment:
    """Goods leave the EU: exempt, 4 no. 1a.  A service to a business is taxable there (3a (2)), to a consumer here (3a (1))."""
    if article.kind != Kind.SERVICE:
        return Treatment(TaxCase.EXPORT, given.home, ZERO)
    if given.buyer == BuyerKind.BUSINESS:
        return Treatment(TaxCase.NOT_TAXABLE, given.destination, ZERO)
    return Treatment(TaxCase.DOMESTIC, given.home, _home_rate(table, given, article))


def _other_member_state(table: RateTable, given: Circumstances, article: Article) -> Treatment:
    if given.vat_valid:
        case = TaxCase.EU_B2B_SERVICE if article.kind == Kind.SERVICE else TaxCase.EU_B2B
        return Treatment(case, given.area, ZERO)
    if given.vat_id and article.stated == 0:
        raise Undecided(
            say("The VAT id %(vat_id)s is not valid, but the shop charged no tax.", vat_id=given.vat_id), code="vat_id"
        )
    if (
        article.kind == Kind.SERVICE
    ):  # to consumers where the seller is, 3a (1); what is electronic is an article of its own
        return Treatment(TaxCase.DOMESTIC, given.home, _home_rate(table, given, article))
    if not (given.seller.oss or given.over):
        return Treatment(TaxCase.EU_BELOW_THRESHOLD, given.home, _home_rate(table, given, article))
    return Treatment(TaxCase.OSS, given.area, _destination_rate(table, given, article))


def _domestic(table: RateTable, given: Circumstances, article: Article) -> Treatment:
    level = table.level_of(article.group, article.tax_class, given.home, given.buyer, given.on)
    if level == Level.REVERSE and given.buyer == BuyerKind.BUSINESS:
        return Treatment(TaxCase.DOMESTIC_REVERSE_CHARGE, given.home, ZERO)
    if level == Level.EXEMPT:
        return Treatment(TaxCase.EXEMPT, given.home, ZERO)
    rate = _home_rate(table, given, article)
    return Treatment(TaxCase.ZERO_RATED if rate == 0 else TaxCase.DOMESTIC, given.home, rate)


def _home_rate(table: RateTable, given: Circumstances, article: Article) -> Decimal:
    """By the merchant's table, else the shop's own rate where it is one of the country's on that day, else the standard."""
    level = table.level_of(article.group, article.tax_class, given.home, given.buyer, given.on)
    if level is None and article.stated:
        levels = table.levels(given.home, article.stated, given.on)
        if not levels and not _from_destination(table, given, article.stated):
            raise Undecided(
                say(
                    "%(rate)s %% was no tax rate of %(country)s on %(day)s.",
                    rate=percent(article.stated),
                    country=given.home,
                    day=given.on,
                ),
                code="rate",
            )
        level = levels[0] if levels else None
    return _rate(table, given.home, level or Level.STANDARD, given.on)


def _from_destination(table: RateTable, given: Circumstances, stated: Decimal) -> bool:
    """Whether the shop charged a rate of the destination: then it is no rate of ours, and the difference is told apart."""
    return given.abroad_in_eu and bool(table.levels(given.area, stated, given.on))


def _destination_rate(table: RateTable, given: Circumstances, article: Article) -> Decimal:
    """By the merchant's table for that country, else the shop's rate where it is one there, else home's level there."""
    level = table.level_of(article.group, article.tax_class, given.area, given.buyer, given.on)
    if level is not None:
        return _rate(table, given.area, level, given.on)
    if article.stated and table.levels(given.area, article.stated, given.on):
        return article.stated
    level = _level_at_home(table, given, article)
    if level in REDUCED and sum(table.rate(given.area, one, given.on) is not None for one in REDUCED) != 1:
        raise Undecided(
            say("Which reduced rate do such goods have in %(country)s? No rule says so.", country=given.area),
            code="level",
        )
    return _rate(table, given.area, level, given.on)


def _level_at_home(table: RateTable, given: Circumstances, article: Article) -> str:
    level = table.level_of(article.group, article.tax_class, given.home, given.buyer, given.on)
    if level is None and article.stated:
        level = next(iter(table.levels(given.home, article.stated, given.on)), None)
    return level or Level.STANDARD


def _rate(table: RateTable, country: str, level: str, on: date) -> Decimal:
    if level in (Level.ZERO, Level.EXEMPT, Level.REVERSE) and table.rate(country, level, on) is None:
        return ZERO
    rate = table.rate(country, level, on)
    if rate is None:
        raise Undecided(say("No tax rate of %(country)s is known for %(day)s.", country=country, day=on), code="rate")
    return rate


def as_stated(table: RateTable, given: Circumstances, article: Article) -> Treatment:
    """What the shop's own rate makes of it, where a person decided for the shop's figures; Undecided if it is no rate at all."""
    stated, home = article.stated or ZERO, given.home
    if stated == 0:
        return decide(table, given, article) if given.seller.small_business else _untaxed(given, article)
    if given.abroad_in_eu and table.levels(given.area, stated, given.on):
        return Treatment(TaxCase.OSS, given.area, stated)
    if table.levels(home, stated, given.on):
        return Treatment(TaxCase.EU_BELOW_THRESHOLD if given.abroad_in_eu else TaxCase.DOMESTIC, home, stated)
    raise Undecided(
        say("%(rate)s %% was no tax rate of %(country)s on %(day)s.", rate=percent(stated), country=home, day=given.on),
        code="rate",
    )


def _untaxed(given: Circumstances, article: Article) -> Treatment:
    if not given.area:
        return Treatment(TaxCase.EXPORT, given.home, ZERO)
    if given.abroad_in_eu and given.vat_id:
        case = TaxCase.EU_B2B_SERVICE if article.kind == Kind.SERVICE else TaxCase.EU_B2B
        return Treatment(case, given.area, ZERO)
    return Treatment(
        TaxCase.VOUCHER_MULTI if article.kind == Kind.VOUCHER_MULTI else TaxCase.ZERO_RATED, given.home, ZERO
    )
