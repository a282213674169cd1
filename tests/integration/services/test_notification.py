"""What customers are told, on a real PostgreSQL: once for each order, and not both things."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from structlog.testing import CapturingLogger

import schemas
from notification_service import api, domain, handlers
from notification_service.mailer import LogBook
from notification_service.service import commands
from notification_service.settings import NotificationSettings
from notification_service.smtp import SmtpMailer
from sagaline.chassis import logs, positions, wiring
from sagaline.chassis.background import Background
from sagaline.chassis.batch import Cursors, Raw
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database
from sagaline.chassis.effects import Effect, Port
from sagaline.chassis.envelope import Envelope, command_id, saga_id
from sagaline.chassis.errors import ProviderUnavailable
from sagaline.chassis.handlers import EffectTable
from sagaline.chassis.health import Health
from sagaline.chassis.running import Running
from schemas.messages import NotificationSent, SendConfirmation, SendRejection
from tests.integration.services.post_office import Mood, PostOffice
from tests.integration.services.stage import Opened, client_of

MAILERS = ("log", "smtp")
TOPIC = "notifications.commands.v1"
LATELY = datetime.now(UTC)  # within the horizon


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


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with PostOffice().open() as office:
        yield office


def confirmation(number: int, *, customer_id: str = "ann") -> SendConfirmation:
    return SendConfirmation(
        order_id=UUID(int=number), customer_id=customer_id, total_minor=1_250, currency="EUR"
    )


def rejection(number: int) -> SendRejection:
    return SendRejection(
        order_id=UUID(int=number),
        customer_id="ann",
        code="out_of_stock",
        detail="2 of DESK are wanted, 1 are free.",
    )


class Notifying:
    """The service's inbox, over its handlers. It stands at the start of one partition."""

    def __init__(self, database: Database, table: EffectTable) -> None:
        self.database = database
        self.codec = Codec(schemas.CATALOG)
        self.service = running(database, self.codec)
        self.inbox = wiring.inbox_of(self.service, {TOPIC: table})
        self.end = 0

    async def gets(self, *orders: SendConfirmation | SendRejection) -> None:
        """These commands are handled, as a batch that has just been delivered."""
        await self.inbox.handle(*await self._delivered(orders))

    async def keeps_getting(self, *orders: SendConfirmation | SendRejection) -> None:
        """The same, and what is left of the batch again, until nobody is away any more."""
        batch, cursors = await self._delivered(orders)
        async with asyncio.timeout(40):
            while left := cursors.left_of(batch):
                with suppress(ProviderUnavailable):
                    await self.inbox.handle(left, cursors)
                    return
                await asyncio.sleep(0.05)

    async def _delivered(
        self, orders: Sequence[SendConfirmation | SendRejection]
    ) -> tuple[list[Raw], Cursors]:
        batch = [self._raw(order) for order in orders]
        cursors = Cursors(passed=lambda _spans, _outbox_id: None)
        async with self.database.transaction() as tx:
            cursors.set(await positions.claim(tx, {(TOPIC, 0): 0}, owner="test"))
        return batch, cursors

    def _raw(self, order: SendConfirmation | SendRejection) -> Raw:
        saga = saga_id("place-order", str(order.order_id))
        step = "send_confirmation" if isinstance(order, SendConfirmation) else "send_rejection"
        envelope = Envelope(
            id=command_id(saga, step, "action", 1),
            type=order.avro_name,
            source="/saga_orchestrator",
            subject=str(order.order_id),
            time=LATELY,
            saga_id=saga,
            step=step,
            direction="action",
            generation=1,
        )
        headers = tuple((name, value.encode()) for name, value in envelope.headers().items())
        self.end += 1
        key = str(order.order_id).encode()
        return Raw(TOPIC, 0, self.end - 1, key, headers, self.codec.encode(order))

    async def replies(self) -> list[NotificationSent]:
        """What the sagas hear, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.fetch("SELECT type, payload FROM sagaline.outbox ORDER BY id")
        heard = [self.codec.decode(row["payload"]) for row in rows if "Sent" in row["type"]]
        return [reply for reply in heard if isinstance(reply, NotificationSent)]

    async def parked(self) -> int:
        async with self.database.transaction() as tx:
            return int((await tx.fetch("SELECT count(*) FROM sagaline.parked"))[0][0])


def running(database: Database, codec: Codec) -> Running:
    log, stopping = logs.logger("notification_service"), asyncio.Event()
    return Running(
        service="notification_service",
        settings=NotificationSettings(),
        database=database,
        catalog=schemas.CATALOG,
        codec=codec,
        log=log,
        metrics=CollectorRegistry(),
        app=FastAPI(),
        operator_app=FastAPI(),
        health=Health(),
        background=Background(stopping, log),
        stopping=stopping,
    )


@pytest.fixture
def logging(database: Database, log: CapturingLogger) -> Notifying:
    book = LogBook(structlog.wrap_logger(log, processors=[]))
    return Notifying(database, handlers.by_log(book))


@pytest.fixture
def settings(office: PostOffice) -> NotificationSettings:
    return NotificationSettings(
        mailer="smtp",
        sender="orders@shop.test",
        address="{customer_id}@customers.test",
        smtp_port=office.port,
        smtp_tls="none",
        smtp_timeout_ms=1_500,
    )


@pytest.fixture
def mailing(database: Database, settings: NotificationSettings) -> Notifying:
    port = Port(name="mailer", timeout_ms=30_000, calls_max=16)
    mailer = SmtpMailer(settings, clock=lambda: LATELY)
    return Notifying(database, handlers.by_mail(mailer, port))


@pytest.fixture(params=MAILERS)
def notifying(
    request: pytest.FixtureRequest, database: Database, settings: NotificationSettings
) -> Notifying:
    """The service as it puts itself together, by lines and by mails."""
    return Notifying(database, commands(settings.model_copy(update={"mailer": request.param})))


def recipients(office: PostOffice) -> list[str]:
    return sorted(str(mail["To"]).partition("@")[0] for mail in office.mails)


async def test_what_was_sent_is_recorded_and_goes_over_the_mailer(
    client: httpx.AsyncClient, logging: Notifying, log: CapturingLogger
) -> None:
    await logging.gets(confirmation(1), confirmation(2), rejection(3))
    sent = await logging.replies()
    assert [reply.order_id.int for reply in sent] == [1, 2, 3]
    recorded = (await client.get("/notifications")).json()
    ids = {str(reply.notification_id) for reply in sent}
    assert {each["notification_id"] for each in recorded} == ids
    assert {each["refusal"] for each in recorded} == {None}
    assert {call.kwargs["notification_id"] for call in log.calls} == ids
    assert {call.kwargs["kind"] for call in log.calls} == {"confirmation", "rejection"}


async def test_the_notifications_of_an_order_are_found(
    client: httpx.AsyncClient, logging: Notifying
) -> None:
    await logging.gets(confirmation(1))
    await logging.gets(rejection(2))
    (found,) = (await client.get("/notifications", params={"order_id": str(UUID(int=2))})).json()
    assert found["notification_id"] == str((await logging.replies())[1].notification_id)
    assert found["kind"] == "rejection"
    assert "2 of DESK are wanted, 1 are free." in found["body"]
    (newest,) = (await client.get("/notifications", params={"limit": 1})).json()
    assert newest == found


async def test_replies_and_books_are_the_same_by_lines_and_by_mails(
    client: httpx.AsyncClient, notifying: Notifying
) -> None:
    await notifying.gets(confirmation(1), confirmation(2, customer_id="bob"), rejection(3))
    await notifying.gets(rejection(3))
    replies = await notifying.replies()
    told = [
        domain.confirmation(UUID(int=1), "ann", total="12.50 EUR"),
        domain.confirmation(UUID(int=2), "bob", total="12.50 EUR"),
        domain.rejection(UUID(int=3), "ann", reason=rejection(3).detail),
    ]
    ids = [(one.order_id, one.notification_id) for one in [*told, told[2]]]
    assert [(reply.order_id, reply.notification_id) for reply in replies] == ids
    recorded = (await client.get("/notifications")).json()
    assert {(each["customer_id"], each["body"], each["refusal"]) for each in recorded} == {
        (one.customer_id, one.body, None) for one in told
    }
    books = (await client.get("/books")).json()
    assert (books["confirmations"], books["rejections"], books["refused"]) == (2, 1, 0)


async def test_only_mails_take_an_intent_and_a_second_transaction(
    settings: NotificationSettings,
) -> None:
    tables = {
        mailer: commands(settings.model_copy(update={"mailer": mailer})) for mailer in MAILERS
    }
    effects = {
        mailer: {isinstance(handler, Effect) for handler in table.values()}
        for mailer, table in tables.items()
    }
    assert effects == {"log": {False}, "smtp": {True}}


async def test_what_is_not_committed_is_not_logged(
    logging: Notifying, log: CapturingLogger
) -> None:
    await logging.gets(confirmation(1, customer_id="a\0b"), confirmation(2))
    assert [call.kwargs["order_id"] for call in log.calls] == [str(UUID(int=2))]


async def test_an_order_is_told_of_once(
    client: httpx.AsyncClient, logging: Notifying, log: CapturingLogger
) -> None:
    await logging.gets(confirmation(1), confirmation(1))
    await logging.gets(confirmation(1), confirmation(2))
    assert len((await client.get("/notifications")).json()) == 2
    assert len(log.calls) == 2


async def test_the_books_count_both_kinds_and_name_who_was_told_both(
    client: httpx.AsyncClient, logging: Notifying
) -> None:
    await logging.gets(confirmation(1), confirmation(2), rejection(3))
    answer = (await client.get("/books")).json()
    expected = {
        "balanced": True,
        "problems": [],
        "confirmations": 2,
        "rejections": 1,
        "refused": 0,
    }
    assert answer == expected
    await logging.gets(rejection(1))
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


async def test_a_name_that_the_database_can_not_hold_is_parked_alone(
    database: Database, logging: Notifying
) -> None:
    await logging.gets(confirmation(1, customer_id="a\0b"), confirmation(2))
    assert await logging.parked() == 1
    async with database.transaction() as tx:
        count = await tx.execute(text("SELECT count(*) FROM notification"))
    assert count.scalar_one() == 1


# By mail


def ids_of(office: PostOffice) -> list[str]:
    return [str(mail["Message-ID"]) for mail in office.mails]


async def test_customers_get_mail(office: PostOffice, mailing: Notifying) -> None:
    await mailing.gets(confirmation(1), confirmation(2, customer_id="bob"), rejection(3))
    assert recipients(office) == ["ann", "ann", "bob"]
    assert len(set(ids_of(office))) == 3


async def test_a_mail_that_is_refused_for_good_is_kept_as_refused_and_ends_its_step(
    client: httpx.AsyncClient, office: PostOffice, mailing: Notifying
) -> None:
    office.moods = {"bob@customers.test": "strict"}
    await mailing.gets(confirmation(1), confirmation(2, customer_id="bob"))
    assert len(await mailing.replies()) == 2
    recorded = {each["customer_id"]: each for each in (await client.get("/notifications")).json()}
    assert recorded["bob"]["refusal"] == "550 no such customer"
    assert recorded["ann"]["refusal"] is None
    books = (await client.get("/books")).json()
    assert (books["balanced"], books["confirmations"], books["refused"]) == (True, 2, 1)


@pytest.mark.parametrize("mood", ["busy", "full"])
async def test_a_neighbour_of_a_mail_that_can_not_be_sent_yet_gets_one_mail(
    office: PostOffice, mailing: Notifying, mood: Mood
) -> None:
    office.moods = {"bob@customers.test": mood}
    orders = [confirmation(1), confirmation(2, customer_id="bob"), confirmation(3)]
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await mailing.gets(*orders)
    assert recipients(office) == ["ann", "ann"]
    office.moods.clear()
    await mailing.gets(*orders)
    assert recipients(office) == ["ann", "ann", "bob"]
    assert await mailing.parked() == 0


@pytest.mark.parametrize("mood", ["closing", "distrustful"])
async def test_a_server_that_serves_nobody_parks_nobody(
    office: PostOffice, mailing: Notifying, mood: Mood
) -> None:
    office.mood = mood
    orders = [confirmation(number) for number in range(1, 9)]
    with pytest.raises(ProviderUnavailable):
        await mailing.gets(*orders)
    assert str((await mailing.service.health.problems())["mailer"]).startswith("SMTP can't be used")
    office.mood = "well"
    await mailing.keeps_getting(*orders)
    assert (len(office.mails), len(await mailing.replies())) == (8, 8)
    assert (await mailing.service.health.problems())["mailer"] is None
    assert await mailing.parked() == 0


async def test_a_server_that_is_down(office: PostOffice, mailing: Notifying) -> None:
    await office.end()
    with pytest.raises(ProviderUnavailable):
        await mailing.gets(confirmation(1))
    await office.begin()
    await mailing.keeps_getting(confirmation(1))
    assert recipients(office) == ["ann"]


@pytest.mark.parametrize("mood", ["dying", "silent"])
async def test_a_mail_in_doubt_comes_twice_with_one_id_and_is_one_row(
    client: httpx.AsyncClient, office: PostOffice, mailing: Notifying, mood: Mood
) -> None:
    office.mood = mood
    with pytest.raises(ProviderUnavailable):
        await mailing.gets(confirmation(1))
    office.mood = "well"
    await mailing.keeps_getting(confirmation(1))
    assert recipients(office) == ["ann", "ann"]
    assert len(set(ids_of(office))) == 1
    assert len((await client.get("/notifications")).json()) == 1
    assert len(await mailing.replies()) == 1
