"""Two processes of a service, each with a batch of several kinds of commands: nobody deadlocks."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

import schemas
from inventory_service import handlers as inventory
from payment_service import handlers as payment
from payment_service.ledger import Ledger
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.database import Database
from sagaline.chassis.envelope import Envelope, Record, command_id, saga_id
from sagaline.chassis.handlers import EffectTable
from schemas.messages import (
    AuthorizePayment,
    CapturePayment,
    CommitStock,
    OrderLine,
    ReserveStock,
)
from tests.integration.services.stage import Opened

WITHIN_S = 20
A, B, X, Y = (UUID(int=number) for number in range(1, 5))  # orders
LEDGER = Ledger(default_limit_minor=10_000, default_currency="EUR")


def record(message: Message) -> Record:
    """The message as an action of its order's saga."""
    order_id = str(getattr(message, "order_id"))  # noqa: B009  # any command here has one
    saga, step = saga_id("place-order", order_id), type(message).__name__
    envelope = Envelope(
        id=command_id(saga, step, "action", 1),
        type=message.avro_name,
        source="/saga_orchestrator",
        subject=order_id,
        time=datetime(2026, 7, 1, tzinfo=UTC),
        saga_id=saga,
        step=step,
        direction="action",
        generation=1,
    )
    return Record("commands", 0, 0, order_id, envelope, message, b"")


class Processes:
    """Processes of one service, on its one database."""

    def __init__(self, database: Database, handlers: EffectTable, *, service: str) -> None:
        self.database = database
        self.replies = f"{service}.replies.v1"
        self.commands = Commands(
            handlers, codec=Codec(schemas.CATALOG), replies_topic=self.replies, service=service
        )

    async def handle(self, *batch: Message) -> None:
        async with self.database.transaction() as tx:
            await self.commands.handle(tx, [record(message) for message in batch])
            tx.outgoing.clear()  # what is answered is not looked at here

    async def wait_for_lock(self, sessions: int) -> None:
        """So many sessions wait for a lock."""
        waiting = text(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN"
            " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        until_s = time.monotonic() + WITHIN_S
        while True:
            async with self.database.transaction() as tx:
                found = (await tx.execute(waiting)).scalar_one()
            if found == sessions:
                return
            assert time.monotonic() < until_s, f"{found} sessions wait, not {sessions}"
            await asyncio.sleep(0.02)

    async def cross(self, one: Sequence[Message], other: Sequence[Message], *, shared: str) -> None:
        """Both batches are in hand at once, and what both will need is held until they wait."""
        async with self.database.transaction() as tx:
            await tx.execute(text(shared))
            first = asyncio.create_task(self.handle(*one))
            await self.wait_for_lock(1)
            second = asyncio.create_task(self.handle(*other))
            await self.wait_for_lock(2)
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(first, second)


def wanted(order_id: UUID, sku: str) -> ReserveStock:
    line = OrderLine(sku=sku, quantity=1)
    return ReserveStock(order_id=order_id, currency="EUR", lines=(line,))


async def test_shelves_that_batches_need_crosswise(opened: Opened) -> None:
    async with opened("inventory_service") as database:
        service = Processes(database, inventory.COMMANDS, service="inventory")
        async with database.transaction() as tx:
            await tx.execute(
                text(
                    "INSERT INTO shelf (sku, on_hand, reserved, price_minor, currency)"
                    " VALUES ('S1', 9, 0, 100, 'EUR'), ('S2', 9, 0, 100, 'EUR')"
                )
            )
        await service.handle(wanted(X, "S1"), wanted(Y, "S2"))
        await service.cross(
            [wanted(B, "S1"), CommitStock(order_id=Y)],
            [wanted(A, "S2"), CommitStock(order_id=X)],
            shared="SELECT FROM shelf WHERE sku = 'S1' FOR UPDATE",
        )
        async with database.reading() as tx:
            shelves = await tx.execute(text("SELECT on_hand, reserved FROM shelf ORDER BY sku"))
            assert [tuple(row) for row in shelves] == [(8, 1), (8, 1)]


def charge(order_id: UUID, customer_id: str) -> AuthorizePayment:
    return AuthorizePayment(
        order_id=order_id, customer_id=customer_id, amount_minor=100, currency="EUR"
    )


async def test_accounts_that_batches_need_crosswise(opened: Opened) -> None:
    async with opened("payment_service") as database:
        service = Processes(database, payment.commands(LEDGER), service="payments")
        await service.handle(charge(X, "c1"), charge(Y, "c2"))
        await service.cross(
            [charge(B, "c1"), CapturePayment(order_id=Y)],
            [charge(A, "c2"), CapturePayment(order_id=X)],
            shared="SELECT FROM account WHERE customer_id = 'c1' FOR UPDATE",
        )
        async with database.reading() as tx:
            balances = await tx.execute(
                text("SELECT authorized_minor, captured_minor FROM account ORDER BY customer_id")
            )
            assert [tuple(row) for row in balances] == [(100, 100), (100, 100)]
