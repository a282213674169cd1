"""Money on a real PostgreSQL: limits that hold, and a ledger that adds up to the balances."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from asyncpg import UniqueViolationError
from sqlalchemy import text

from payment_service import api, domain, handlers, repository
from payment_service.domain import Account
from payment_service.ledger import Ledger
from sagaline.chassis.database import Database
from schemas.messages import (
    AuthorizePayment,
    CapturePayment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentRefused,
    VoidPayment,
)
from tests.integration.services.stage import Opened, client_of

COMMANDS: Final = handlers.commands(Ledger(default_limit_minor=1_000, default_currency="EUR"))


@pytest_asyncio.fixture
async def database(opened: Opened) -> AsyncIterator[Database]:
    async with opened("payment_service") as database:
        yield database


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api.router, database) as client:
        yield client


def order(
    number: int, amount_minor: int, customer_id: str = "ann", currency: str = "EUR"
) -> AuthorizePayment:
    return AuthorizePayment(
        order_id=UUID(int=number),
        customer_id=customer_id,
        amount_minor=amount_minor,
        currency=currency,
    )


async def authorize(database: Database, *orders: AuthorizePayment) -> list[str | None]:
    """Authorize a batch: the code of each refusal, None for what is held."""
    async with database.transaction() as tx:
        replies = await COMMANDS[AuthorizePayment](tx, orders)
    answers = [r for r in replies if isinstance(r, PaymentAuthorized | PaymentRefused)]
    assert [answer.order_id for answer in answers] == [each.order_id for each in orders]
    return [answer.code if isinstance(answer, PaymentRefused) else None for answer in answers]


async def capture(database: Database, *orders: UUID) -> list[PaymentCaptured]:
    async with database.transaction() as tx:
        asked = [CapturePayment(order_id=order_id) for order_id in orders]
        replies = await COMMANDS[CapturePayment](tx, asked)
    return [reply for reply in replies if isinstance(reply, PaymentCaptured)]


async def void(database: Database, *orders: UUID) -> None:
    async with database.transaction() as tx:
        asked = [VoidPayment(order_id=order_id) for order_id in orders]
        await COMMANDS[VoidPayment](tx, asked)


async def put(client: httpx.AsyncClient, customer_id: str, limit_minor: int) -> int:
    terms = {"limit_minor": limit_minor, "currency": "EUR"}
    return (await client.put(f"/accounts/{customer_id}", json=terms)).status_code


async def account(database: Database, customer_id: str = "ann") -> domain.Account | None:
    async with database.transaction() as tx:
        return await repository.find_account(tx, customer_id)


async def books(database: Database) -> domain.Books:
    async with database.transaction() as tx:
        return await repository.read_books(tx)


async def test_orders_of_one_customer_in_a_batch_are_decided_one_after_the_other(
    database: Database, client: httpx.AsyncClient
) -> None:
    await put(client, "ann", 100)
    batch = [order(1, 60), order(2, 50), order(3, 40), order(4, 1), order(5, 0)]
    expected = [None, "credit_exceeded", None, "credit_exceeded", None]
    assert await authorize(database, *batch) == expected
    assert await account(database) == Account("ann", 100, "EUR", authorized_minor=100)
    assert (await books(database)).problems == ()


async def test_who_is_unknown_gets_an_account_with_the_default_terms(database: Database) -> None:
    batch = [order(1, 1_000, "bob"), order(2, 1, "bob"), order(3, 1, "eve", "USD")]
    assert await authorize(database, *batch) == [None, "credit_exceeded", "other_currency"]
    assert await account(database, "bob") == Account("bob", 1_000, "EUR", authorized_minor=1_000)
    assert await account(database, "eve") == Account("eve", 1_000, "EUR")


async def test_what_is_held_is_taken_or_given_back(database: Database) -> None:
    await authorize(database, order(1, 30), order(2, 20), order(3, 10))
    taken = await capture(database, UUID(int=3), UUID(int=1))
    assert [(reply.order_id.int, reply.amount_minor) for reply in taken] == [(3, 10), (1, 30)]
    await void(database, UUID(int=2))
    expected = Account("ann", 1_000, "EUR", authorized_minor=0, captured_minor=40)
    assert await account(database) == expected
    assert await books(database) == domain.Books(
        balanced=True,
        problems=(),
        authorized_minor={},
        captured_minor={"EUR": 40},
        voided_minor={"EUR": 20},
        open_authorizations=0,
    )


async def test_an_order_pays_once(database: Database) -> None:
    await authorize(database, order(1, 30), order(2, 20))
    with pytest.raises(UniqueViolationError):
        await authorize(database, order(3, 5), order(1, 30))
    await capture(database, UUID(int=1))
    for settle in (capture, void):
        with pytest.raises(AssertionError, match="nothing is authorized"):
            await settle(database, UUID(int=2), UUID(int=1))
    expected = Account("ann", 1_000, "EUR", authorized_minor=20, captured_minor=30)
    assert await account(database) == expected
    assert (await books(database)).problems == ()


async def test_no_limit_is_exceeded_whatever_runs_at_the_same_time(
    database: Database, client: httpx.AsyncClient
) -> None:
    """Six connections charge and settle five customers, two move the limits: at random."""
    customers = ["ann", "bob", "eve", "kim", "zoe"]
    numbers = itertools.count(1)

    async def charge(chance: random.Random) -> int:
        captured_minor = 0
        for _ in range(6):
            batch = [
                order(next(numbers), chance.randint(0, 120), chance.choice(customers))
                for _ in range(8)
            ]
            codes = await authorize(database, *batch)
            held = [each for each, code in zip(batch, codes, strict=True) if code is None]
            kept, freed = held[::2], held[1::2]
            replies = await capture(database, *(each.order_id for each in kept))
            captured_minor += sum(reply.amount_minor for reply in replies)
            await void(database, *(each.order_id for each in freed))
        return captured_minor

    async def move_limits(chance: random.Random) -> int:
        for _ in range(20):
            who, limit_minor = chance.choice(customers), chance.randint(0, 2_000)
            assert await put(client, who, limit_minor) in (200, 409)
        return 0

    seeds = [random.Random(seed) for seed in range(8)]
    runs = [*(charge(chance) for chance in seeds[:6]), *(move_limits(c) for c in seeds[6:])]
    captured_minor = sum(await asyncio.gather(*runs))
    found = await books(database)
    assert found.problems == ()
    assert found.open_authorizations == 0
    assert found.captured_minor == {"EUR": captured_minor}
    assert captured_minor > 0


async def test_batches_that_open_the_same_accounts_wait_for_each_other(database: Database) -> None:
    """Four connections open the same accounts, named in opposite orders: none fails."""
    names = [f"c{n:03}" for n in range(400)]

    async def open_all(customers: list[str]) -> int:
        async with database.transaction() as tx:
            await repository.open_accounts(tx, customers, limit_minor=1, currency="EUR")
            return len(await repository.lock_accounts(tx, customers))

    for first in range(0, 400, 100):
        some = names[first : first + 100]
        orders = [some, some[::-1], some, some[::-1]]
        assert await asyncio.gather(*(open_all(order) for order in orders)) == [100] * 4


async def test_an_account_is_set_and_read(client: httpx.AsyncClient) -> None:
    terms = {"limit_minor": 500, "currency": "SEK"}
    answer = await client.put("/accounts/ann", json=terms)
    unused = {"authorized_minor": 0, "captured_minor": 0}
    assert answer.json() == {"customer_id": "ann", **terms, **unused}
    assert (await client.get("/accounts/ann")).json() == answer.json()
    missing = await client.get("/accounts/bob")
    assert missing.status_code == 404
    assert missing.json()["type"] == "https://sagaline.dev/problems/account-not-found"


async def test_terms_that_the_use_forbids_change_nothing(
    database: Database, client: httpx.AsyncClient
) -> None:
    await authorize(database, order(1, 60), order(2, 40))
    await capture(database, UUID(int=1))
    before = await account(database)
    for terms, problem in (
        ({"limit_minor": 99, "currency": "EUR"}, "limit-in-use"),
        ({"limit_minor": 100, "currency": "USD"}, "currency-in-use"),
    ):
        answer = await client.put("/accounts/ann", json=terms)
        assert answer.status_code == 409
        assert answer.json()["type"] == f"https://sagaline.dev/problems/{problem}"
    assert await account(database) == before
    assert await put(client, "ann", 100) == 200


@pytest.mark.parametrize(
    "path, change, field",
    [
        ("/accounts/ann", {"limit_minor": -1}, "limit_minor"),
        ("/accounts/ann", {"limit_minor": 10**15 + 1}, "limit_minor"),
        ("/accounts/ann", {"limit_minor": True}, "limit_minor"),
        ("/accounts/ann", {"currency": "eur"}, "currency"),
        ("/accounts/ann", {"captured_minor": 0}, "captured_minor"),
        ("/accounts/" + "x" * 65, {}, "customer_id"),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(
    client: httpx.AsyncClient, path: str, change: dict[str, object], field: str
) -> None:
    answer = await client.put(path, json={"limit_minor": 1, "currency": "EUR", **change})
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {field}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET authorized_minor = authorized_minor - 1",
        "UPDATE payment SET amount_minor = amount_minor + 1",
        "DELETE FROM entry",
    ],
)
async def test_the_books_name_an_account_that_differs(
    database: Database, client: httpx.AsyncClient, change: str
) -> None:
    await authorize(database, order(1, 60))
    async with database.transaction() as tx:
        await tx.execute(text(change))
    answer = (await client.get("/books")).json()
    assert answer["balanced"] is False
    assert [problem.split(":")[0] for problem in answer["problems"]] == ["ann"]
