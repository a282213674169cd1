"""Stock on a real PostgreSQL: whole orders, shared shelves, and books that prove themselves."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeAlias
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from asyncpg import UniqueViolationError
from sqlalchemy import text

from inventory_service import api, domain, handlers, repository
from sagaline.chassis.database import Database
from schemas.messages import (
    CommitStock,
    OrderLine,
    ReleaseStock,
    ReserveStock,
    StockRefused,
    StockReserved,
)
from tests.integration.services.stage import Opened, client_of

Settle: TypeAlias = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture
async def database(opened: Opened) -> AsyncIterator[Database]:
    async with opened("inventory_service") as database:
        yield database


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api.router, database) as client:
        yield client


def wanted(number: int, lines: Mapping[str, int], currency: str = "EUR") -> ReserveStock:
    return ReserveStock(
        order_id=UUID(int=number),
        currency=currency,
        lines=tuple(OrderLine(sku=sku, quantity=quantity) for sku, quantity in lines.items()),
    )


async def put(client: httpx.AsyncClient, sku: str, on_hand: int, price_minor: int = 100) -> int:
    stock = {"on_hand": on_hand, "price_minor": price_minor, "currency": "EUR"}
    return (await client.put(f"/stock/{sku}", json=stock)).status_code


async def reserve(database: Database, *orders: ReserveStock) -> list[handlers.StockReply]:
    async with database.transaction() as tx:
        return await handlers.reserve_stock(tx, orders)


async def commit(database: Database, *orders: UUID) -> None:
    async with database.transaction() as tx:
        await handlers.commit_stock(tx, [CommitStock(order_id=order) for order in orders])


async def release(database: Database, *orders: UUID) -> None:
    async with database.transaction() as tx:
        await handlers.release_stock(tx, [ReleaseStock(order_id=order) for order in orders])


async def shelf(database: Database, sku: str) -> domain.Shelf:
    async with database.transaction() as tx:
        found = await repository.find_shelf(tx, sku)
    assert found is not None
    return found


async def books(database: Database) -> domain.Books:
    async with database.transaction() as tx:
        return await repository.read_books(tx)


async def test_a_batch_reserves_whole_orders_and_refuses_the_others_with_the_reason(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 5, price_minor=1_999)
    await put(client, "DESK", 1, price_minor=30_000)
    replies = await reserve(
        database,
        wanted(1, {"LAMP": 2, "DESK": 1}),
        wanted(2, {"LAMP": 1, "DESK": 1}),  # the one desk went to the order before
        wanted(3, {"LAMP": 1, "SOFA": 1}),
        wanted(4, {"LAMP": 1}, currency="USD"),
        wanted(5, {"LAMP": 3}),
    )
    first = replies[0]
    assert isinstance(first, StockReserved)
    assert first.total_minor == 2 * 1_999 + 30_000
    assert [line.price_minor for line in first.lines] == [1_999, 30_000]
    refused = [(r.sku, r.code) for r in replies if isinstance(r, StockRefused)]
    assert refused == [
        ("DESK", "out_of_stock"),
        ("SOFA", "unknown_sku"),
        ("LAMP", "other_currency"),
    ]
    assert [reply.order_id.int for reply in replies] == [1, 2, 3, 4, 5]
    assert await shelf(database, "LAMP") == domain.Shelf("LAMP", 5, 5, 1_999, "EUR")
    assert await shelf(database, "DESK") == domain.Shelf("DESK", 1, 1, 30_000, "EUR")


async def test_committed_stock_leaves_and_released_stock_is_free_again(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 10)
    await put(client, "DESK", 10)
    await reserve(database, wanted(1, {"LAMP": 2, "DESK": 1}), wanted(2, {"LAMP": 3}))
    async with database.transaction() as tx:
        await handlers.commit_stock(tx, [CommitStock(order_id=UUID(int=1))])
        await handlers.release_stock(tx, [ReleaseStock(order_id=UUID(int=2))])
    assert await shelf(database, "LAMP") == domain.Shelf("LAMP", 8, 0, 100, "EUR")
    assert await shelf(database, "DESK") == domain.Shelf("DESK", 9, 0, 100, "EUR")
    expected = domain.Books(
        balanced=True,
        problems=(),
        on_hand=17,
        reserved=0,
        committed=3,
        committed_minor={"EUR": 300},
        open_reservations=0,
    )
    assert await books(database) == expected


@pytest.mark.parametrize("settle", [commit, release])
async def test_an_order_is_settled_once_or_the_whole_transaction_fails(
    database: Database, client: httpx.AsyncClient, settle: Settle
) -> None:
    await put(client, "LAMP", 10)
    await reserve(database, wanted(1, {"LAMP": 2}), wanted(2, {"LAMP": 3}))
    await settle(database, UUID(int=1))
    before = await shelf(database, "LAMP")
    with pytest.raises(AssertionError, match="nothing is reserved"):
        await settle(database, UUID(int=2), UUID(int=1))
    assert await shelf(database, "LAMP") == before
    assert (await books(database)).open_reservations == 1


async def test_an_order_can_not_reserve_twice(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 10)
    await reserve(database, wanted(1, {"LAMP": 2}))
    with pytest.raises(UniqueViolationError):
        await reserve(database, wanted(1, {"LAMP": 2}))
    assert (await shelf(database, "LAMP")).reserved == 2


async def test_of_the_last_units_each_is_sold_once(
    database: Database, client: httpx.AsyncClient
) -> None:
    """Eight connections want 2 x 160 units, the shelves named in any order; 2 x 60 are there."""
    await put(client, "LAMP", 60)
    await put(client, "DESK", 60)

    async def buy(buyer: int) -> int:
        skus = ["LAMP", "DESK"] if buyer % 2 else ["DESK", "LAMP"]
        sold = 0
        for batch in range(4):
            first = 100 * buyer + 10 * batch
            orders = [wanted(first + n, dict.fromkeys(skus, 1)) for n in range(5)]
            replies = await reserve(database, *orders)
            sold += sum(isinstance(reply, StockReserved) for reply in replies)
        return sold

    assert sum(await asyncio.gather(*(buy(buyer) for buyer in range(8)))) == 60
    assert (await shelf(database, "LAMP")).reserved == 60
    assert (await books(database)).problems == ()


async def test_the_books_balance_whatever_ran_at_the_same_time(
    database: Database, client: httpx.AsyncClient
) -> None:
    """Six connections reserve and settle, two count the shelves anew: all at once, at random."""
    skus = ["A", "B", "C", "D"]
    for sku in skus:
        await put(client, sku, 60)
    numbers = itertools.count(1)

    async def buy(chance: random.Random) -> int:
        committed = 0
        for _ in range(5):
            orders = [
                wanted(next(numbers), {s: chance.randint(1, 4) for s in chance.sample(skus, 3)})
                for _ in range(6)
            ]
            held = [r for r in await reserve(database, *orders) if isinstance(r, StockReserved)]
            kept, freed = held[::2], held[1::2]
            committed += sum(line.quantity for reply in kept for line in reply.lines)
            await commit(database, *(reply.order_id for reply in kept))
            await release(database, *(reply.order_id for reply in freed))
        return committed

    async def count_anew(chance: random.Random) -> int:
        for _ in range(20):
            assert await put(client, chance.choice(skus), chance.randint(0, 60)) in (200, 409)
        return 0

    seeds = [random.Random(seed) for seed in range(8)]
    runs = [*(buy(chance) for chance in seeds[:6]), *(count_anew(chance) for chance in seeds[6:])]
    committed = sum(await asyncio.gather(*runs))
    found = await books(database)
    assert found.problems == ()
    assert (found.reserved, found.open_reservations) == (0, 0)
    assert found.committed == committed > 0


async def test_stock_is_set_and_read(client: httpx.AsyncClient) -> None:
    stock = {"on_hand": 7, "price_minor": 1_999, "currency": "EUR"}
    answer = await client.put("/stock/LAMP-1", json=stock)
    assert answer.json() == {"sku": "LAMP-1", "reserved": 0, **stock}
    assert (await client.get("/stock/LAMP-1")).json() == answer.json()
    await put(client, "DESK-1", 1)
    await put(client, "SOFA-1", 1)
    listed = (await client.get("/stock", params={"after": "DESK-1", "limit": 1})).json()
    assert [shelf["sku"] for shelf in listed] == ["LAMP-1"]


async def test_what_is_promised_stays_on_the_shelf(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 5)
    await reserve(database, wanted(1, {"LAMP": 3}))
    stock = {"on_hand": 2, "price_minor": 1, "currency": "USD"}
    answer = await client.put("/stock/LAMP", json=stock)
    assert answer.status_code == 409
    assert answer.json()["type"] == "https://sagaline.dev/problems/stock-promised"
    assert await shelf(database, "LAMP") == domain.Shelf("LAMP", 5, 3, 100, "EUR")
    assert await put(client, "LAMP", 3) == 200
    assert (await books(database)).problems == ()


async def test_an_open_order_keeps_the_price_of_its_moment(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 5, price_minor=100)
    await reserve(database, wanted(1, {"LAMP": 2}))
    await put(client, "LAMP", 5, price_minor=999)
    await commit(database, UUID(int=1))
    assert (await client.get("/books")).json()["committed_minor"] == {"EUR": 200}


@pytest.mark.parametrize(
    "path, change, field",
    [
        ("/stock/LAMP", {"on_hand": -1}, "on_hand"),
        ("/stock/LAMP", {"on_hand": 1_000_000_001}, "on_hand"),
        ("/stock/LAMP", {"on_hand": "5"}, "on_hand"),
        ("/stock/LAMP", {"on_hand": 1.5}, "on_hand"),
        ("/stock/LAMP", {"price_minor": -1}, "price_minor"),
        ("/stock/LAMP", {"currency": "XXX"}, "currency"),
        ("/stock/LAMP", {"reserved": 1}, "reserved"),
        ("/stock/LA MP", {}, "sku"),
        ("/stock/" + "X" * 65, {}, "sku"),
        ("/stock/L%00", {}, "path"),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(
    client: httpx.AsyncClient, path: str, change: dict[str, object], field: str
) -> None:
    stock = {"on_hand": 1, "price_minor": 1, "currency": "EUR", **change}
    answer = await client.put(path, json=stock)
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {field}


async def test_a_shelf_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/stock/NONE")
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "https://sagaline.dev/problems/shelf-not-found",
    )


async def test_the_books_name_a_shelf_that_differs(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "LAMP", 5)
    await put(client, "DESK", 5)
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE shelf SET on_hand = 4 WHERE sku = 'LAMP'"))
        await tx.execute(text("UPDATE shelf SET reserved = 1 WHERE sku = 'DESK'"))
    answer = (await client.get("/books")).json()
    assert answer["balanced"] is False
    assert [problem.split(":")[0] for problem in answer["problems"]] == ["DESK", "LAMP"]
