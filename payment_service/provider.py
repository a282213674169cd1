"""The port to whoever holds the customers' money.

What implements it now is `ledger.Ledger`, in this service's own database and thus in the batch's
transaction. A provider outside would be called between two transactions, by effect handlers.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from payment_service import domain
from sagaline.chassis.database import Transaction


class Provider(Protocol):
    """Holds, takes and gives back amounts; all or nothing of a batch, with its transaction."""

    async def lock(
        self, tx: Transaction, charges: Sequence[domain.Charge], orders: Sequence[UUID]
    ) -> None:
        """What authorizing these charges, and ending these orders' payments, needs is locked."""
        ...

    async def authorize(
        self, tx: Transaction, charges: Sequence[domain.Charge]
    ) -> list[domain.Refusal | None]:
        """Hold each charge, or say why not: an answer each, as if they came one by one."""
        ...

    async def capture(self, tx: Transaction, orders: Sequence[UUID]) -> list[domain.Charge]:
        """Take what is held for each of these orders: the charges, in order."""
        ...

    async def void(self, tx: Transaction, orders: Sequence[UUID]) -> list[domain.Charge]:
        """Give back what is held for each of these orders: the charges, in order."""
        ...
