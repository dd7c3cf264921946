"""CAMT.053 bank statements (ISO 20022, versions 001.02 to 001.13), read without following anything in the file.

What the versions tell apart is read either way: a status as text or as code, a party directly or one level down, an amount
of a detail as such or inside its details.  A batch is told line by line where its details make up its amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.funds import StatementLine, StatementReport
from integration_hub.kernel.text import say

from ._bank_lines import keyed, plain, reference

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(camt\.\d{3})\.001\.\d{2}\}")
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_INTERIM = "ITBD"


def read(body: bytes) -> list[StatementReport]:
    """Every statement of the file; Rejected where it is cut short, is something else or makes no sense."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        words = say("The file is not whole: it is no readable XML (%(error)s).", error=type(error).__name__)
        raise Rejected(words, code="broken_file") from error
    kind = _NAMESPACE.match(root.tag)
    if kind is None or kind[1] != "camt.053":
        words = say(
            "The file is no account statement (CAMT.053) but %(kind)s.", kind=kind[1] if kind else root.tag[:60]
        )
        raise Rejected(words, code="other_format")
    statements = [_statement(one) for one in _all(root, "BkToCstmrStmt/Stmt")]
    if not statements:
        raise unreadable("the file holds no statement")
    return statements


def _statement(found: Element) -> StatementReport:
    account = _text(found, "Acct/Id/IBAN") or _text(found, "Acct/Id/Othr/Id")
    if not account:
        raise unreadable("%(name)s is missing", name="Acct/Id")
    balances = [(_text(one, "Tp/CdOrPrtry/Cd"), one) for one in _all(found, "Bal")]
    opening, closing = _pick(balances, _OPENING, last=False), _pick(balances, _CLOSING, last=True)
    if opening is None or closing is None:
        raise Rejected(say("The statement has no opening or no closing balance; is it whole?"), code="no_balance")
    currency = _attribute(closing, "Amt", "Ccy")
    lines = keyed(line for entry in _all(found, "Ntry") for line in _lines(entry, currency))
    number = _text(found, "LglSeqNb") or _text(found, "ElctrncSeqNb") or _text(found, "Id")
    return StatementReport(
        account=account[:60],
        number=number[:60],
        currency=currency,
        opening=_signed(opening),
        closing=_signed(closing),
        opened_on=_day(opening, "Dt"),
        closed_on=_day(closing, "Dt") or _last_day(lines),
        lines=lines,
    )


def _last_day(lines: Sequence[StatementLine]) -> date:
    if not lines:
        raise unreadable("%(name)s is missing", name="Bal/Dt")
    return max(line.booked_on for line in lines)


def _pick(balances: list[tuple[str, Element]], codes: tuple[str, ...], *, last: bool) -> Element | None:
    """The balance of one of these kinds; of a statement in several parts the interim one at that end."""
    for code in (*codes, _INTERIM):
        if found := [one for kind, one in balances if kind == code]:
            return found[-1 if last else 0]
    return None


def _lines(entry: Element, currency: str) -> Iterator[StatementLine]:
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    if status and status != "BOOK":
        return
    amount = _signed(entry)
    if _attribute(entry, "Amt", "Ccy") != currency:
        raise unreadable("an entry is not in the currency of the account")
    details = _all(entry, "NtryDtls/TxDtls")
    amounts = [_detail_amount(one, amount, currency) for one in details]
    if len(details) > 1 and None not in amounts and sum(one for one in amounts if one is not None) == amount:
        for one, part in zip(details, amounts, strict=True):
            assert part is not None  # noqa: S101  said above
            yield _line(entry, one, part)
    else:
        yield _line(entry, details[0] if len(details) == 1 else entry, amount)


def _detail_amount(detail: Element, whole: Decimal, currency: str) -> Decimal | None:
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        found = _find(detail, path)
        if found is not None and found.get("Ccy") == currency:
            amount = codec.money_amount((found.text or "").strip(), path)
            mark = _text(detail, "CdtDbtInd")
            negative = mark == "DBIT" if mark else whole < 0
            return -amount if negative else amount
    return None


def _line(entry: Element, detail: Element, amount: Decimal) -> StatementLine:
    booked = _day(entry, "BookgDt") or _day(entry, "ValDt")
    if booked is None:
        raise unreadable("%(name)s is missing", name="BookgDt")
    side = "Dbtr" if amount > 0 else "Cdtr"
    said = [*_texts(detail, "RmtInf/Ustrd"), *_texts(detail, "RmtInf/Strd/CdtrRefInf/Ref")]
    said = said or _texts(detail, "AddtlTxInf") or _texts(entry, "AddtlNtryInf")
    own = reference(_text(detail, "Refs/AcctSvcrRef")) if detail is not entry else ""
    return StatementLine(
        key="",
        booked_on=booked,
        valued_on=_day(entry, "ValDt"),
        amount=amount,
        name=plain(
            _first(detail, f"RltdPties/{side}/Nm", f"RltdPties/{side}/Pty/Nm", f"RltdPties/Ultmt{side}/Nm"), 200
        ),
        iban=plain(_first(detail, f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id"), 40),
        text=plain(" ".join(said)),
        end_to_end_id=reference(_text(detail, "Refs/EndToEndId")),
        bank_reference=own or reference(_text(entry, "AcctSvcrRef")),
        kind=plain(_kind(detail) or _kind(entry), 40),
    )


def _kind(source: Element) -> str:
    code = [_text(source, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "-".join(code) if all(code) else _text(source, "BkTxCd/Prtry/Cd")


def _signed(source: Element) -> Decimal:
    mark = _text(source, "CdtDbtInd")
    if mark not in ("CRDT", "DBIT"):
        raise unreadable("%(name)s is missing", name="CdtDbtInd")
    amount = codec.money_amount(_text(source, "Amt"), "Amt")
    if amount < 0:
        raise unreadable("%(name)s is negative", name="Amt")
    return amount if mark == "CRDT" else -amount


def _day(source: Element, path: str) -> date | None:
    text = _text(source, f"{path}/Dt") or _text(source, f"{path}/DtTm")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise unreadable("%(name)s is not a date", name=path) from None


def _children(source: Element, name: str) -> list[Element]:
    return [one for one in source if isinstance(one.tag, str) and one.tag.rpartition("}")[2] == name]


def _all(source: Element, path: str) -> list[Element]:
    """Every element under a path of names, whatever their namespace."""
    found: Iterable[Element] = [source]
    for name in path.split("/"):
        found = [child for one in found for child in _children(one, name)]
    return list(found)


def _find(source: Element, path: str) -> Element | None:
    return next(iter(_all(source, path)), None)


def _text(source: Element, path: str) -> str:
    found = _find(source, path)
    return (found.text or "").strip() if found is not None else ""


def _texts(source: Element, path: str) -> list[str]:
    return [text for one in _all(source, path) if (text := (one.text or "").strip())]


def _first(source: Element, *paths: str) -> str:
    return next((text for path in paths if (text := _text(source, path))), "")


def _attribute(source: Element, path: str, name: str) -> str:
    found = _find(source, path)
    return (found.get(name) or "") if found is not None else ""
