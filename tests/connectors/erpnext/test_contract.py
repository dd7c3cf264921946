"""ERPNext keeps the contract of all connectors."""

from __future__ import annotations

from tests.connectors.contract import (
    DeclarationContract,
    ParseContract,
    TroubleContract,
    WriteContract,
)
from tests.connectors.levels import LevelsListedContract, ProductsSweptContract
from tests.connectors.listing import SalesListedContract

from .mine import Mine


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestParsing(Mine, ParseContract):
    pass


class TestTrouble(Mine, TroubleContract):
    pass


class TestWriting(Mine, WriteContract):
    pass


class TestListing(Mine, SalesListedContract):
    pass


class TestLevels(Mine, LevelsListedContract):
    pass


class TestSweep(Mine, ProductsSweptContract):
    pass
