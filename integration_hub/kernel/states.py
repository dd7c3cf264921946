"""Words for states that several floors share, and the table of moves a state machine is made of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

Moves = Mapping[str, frozenset[str]]


class OrderStage(StrEnum):
    """Where an order stands in its shop, in our words.  Connectors translate the vendor's."""

    PENDING = "PENDING"  # placed, but not to be fulfilled yet: payment open, on hold
    READY = "READY"  # to be fulfilled
    COMPLETED = "COMPLETED"  # the shop regards it as fulfilled
    CANCELLED = "CANCELLED"  # cancelled or failed; nothing is to be delivered
    REFUNDED = "REFUNDED"  # all money returned
    GONE = "GONE"  # deleted or in the bin


class SaleStage(StrEnum):
    """Where a sale stands in the ERP, in our words."""

    DRAFT = "DRAFT"
    CONFIRMED = "CONFIRMED"
    PARTLY_SHIPPED = "PARTLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    TROUBLE = "TROUBLE"  # the ERP itself waits for a person


class LineKind(StrEnum):
    """What a line of an order stands for."""

    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    FEE = "FEE"  # surcharges, and with a negative amount vouchers and rebates that the shop states as a line
    GIFT_CARD = "GIFT_CARD"  # sold as a product; moves no stock


class Role(StrEnum):
    """What a connection is for the merchant."""

    SHOP = "SHOP"
    ERP = "ERP"
    PAYMENT = "PAYMENT"
    BANK = "BANK"
    BOOKS = "BOOKS"  # an accounting system


class Capability(StrEnum):
    """What a connector can do; each one declared is tried by the contract suite."""

    RECEIVE = "RECEIVE"  # signed webhooks
    POLL = "POLL"
    SWEEP = "SWEEP"  # says which of our orders are gone
    SWEEP_PRODUCTS = "SWEEP_PRODUCTS"  # says which of its articles that we know are gone
    LIST_ORDERS = "LIST_ORDERS"  # says which orders were placed in a span of time
    LIST_SALES = "LIST_SALES"  # says which sales stand under our references
    WRITE_SALE = "WRITE_SALE"
    TELL_ACCEPTED = "TELL_ACCEPTED"
    TELL_SHIPPED = "TELL_SHIPPED"
    TELL_CANCELLED = "TELL_CANCELLED"
    SET_STOCK = "SET_STOCK"
    LIST_LEVELS = "LIST_LEVELS"  # says page by page what it holds of everything
    TAKE_FILES = "TAKE_FILES"  # reads files that a person or a program uploads
    REFUND = "REFUND"
    REGISTER_PAYMENT = "REGISTER_PAYMENT"
    TELL_PAYMENT = "TELL_PAYMENT"
    CANCEL_SALE = "CANCEL_SALE"
    WRITE_RETURN = "WRITE_RETURN"
    TELL_REFUNDED = "TELL_REFUNDED"
    CANCEL_ORDER = "CANCEL_ORDER"
    WRITE_VOUCHER = "WRITE_VOUCHER"  # takes documents into its books
    TELL_EXCHANGED = "TELL_EXCHANGED"
    TELL_RETURNED = "TELL_RETURNED"
