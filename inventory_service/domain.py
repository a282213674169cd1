"""Stock rules: what one order may take from the shelves, in whole units.

A refusal is a value; an exception that leaves this module is a bug. Who waits for whom when two
orders want the same shelf is the repository's business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Offer:
    """`free` units of one SKU can be had, at `price_minor` each."""

    free: int
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The order gets nothing: `sku` is its first line that can't be met."""

    sku: str
    code: Literal["unknown_sku", "other_currency", "out_of_stock"]
    detail: str


Offers: TypeAlias = Mapping[str, Offer]  # by SKU


def reserve(offers: Offers, lines: Iterable[tuple[str, int]], *, currency: str) -> Offers | Refusal:
    """Take every line (SKU, units) or none: what is left afterwards, or the first refusal."""
    left = dict(offers)
    for sku, quantity in lines:
        assert quantity > 0, (sku, quantity)
        offer = left.get(sku)
        if offer is None:
            return Refusal(sku, "unknown_sku", f"There is no {sku}.")
        if offer.currency != currency:
            detail = f"{sku} is sold in {offer.currency}, not in {currency}."
            return Refusal(sku, "other_currency", detail)
        if offer.free < quantity:
            detail = f"{quantity} of {sku} are wanted, {offer.free} are free."
            return Refusal(sku, "out_of_stock", detail)
        left[sku] = replace(offer, free=offer.free - quantity)
    return left


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU: `on_hand` units lie there, `reserved` of them are promised to open orders."""

    sku: str
    on_hand: int
    reserved: int
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Books:
    """Whether shelves, order lines and movements agree, and what they come to, in units.

    `committed_minor` is what the committed lines cost, by currency.
    """

    balanced: bool
    problems: tuple[str, ...]
    on_hand: int
    reserved: int
    committed: int
    committed_minor: Mapping[str, int]
    open_reservations: int
