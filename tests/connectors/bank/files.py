"""Statement files as banks write them: CAMT.053 of two versions, MT940, CSV; each 1000.00 + 855.80 - 9.90 = 1845.90."""

from __future__ import annotations

IBAN = "DE89370400440532013000"

_ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>{status}<BookgDt><Dt>2026-11-02</Dt></BookgDt>
<ValDt><Dt>2026-11-03</Dt></ValDt><AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>
<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>"""
_DETAIL = """<TxDtls><Refs><EndToEndId>{e2e}</EndToEndId></Refs>{amount}<RltdPties><Dbtr>{party}</Dbtr><DbtrAcct><Id>
<IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"""


def entry(
    amount: str, mark: str = "CRDT", details: str = "", reference: str = "", status: str = "BOOK", version: int = 2
) -> str:
    inside = status if version < 4 else f"<Cd>{status}</Cd>"
    return _ENTRY.format(
        amount=amount, mark=mark, status=f"<Sts>{inside}</Sts>", reference=reference or "NONREF", details=details
    )


def detail(text: str, name: str = "", amount: str = "", e2e: str = "NOTPROVIDED", version: int = 2) -> str:
    party = f"<Nm>{name}</Nm>" if version < 8 else f"<Pty><Nm>{name}</Nm></Pty>"
    stated = f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>' if amount and version < 8 else ""
    stated = f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>' if amount and version >= 8 else stated
    return _DETAIL.format(text=text, party=party, amount=stated, e2e=e2e)


def balance(code: str, amount: str, day: str, mark: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def camt(
    entries: str = "",
    closing: str = "1845.90",
    version: int = 2,
    number: str = "12",
    opening: str = "OPBD",
    iban: str = IBAN,
) -> bytes:
    entries = entries or (
        entry("855.80", details=detail("STRIPE po_1 Auszahlung", "STRIPE PAYMENTS EUROPE", e2e="PO1", version=version),
              reference="REF-1", version=version)
        + entry("9.90", "DBIT", version=version)
        + entry("5.00", status="PDNG", version=version)
    )  # fmt: skip
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.0{version}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId>'
        f"</GrpHdr><Stmt><Id>S1</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy>"
        f"</Acct>{balance(opening, '1000.00', '2026-11-01')}{balance('CLBD', closing, '2026-11-02')}{entries}</Stmt>"
        f"</BkToCstmrStmt></Document>"
    ).encode()


MT940 = b"""\
:20:STARTUMSE
:25:DE89370400440532013000
:28C:00012/001
:60F:C261101EUR1000,00
:61:2611021102C855,80N051NONREF//POS 3
:86:166?00SEPA-UEBERWEISUNG?109310?20EREF+PO1?21SVWZ+STRIPE po_1?22 Auszahlung?30COBADEFF?31DE02120300000000202051?32STRIPE PAYMENTS EUR?33OPE
:61:2611021102D9,90N051NONREF
:86:177?00ENTGELT?20SVWZ+Gebuehr
:62F:C261102EUR1845,90
-
"""

CSV = """Umsätze Girokonto;;;
Zeitraum: 01.11.2026 - 02.11.2026;;;

Buchungstag;Betrag;Waehrung;Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;Verwendungszweck;Saldo
02.11.2026;-9,90;EUR;Bank;;Gebühr;1.845,90
02.11.2026;855,80;EUR;STRIPE PAYMENTS EUROPE;DE02120300000000202051;STRIPE po_1 Auszahlung;1.855,80
01.11.2026;100,00;EUR;Anna Grün;;Bestellung 1007;1.000,00
""".encode("cp1252")
