"""What customers are told, on a real PostgreSQL: once for each order, and not both things."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from structlog.testing import CapturingLogger

from notification_service import api, handlers
from notification_service.channel import LogChannel
from sagaline.chassis.database import Database
from sagaline.chassis.handlers import HandlerTable
from schemas.messages import NotificationSent, SendConfirmation, SendRejection
from tests.integration.services.stage import Opened, client_of


@pytest_asyncio.fixture
async def database(opened: Opened) -> AsyncIterator[Database]:
    async with opened("notification_service") as database:
        yield database


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api.router, database) as client:
        yield client


@pytest.fixture
def log() -> CapturingLogger:
    return CapturingLogger()


@pytest.fixture
def commands(log: CapturingLogger) -> HandlerTable:
    return handlers.commands(LogChannel(structlog.wrap_logger(log, processors=[])))


def confirmation(number: int) -> SendConfirmation:
    return SendConfirmation(
        order_id=UUID(int=number), customer_id="ann", total_minor=1_250, currency="EUR"
    )


def rejection(number: int) -> SendRejection:
    return SendRejection(
        order_id=UUID(int=number),
        customer_id="ann",
        code="out_of_stock",
        detail="2 of DESK are wanted, 1 are free.",
    )


async def send(
    database: Database, commands: HandlerTable, *orders: SendConfirmation | SendRejection
) -> list[NotificationSent]:
    async with database.transaction() as tx:
        replies = await commands[type(orders[0])](tx, orders)
    return [reply for reply in replies if isinstance(reply, NotificationSent)]


async def test_what_was_sent_is_recorded_and_goes_over_the_channel(
    database: Database, client: httpx.AsyncClient, commands: HandlerTable, log: CapturingLogger
) -> None:
    sent = [
        *await send(database, commands, confirmation(1), confirmation(2)),
        *await send(database, commands, rejection(3)),
    ]
    assert [reply.order_id.int for reply in sent] == [1, 2, 3]
    recorded = (await client.get("/notifications")).json()
    ids = {str(reply.notification_id) for reply in sent}
    assert {each["notification_id"] for each in recorded} == ids
    assert {call.kwargs["notification_id"] for call in log.calls} == ids
    assert {call.kwargs["kind"] for call in log.calls} == {"confirmation", "rejection"}


async def test_the_notifications_of_an_order_are_found(
    database: Database, client: httpx.AsyncClient, commands: HandlerTable
) -> None:
    await send(database, commands, confirmation(1))
    (sent,) = await send(database, commands, rejection(2))
    (found,) = (await client.get("/notifications", params={"order_id": str(UUID(int=2))})).json()
    assert found["notification_id"] == str(sent.notification_id)
    assert found["kind"] == "rejection"
    assert "2 of DESK are wanted, 1 are free." in found["body"]
    (newest,) = (await client.get("/notifications", params={"limit": 1})).json()
    assert newest == found


async def test_an_order_is_told_of_once(
    database: Database, client: httpx.AsyncClient, commands: HandlerTable, log: CapturingLogger
) -> None:
    await send(database, commands, confirmation(1))
    with pytest.raises(IntegrityError):
        await send(database, commands, confirmation(2), confirmation(1))
    assert len((await client.get("/notifications")).json()) == 1
    assert len(log.calls) == 1  # what the table refused was not sent either


async def test_the_books_count_both_kinds_and_name_who_was_told_both(
    database: Database, client: httpx.AsyncClient, commands: HandlerTable
) -> None:
    await send(database, commands, confirmation(1), confirmation(2))
    await send(database, commands, rejection(3))
    answer = (await client.get("/books")).json()
    expected = {"balanced": True, "problems": [], "confirmations": 2, "rejections": 1}
    assert answer == expected
    await send(database, commands, rejection(1))
    answer = (await client.get("/books")).json()
    assert answer["balanced"] is False
    assert answer["problems"] == [f"{UUID(int=1)} was confirmed and rejected"]


@pytest.mark.parametrize(
    "query, field",
    [({"order_id": "1"}, "order_id"), ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit")],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(
    client: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await client.get("/notifications", params=query)
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {field}


async def test_a_name_that_the_database_can_not_hold_fails_as_the_record_it_came_in(
    database: Database, client: httpx.AsyncClient, commands: HandlerTable
) -> None:
    hostile = confirmation(1).model_copy(update={"customer_id": "a\0b"})
    with pytest.raises(Exception, match="0x00"):
        await send(database, commands, confirmation(2), hostile)
    async with database.transaction() as tx:
        count = await tx.execute(text("SELECT count(*) FROM notification"))
    assert count.scalar_one() == 0
