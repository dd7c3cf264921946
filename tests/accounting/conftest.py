"""A provider, a bank and orders for tests of the books."""

from tests.payments.conftest import bank, ordered, psp, till

__all__ = ["bank", "ordered", "psp", "till"]
