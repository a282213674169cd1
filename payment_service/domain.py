"""Money rules: what one order may hold on an account, in minor units of the account's currency.

A refusal is a value; an exception that leaves this module is a bug. An account's numbers move only
together with a ledger entry: from one pot to another, so that no money comes or goes unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from uuid import UUID

Pot: TypeAlias = Literal["free", "authorized", "captured"]
Move: TypeAlias = tuple[Pot, Pot]  # from, to

AUTHORIZE: Move = ("free", "authorized")
CAPTURE: Move = ("authorized", "captured")
VOID: Move = ("authorized", "free")


@dataclass(frozen=True, slots=True)
class Account:
    """Up to `limit_minor` may be authorized and captured together."""

    customer_id: str
    limit_minor: int
    currency: str
    authorized_minor: int = 0
    captured_minor: int = 0

    @property
    def used_minor(self) -> int:
        """What is not free any more."""
        return self.authorized_minor + self.captured_minor


@dataclass(frozen=True, slots=True)
class Charge:
    """What one order costs its customer."""

    order_id: UUID
    customer_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is held for the order."""

    code: Literal["other_currency", "credit_exceeded"]
    detail: str


def authorize(account: Account, charge: Charge) -> Account | Refusal:
    """Hold the whole charge or none of it: the account afterwards, or why not."""
    if charge.currency != account.currency:
        detail = f"The account is in {account.currency}, not in {charge.currency}."
        return Refusal("other_currency", detail)
    free = account.limit_minor - account.used_minor
    if charge.amount_minor > free:
        detail = f"{charge.amount_minor} {charge.currency} (minor units) are more than is free."
        return Refusal("credit_exceeded", detail)
    return moved(account, AUTHORIZE, charge.amount_minor)


def moved(account: Account, move: Move, amount_minor: int) -> Account:
    """The account after this much went from one pot to the other; no pot may fall below zero."""
    assert amount_minor >= 0, amount_minor
    source, target = move
    change = {source: -amount_minor, target: amount_minor}
    after = replace(
        account,
        authorized_minor=account.authorized_minor + change.get("authorized", 0),
        captured_minor=account.captured_minor + change.get("captured", 0),
    )
    assert after.authorized_minor >= 0, (account, move, amount_minor)
    assert after.used_minor <= after.limit_minor, (account, move, amount_minor)
    return after


@dataclass(frozen=True, slots=True)
class Books:
    """Whether accounts, payments and ledger agree, and what they come to, by currency."""

    balanced: bool
    problems: tuple[str, ...]
    authorized_minor: Mapping[str, int]
    captured_minor: Mapping[str, int]
    voided_minor: Mapping[str, int]
    open_authorizations: int
