"""The books as rows: documents, their numbers and taxes, who issues them."""

from .documents import Document, DocumentFile, DocumentLine, DocumentTax, Origin
from .issuing import IssuingRule, Seller
from .numbers import NumberRange, Series, VoidNumber
from .procedure import ProcedureDocument
from .tax import DistanceSales, GoodsTax, TaxRate, VatCheck

__all__ = [
    "DistanceSales",
    "Document",
    "DocumentFile",
    "DocumentLine",
    "DocumentTax",
    "GoodsTax",
    "IssuingRule",
    "NumberRange",
    "Origin",
    "ProcedureDocument",
    "Seller",
    "Series",
    "TaxRate",
    "VatCheck",
    "VoidNumber",
]
