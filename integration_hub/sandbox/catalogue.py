"""What the played merchant sells: the same articles in both shops and in the ERP, with SKU and GTIN."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

STANDARD = Decimal("0.19")
REDUCED = Decimal("0.07")
ODD = Decimal("0.12")  # no German rate: for orders that are wrong on purpose


@dataclass(frozen=True)
class Article:
    """One sellable variant; ``price`` is gross in EUR, ``number`` its position and part of its ids."""

    number: int
    sku: str
    gtin: str
    title: str
    price: Decimal
    rate: Decimal = STANDARD
    family: str = ""
    option: str = ""

    @property
    def variant(self) -> bool:
        return bool(self.family)


def _gtin(number: int) -> str:
    """A GTIN-13 of the range for internal use (prefix 20-29), with its check digit (GS1 General Specifications 7.9)."""
    body = f"29990000{number:04d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _article(
    number: int, sku: str, title: str, price: str, rate: Decimal = STANDARD, family: str = "", option: str = ""
) -> Article:
    return Article(number, sku, _gtin(number), title, Decimal(price), rate, family, option)


ARTICLES = (
    _article(1, "TK-100", "Teekanne Glas 1,2 l", "39.95"),
    _article(2, "TK-200", "Teekanne Gusseisen 0,8 l", "64.90"),
    _article(3, "TEE-250", "Darjeeling First Flush 250 g", "12.90", REDUCED),
    _article(4, "TEE-100G", "Grüner Tee Sencha 100 g", "9.95", REDUCED),
    _article(5, "TEE-KR", "Kräutertee „Abendruhe“ 80 g", "5.49", REDUCED),
    _article(6, "TS-S", "T-Shirt Teeliebe", "19.90", family="TS", option="S"),
    _article(7, "TS-M", "T-Shirt Teeliebe", "19.90", family="TS", option="M"),
    _article(8, "TS-L", "T-Shirt Teeliebe", "19.90", family="TS", option="L"),
    _article(9, "BE-500", "Thermobecher 0,5 l", "24.99"),
    _article(10, "BUCH-01", "Bildband Tee & Kultur", "29.00", REDUCED),
    _article(11, "HONIG-500", "Lindenhonig 500 g", "8.90", REDUCED),
    _article(12, "SIEB-01", "Teesieb Edelstahl", "7.50"),
)
BUNDLE = _article(13, "SET-TEE", "Geschenkset Glaskanne und Darjeeling", "49.90")
BUNDLE_PARTS = (("TK-100", 1), ("TEE-250", 2))
GIFT_CARD = _article(14, "GUTSCHEIN-50", "Gutschein 50 €", "50.00", Decimal(0))
EXTRAS = (BUNDLE, GIFT_CARD)  # on sale, but ordered only when asked for
UNKNOWN = Article(90, "TK-100-B", _gtin(90), "Teekanne Glas 1,2 l, Edition Blau", Decimal("44.95"))
SERVICES = {"VERSAND": "Versandkosten", "GEBUEHR": "Gebühr", "RABATT": "Rabatt"}


STOCK = 250  # pieces of each article that a shop begins with
GRAMS = 350


def by_sku(sku: str) -> Article:
    """An article that is on sale; KeyError for any other."""
    return {article.sku: article for article in (*ARTICLES, *EXTRAS)}[sku]


def title(article: Article) -> str:
    """The full name: family name and option for a variant."""
    return f"{article.title} - {article.option}" if article.variant else article.title
