"""What the inventory does about each command; the batch's orders are all different."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from inventory_service import domain, repository
from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import Asked, LockingTable
from schemas.messages import (
    CommitStock,
    PricedLine,
    ReleaseStock,
    ReserveStock,
    StockCommitted,
    StockRefused,
    StockReleased,
    StockReserved,
)

StockReply: TypeAlias = StockReserved | StockRefused


async def reserve_stock(tx: Transaction, batch: Sequence[ReserveStock]) -> list[StockReply]:
    """Reserve each order whole or refuse it: a reply each, in order; all of `tx` holds or none."""
    offers = await repository.lock_offers(tx, {line.sku for order in batch for line in order.lines})
    replies: list[StockReply] = []
    for order in batch:
        wanted = [(line.sku, line.quantity) for line in order.lines]
        left = domain.reserve(offers, wanted, currency=order.currency)
        if isinstance(left, domain.Refusal):
            replies.append(_refused(order, left))
        else:
            offers = left
            replies.append(_reserved(order, offers))
    await repository.save_reserved(tx, [r for r in replies if isinstance(r, StockReserved)])
    return replies


async def commit_stock(tx: Transaction, batch: Sequence[CommitStock]) -> list[StockCommitted]:
    """What each order has reserved leaves the shelves."""
    await repository.end_lines(tx, [order.order_id for order in batch], "committed")
    return [StockCommitted(order_id=order.order_id) for order in batch]


async def release_stock(tx: Transaction, batch: Sequence[ReleaseStock]) -> list[StockReleased]:
    """What each order has reserved is free again."""
    await repository.end_lines(tx, [order.order_id for order in batch], "released")
    return [StockReleased(order_id=order.order_id) for order in batch]


async def lock_shelves(tx: Transaction, asked: Asked) -> None:
    """Every shelf that one of these commands touches is locked until `tx` ends."""
    skus = {line.sku for order in asked.get(ReserveStock, ()) for line in order.lines}
    ending = (*asked.get(CommitStock, ()), *asked.get(ReleaseStock, ()))
    await repository.lock_shelves(tx, skus, orders=[order.order_id for order in ending])


def _reserved(order: ReserveStock, offers: domain.Offers) -> StockReserved:
    lines = tuple(
        PricedLine(sku=line.sku, quantity=line.quantity, price_minor=offers[line.sku].price_minor)
        for line in order.lines
    )
    return StockReserved(
        order_id=order.order_id,
        lines=lines,
        total_minor=sum(line.quantity * line.price_minor for line in lines),
        currency=order.currency,
    )


def _refused(order: ReserveStock, refusal: domain.Refusal) -> StockRefused:
    return StockRefused(
        order_id=order.order_id, sku=refusal.sku, code=refusal.code, detail=refusal.detail
    )


COMMANDS: Final = LockingTable(
    {
        ReserveStock: reserve_stock,
        CommitStock: commit_stock,
        ReleaseStock: release_stock,
    },
    lock=lock_shelves,
)
