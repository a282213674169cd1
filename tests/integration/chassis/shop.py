"""A shop: handlers that show how often they had an effect, and do what a test wants."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from sqlalchemy import text

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import EffectTable
from schemas.messages import (
    CommitStock,
    ReleaseStock,
    ReserveStock,
    StockCommitted,
    StockRefused,
    StockReleased,
    StockReserved,
)

Hook: TypeAlias = Callable[[Transaction, Sequence[Message]], Awaitable[None]]


class Shop:
    """Handlers that write each effect as a row, as often as it happens.

    A test says which orders are refused and which fail, and what else is to happen in a batch.
    """

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.broken: set[int] = set()
        self.error: Exception = ValueError("this order can't be handled")
        self.before: Hook = nothing
        self.after: Hook = nothing
        self.batches: list[list[int]] = []

    @property
    def handlers(self) -> EffectTable:
        return {ReserveStock: self.reserve, ReleaseStock: self.release, CommitStock: self.commit}

    async def reserve(self, tx: Transaction, batch: Sequence[ReserveStock]) -> list[Message]:
        taken = [each for each in batch if each.order_id.int not in self.refused]
        await self._work(tx, batch, taken, "reserved")
        return [self._answer(each) for each in batch]

    async def release(self, tx: Transaction, batch: Sequence[ReleaseStock]) -> list[Message]:
        await self._work(tx, batch, batch, "released")
        return [StockReleased(order_id=each.order_id) for each in batch]

    async def commit(self, tx: Transaction, batch: Sequence[CommitStock]) -> list[Message]:
        await self._work(tx, batch, batch, "committed")
        return [StockCommitted(order_id=each.order_id) for each in batch]

    async def _work(
        self,
        tx: Transaction,
        batch: Sequence[ReserveStock | ReleaseStock | CommitStock],
        taken: Sequence[ReserveStock | ReleaseStock | CommitStock],
        what: str,
    ) -> None:
        numbers = [each.order_id.int for each in batch]
        self.batches.append(numbers)
        await self.before(tx, batch)
        await tx.execute(
            text(
                "INSERT INTO effect (order_id, what) SELECT unnest(CAST(:orders AS uuid[])), :what"
            ),
            {"orders": [each.order_id for each in taken], "what": what},
        )
        if self.broken & set(numbers):
            raise self.error
        await self.after(tx, batch)

    def _answer(self, asked: ReserveStock) -> Message:
        if asked.order_id.int in self.refused:
            detail = "None is left."
            return StockRefused(
                order_id=asked.order_id, sku="LAMP-1", code="out_of_stock", detail=detail
            )
        return StockReserved(order_id=asked.order_id, lines=(), total_minor=0, currency="EUR")


async def nothing(tx: Transaction, batch: Sequence[Message]) -> None:
    """The hook of a test that has nothing to add."""


def once(hook: Hook) -> Hook:
    """`hook` at its first call, and nothing at later ones."""
    left = [hook]

    async def first(tx: Transaction, batch: Sequence[Message]) -> None:
        if left:
            await left.pop()(tx, batch)

    return first
