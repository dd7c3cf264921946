"""What a merchant fills in for a bank: whose statements, and how its CSV files name their columns."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import Text, say

from .base import option


@dataclass(frozen=True, kw_only=True)
class BankConfig:
    """Accounts at one bank, and the saved column mapping of its CSV export."""

    accounts: tuple[str, ...] = option(
        say("Accounts"),
        default=(),
        help=say("IBANs whose statements are taken. Empty: any. A statement of another account is refused."),
    )
    csv_account: str = option(
        say("CSV: account"), default="", help=say("The IBAN that CSV files are of. Empty: no CSV files are taken.")
    )
    csv_delimiter: str = option(
        say("CSV: columns are separated by"),
        default=";",
        choices=((";", say("semicolon")), (",", say("comma")), ("\t", say("tab"))),
    )
    csv_decimal: str = option(
        say("CSV: decimals follow a"), default=",", choices=((",", say("comma")), (".", say("point")))
    )
    csv_dates: str = option(
        say("CSV: dates look like"),
        default="%d.%m.%Y",
        choices=(
            ("%d.%m.%Y", Text("31.12.2026")),
            ("%d.%m.%y", Text("31.12.26")),
            ("%Y-%m-%d", Text("2026-12-31")),
            ("%d/%m/%Y", Text("31/12/2026")),
            ("%m/%d/%Y", Text("12/31/2026")),
        ),
    )
    csv_booked: str = option(say("CSV: column of the booking date"), default="Buchungstag")
    csv_valued: str = option(say("CSV: column of the value date"), default="")
    csv_amount: str = option(say("CSV: column of the amount"), default="Betrag")
    csv_debit: str = option(
        say("CSV: column of debits"), default="", help=say("Where money in and out stand in two columns.")
    )
    csv_credit: str = option(say("CSV: column of credits"), default="")
    csv_currency: str = option(
        say("CSV: column of the currency"), default="Waehrung", help=say("A file without this column counts as euros.")
    )
    csv_name: str = option(say("CSV: column of the name"), default="Beguenstigter/Zahlungspflichtiger")
    csv_iban: str = option(say("CSV: column of the other account"), default="Kontonummer/IBAN")
    csv_text: tuple[str, ...] = option(say("CSV: columns of the text"), default=("Verwendungszweck",))
    csv_reference: str = option(say("CSV: column of the bank's reference"), default="")
    csv_balance: str = option(
        say("CSV: column of the balance after each line"),
        default="",
        help=say("With it the hub checks that no line is missing. Without it a CSV file proves nothing."),
    )
