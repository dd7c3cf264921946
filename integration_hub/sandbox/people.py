"""Who orders: invented people and companies, mostly German, with every script now and then."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST = "Anna Lukas Jürgen Özlem Björn Käthe Mehmet Svenja Thorsten Zoë Ingeborg Paweł Renée Ulrike Friedrich Małgorzata".split()
LAST = "Müller Schäfer Weiß Großmann Öztürk Kowalski Lehmann Köhler Vogt Sørensen D’Angelo Straßburger Yıldız Nowak Groß".split()
STREETS = (
    "Hauptstraße",
    "Am Mühlbach",
    "Kölner Weg",
    "Straße des 17. Juni",
    "Schloßallee",
    "Im Grünen Winkel",
    "Universitätsring",
)
PLACES = (
    ("10115", "Berlin"),
    ("20095", "Hamburg"),
    ("80331", "München"),
    ("50667", "Köln"),
    ("01067", "Dresden"),
    ("70173", "Stuttgart"),
    ("04109", "Leipzig"),
    ("99423", "Weimar"),
    ("33602", "Bielefeld"),
    ("73033", "Göppingen"),
)
COMPANIES = ("Teestube Möller GmbH", "Café Weißdorn e. K.", "Büro & Söhne KG", "Hotel Zum Löwen GmbH & Co. KG")
OTHER_SCRIPTS = (
    ("Αλέξανδρος", "Παπαδόπουλος"),
    ("Екатерина", "Иванова"),
    ("明子", "田中"),
    ("محمد", "الأحمد"),
    ("נועה", "לוי"),
    ("ศิริพร", "แก้วใส"),
    ("Jean-François 🍵", "Lefèvre"),
)
NOTES = (
    "",
    "",
    "",
    "",
    'Bitte vor 12 Uhr – "Klingel defekt" & Hinterhaus',
    "Als Geschenk verpacken, danke! 🎁",
    "<b>Wichtig:</b> nicht knicken",
)


@dataclass(frozen=True)
class Person:
    """A buyer or recipient with the address."""

    first: str
    last: str
    company: str
    vat_id: str
    email: str
    phone: str
    street: str
    street2: str
    postcode: str
    city: str
    country: str = "DE"
    customer: int = 0  # 0: guest


def _ascii(text: str) -> str:
    table = str.maketrans(
        {
            "ä": "ae",
            "ö": "oe",
            "ü": "ue",
            "ß": "ss",
            "’": "",
            "ł": "l",
            "ı": "i",
            "ø": "o",
            "é": "e",
            "ë": "e",
            "Ö": "oe",
        }
    )
    return "".join(letter for letter in text.lower().translate(table) if letter.isascii() and letter.isalnum())


def someone(rng: random.Random) -> Person:
    """A buyer; about one in eight is a company with a VAT id, one in fifteen writes another script, a third are guests."""
    first, last = rng.choice(FIRST), rng.choice(LAST)
    mail = f"{_ascii(first)}.{_ascii(last)}{rng.randrange(1, 400)}@example.com"
    if rng.random() < 1 / 15:
        first, last = rng.choice(OTHER_SCRIPTS)
    company = rng.choice(COMPANIES) if rng.random() < 1 / 8 else ""
    postcode, city = rng.choice(PLACES)
    return Person(
        first=first,
        last=last,
        company=company,
        vat_id=_vat_id(rng) if company else "",
        email=mail,
        phone=f"+49 30 {rng.randrange(1000000, 9999999)}",
        street=f"{rng.choice(STREETS)} {rng.randrange(1, 180)}{rng.choice(['', '', '', 'a', 'b'])}",
        street2=rng.choice(["", "", "", "Hinterhaus", "c/o Krüger"]),
        postcode=postcode,
        city=city,
        customer=0 if rng.random() < 1 / 3 else rng.randrange(2, 500),
    )


def _vat_id(rng: random.Random) -> str:
    """A German VAT id with a right check digit (ISO 7064 MOD 11,10)."""
    digits = [rng.randrange(1, 10), *(rng.randrange(10) for _ in range(7))]
    product = 10
    for digit in digits:
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    check = (11 - product) % 10
    return "DE" + "".join(map(str, digits)) + str(check)
