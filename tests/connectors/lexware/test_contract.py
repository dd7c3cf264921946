"""Lexware Office keeps the contract of all connectors."""

from __future__ import annotations

from tests.connectors.contract import DeclarationContract, TroubleContract, WriteContract

from .mine import Mine


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestTrouble(Mine, TroubleContract):
    pass


class TestWriting(Mine, WriteContract):
    pass
