"""The books as rows: documents, their numbers and taxes, who issues them; accounts, entries and postings; exports."""

from .closing import Closing, Reopening
from .documents import Document, DocumentFile, DocumentLine, DocumentTax, Origin
from .export import Download, Export, ExportChunk, ExportFile, HeldBack
from .issuing import Due, IssuingRule, Seller, TaxDecision
from .ledger import Booking, Entry, Period, Posting
from .mapping import Account, AccountRule, Books, Choice, MappingVersion, TaxKey
from .numbers import NumberRange, Series, VoidNumber
from .procedure import ProcedureDocument
from .tax import DistanceSales, GoodsTax, TaxRate, VatCheck

__all__ = [
    "Account",
    "AccountRule",
    "Booking",
    "Books",
    "Choice",
    "Closing",
    "DistanceSales",
    "Document",
    "DocumentFile",
    "DocumentLine",
    "DocumentTax",
    "Download",
    "Due",
    "Entry",
    "Export",
    "ExportChunk",
    "ExportFile",
    "GoodsTax",
    "HeldBack",
    "IssuingRule",
    "MappingVersion",
    "NumberRange",
    "Origin",
    "Period",
    "Posting",
    "ProcedureDocument",
    "Reopening",
    "Seller",
    "Series",
    "TaxDecision",
    "TaxKey",
    "TaxRate",
    "VatCheck",
    "VoidNumber",
]
