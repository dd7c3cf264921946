"""Odoo keeps the contract of all connectors, over both of its interfaces."""

from __future__ import annotations

from tests.connectors.contract import (
    DeclarationContract,
    ParseContract,
    TroubleContract,
    WriteContract,
)
from tests.connectors.levels import LevelsListedContract, ProductsSweptContract
from tests.connectors.listing import SalesListedContract

from .mine import Mine, MineBefore19


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestParsing(Mine, ParseContract):
    pass


class TestTrouble(Mine, TroubleContract):
    pass


class TestTroubleOverJsonRpc(MineBefore19, TroubleContract):
    pass


class TestWriting(Mine, WriteContract):
    pass


class TestWritingOverJsonRpc(MineBefore19, WriteContract):
    pass


class TestListing(Mine, SalesListedContract):
    pass


class TestListingBefore19(MineBefore19, SalesListedContract):
    pass


class TestLevels(Mine, LevelsListedContract):
    pass


class TestLevelsBefore19(MineBefore19, LevelsListedContract):
    pass


class TestSweep(Mine, ProductsSweptContract):
    pass
