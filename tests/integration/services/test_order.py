"""Orders on a real PostgreSQL, from PENDING to their end, and what third parties are told."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from asyncpg import UniqueViolationError
from sqlalchemy import text

import schemas
from order_service import api, domain, handlers, repository
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database
from schemas.messages import (
    ConfirmOrder,
    CreateOrder,
    OrderConfirmationRefused,
    OrderConfirmed,
    OrderCreationRefused,
    OrderLine,
    OrderMarkedConfirmed,
    OrderMarkedRejected,
    OrderRejected,
    RejectOrder,
)
from tests.integration.services.stage import Opened, client_of

PLACED_AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@pytest_asyncio.fixture
async def database(opened: Opened) -> AsyncIterator[Database]:
    async with opened("order_service") as database:
        yield database


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api.router, database) as client:
        yield client


def placed(number: int, quantity: int = 1) -> CreateOrder:
    return CreateOrder(
        order_id=UUID(int=number),
        customer_id=f"customer-{number}",
        currency="EUR",
        lines=(OrderLine(sku="LAMP", quantity=quantity), OrderLine(sku="DESK", quantity=1)),
        placed_at=PLACED_AT,
    )


def confirmation(number: int, total_minor: int = 900, currency: str = "EUR") -> ConfirmOrder:
    return ConfirmOrder(order_id=UUID(int=number), total_minor=total_minor, currency=currency)


async def create(database: Database, *orders: CreateOrder) -> list[handlers.Creation]:
    async with database.transaction() as tx:
        return await handlers.create_order(tx, orders)


async def confirm(database: Database, *asked: ConfirmOrder) -> list[handlers.Confirmation]:
    async with database.transaction() as tx:
        return await handlers.confirm_order(tx, asked)


async def reject(database: Database, *numbers: int) -> list[OrderMarkedRejected]:
    async with database.transaction() as tx:
        asked = [RejectOrder(order_id=UUID(int=number)) for number in numbers]
        return await handlers.reject_order(tx, asked)


async def told(database: Database) -> list[object]:
    """What stands in the outbox for third parties, in order."""
    codec = Codec(schemas.CATALOG)
    async with database.transaction() as tx:
        rows = await tx.execute(text("SELECT topic, key, payload FROM sagaline.outbox ORDER BY id"))
        found = [(row.topic, row.key, codec.decode(row.payload)) for row in rows]
    assert {topic for topic, _, _ in found} <= {"orders.events.v1"}
    return [message for _, _, message in found]


async def statuses(database: Database, numbers: Sequence[int]) -> list[domain.Status]:
    async with database.transaction() as tx:
        found = await repository.lock_orders(tx, [UUID(int=number) for number in numbers])
    return [found[UUID(int=number)].status for number in numbers]


async def test_an_order_is_kept_as_it_was_placed(
    database: Database, client: httpx.AsyncClient
) -> None:
    await create(database, placed(1), placed(2))
    assert (await client.get(f"/orders/{UUID(int=1)}")).json() == {
        "order_id": str(UUID(int=1)),
        "customer_id": "customer-1",
        "currency": "EUR",
        "lines": [{"sku": "DESK", "quantity": 1}, {"sku": "LAMP", "quantity": 1}],
        "status": "PENDING",
        "total_minor": None,
        "placed_at": "2026-05-01T12:30:00Z",
        "ended_at": None,
    }
    assert await told(database) == []


async def test_what_can_be_no_order_is_refused_beside_others_that_are_kept(
    database: Database, client: httpx.AsyncClient
) -> None:
    replies = await create(database, placed(1), placed(2, quantity=0), placed(3))
    refused = [reply for reply in replies if isinstance(reply, OrderCreationRefused)]
    assert [(reply.order_id.int, reply.code) for reply in refused] == [(2, "bad_quantity")]
    assert [reply.order_id.int for reply in replies] == [1, 2, 3]
    missing = await client.get(f"/orders/{UUID(int=2)}")
    assert missing.status_code == 404
    assert missing.json()["type"] == "https://sagaline.dev/problems/order-not-found"
    assert await statuses(database, [1, 3]) == ["PENDING", "PENDING"]


async def test_a_batch_of_nothing_but_refusals_keeps_nothing(database: Database) -> None:
    await create(database, placed(1, quantity=0))
    async with database.transaction() as tx:
        assert sum((await repository.read_books(tx)).orders.values()) == 0


async def test_an_order_is_created_once(database: Database) -> None:
    await create(database, placed(1))
    with pytest.raises(UniqueViolationError):
        await create(database, placed(2), placed(1))
    async with database.transaction() as tx:
        assert await repository.find_order(tx, UUID(int=2)) is None


async def test_the_pivot_is_passed_once_and_only_by_a_pending_order(database: Database) -> None:
    await create(database, placed(1), placed(2), placed(3))
    await reject(database, 2)
    batch = [confirmation(1), confirmation(2), confirmation(3, currency="USD"), confirmation(4)]
    first, *others = await confirm(database, *batch)
    assert first == OrderMarkedConfirmed(order_id=UUID(int=1))
    refused = [reply for reply in others if isinstance(reply, OrderConfirmationRefused)]
    codes = [(reply.order_id.int, reply.code) for reply in refused]
    assert codes == [(2, "not_pending"), (3, "other_currency"), (4, "unknown_order")]
    assert await statuses(database, [1, 2, 3]) == ["CONFIRMED", "REJECTED", "PENDING"]
    (again,) = await confirm(database, confirmation(1, total_minor=1))
    assert isinstance(again, OrderConfirmationRefused)


async def test_third_parties_are_told_of_each_end_with_its_time(
    database: Database, client: httpx.AsyncClient
) -> None:
    await create(database, placed(1), placed(2))
    await confirm(database, confirmation(1, total_minor=900))
    await reject(database, 2)
    one, two = [(await client.get(f"/orders/{UUID(int=number)}")).json() for number in (1, 2)]
    assert await told(database) == [
        OrderConfirmed(
            order_id=UUID(int=1),
            customer_id="customer-1",
            total_minor=900,
            currency="EUR",
            confirmed_at=datetime.fromisoformat(one["ended_at"]),
        ),
        OrderRejected(
            order_id=UUID(int=2),
            customer_id="customer-2",
            rejected_at=datetime.fromisoformat(two["ended_at"]),
        ),
    ]


async def test_a_confirmed_order_is_never_rejected(database: Database) -> None:
    await create(database, placed(1), placed(2))
    await confirm(database, confirmation(1))
    with pytest.raises(AssertionError):
        await reject(database, 2, 1)
    assert await statuses(database, [1, 2]) == ["CONFIRMED", "PENDING"]
    assert len(await told(database)) == 1


async def test_the_books_count_every_order(database: Database, client: httpx.AsyncClient) -> None:
    await create(database, *(placed(number) for number in range(1, 7)))
    await confirm(database, confirmation(1, 900), confirmation(2, 100), confirmation(3, 0))
    await reject(database, 4, 5)
    assert (await client.get("/books")).json() == {
        "balanced": True,
        "problems": [],
        "orders": {"PENDING": 1, "CONFIRMED": 3, "REJECTED": 2},
        "confirmed_minor": {"EUR": 1_000},
    }


async def test_the_books_name_an_order_without_lines(
    database: Database, client: httpx.AsyncClient
) -> None:
    await create(database, placed(1), placed(2))
    async with database.transaction() as tx:
        await tx.execute(text(f"DELETE FROM order_line WHERE order_id = '{UUID(int=2)}'"))
    answer = (await client.get("/books")).json()
    assert (answer["balanced"], answer["problems"]) == (False, [f"{UUID(int=2)} has no lines"])
