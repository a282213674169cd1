"""The orchestrator on a real Kafka and PostgreSQL, its participants played by the test."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

import schemas
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope, Record, command_id, reply_id, saga_id
from sagaline.chassis.messages import Notice, SagaSnapshot
from sagaline.chassis.running import Running
from sagaline.engine.assembly import SagaEngine
from sagaline.engine.state import SagaState
from sagaline.engine.view import SagaView
from schemas.messages import (
    OrderCreated,
    OrderLine,
    PaymentAuthorized,
    PlaceOrder,
    PricedLine,
    StockReserved,
)

T = TypeVar("T")
PARTICIPANTS = ("orders", "inventory", "payments", "notifications")
WITHIN_S = 20


async def until(ask: Callable[[], Awaitable[T | None]], *, within_s: float = WITHIN_S) -> T:
    """What `ask` says as soon as it is true; TimeoutError after `within_s`."""
    async with asyncio.timeout(within_s):
        while not (found := await ask()):  # noqa: ASYNC110 - the condition is in the database
            await asyncio.sleep(0.02)
        return found


def placed() -> PlaceOrder:
    """An order of one lamp."""
    return PlaceOrder(
        order_id=uuid4(),
        customer_id="ada",
        currency="EUR",
        lines=(OrderLine(sku="LAMP", quantity=1),),
        placed_at=datetime.now(UTC),
    )


def yes(order: PlaceOrder, step: str) -> Message:
    """The reply by which the participant of this step succeeds."""
    line = PricedLine(sku="LAMP", quantity=1, price_minor=700)
    answers: dict[str, Message] = {
        "create_order": OrderCreated(order_id=order.order_id),
        "reserve_stock": StockReserved(
            order_id=order.order_id, lines=(line,), total_minor=700, currency="EUR"
        ),
        "authorize_payment": PaymentAuthorized(order_id=order.order_id),
    }
    return answers[step]


@dataclass
class Stage:
    """One run of the orchestrator; `producer` writes as gateway and participants."""

    running: Running
    codec: Codec
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    bootstrap: str
    database_url: str
    seen: list[Record] = field(default_factory=list)

    async def place(self) -> PlaceOrder:
        """Publish an order, as the gateway would."""
        order = placed()
        await self.publish("orders.requests.v1", order, order, source="/gateway_service")
        return order

    async def publish(self, topic: str, order: PlaceOrder, message: Message, **parts: Any) -> None:
        """Publish a message about the order."""
        given: dict[str, Any] = {"id": uuid4(), "source": "/test", "time": datetime.now(UTC)}
        key = str(order.order_id)
        envelope = Envelope(type=message.avro_name, subject=key, **(given | parts))
        headers = [(name, text.encode()) for name, text in envelope.headers().items()]
        value = self.codec.encode(message)
        await self.producer.send_and_wait(topic, value, key=key.encode(), headers=headers)

    async def reply(
        self,
        order: PlaceOrder,
        step: str,
        message: Message,
        *,
        outcome: str | None = None,
        direction: str = "action",
    ) -> None:
        """Answer the step's command as its participant; a Notice goes with an `outcome`."""
        said = outcome or message.outcome
        assert said is not None, message
        saga = saga_of(order)
        answered = command_id(saga, step, direction, 1)
        topic = (await self.command(order, step)).topic.replace("commands", "replies")
        await self.publish(
            topic,
            order,
            message,
            id=reply_id(answered, said),
            saga_id=saga,
            step=step,
            direction=direction,
            generation=1,
            outcome=said,
            causation_id=answered,
        )

    async def notice(self, order: PlaceOrder, step: str, outcome: str, direction: str) -> None:
        """Answer with one of the platform's own outcomes."""
        notice = Notice(code=outcome, detail="says the test")
        await self.reply(order, step, notice, outcome=outcome, direction=direction)

    async def succeed(self, order: PlaceOrder, *steps: str) -> None:
        """Answer these steps' commands as they come, and say that the participant had them."""
        for step in steps:
            await self.command(order, step)
            await self.reply(order, step, yes(order, step))

    async def answered(self, participant: str) -> None:
        """The participant's group commits all that its command topic holds: it is through."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id={
                "orders": "order_service",
                "inventory": "inventory_service",
                "payments": "payment_service",
                "notifications": "notification_service",
            }[participant],
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            topic = f"{participant}.commands.v1"
            partitions = [TopicPartition(topic, number) for number in range(4)]
            consumer.assign(partitions)
            await consumer.commit(await consumer.end_offsets(partitions))
        finally:
            await consumer.stop()

    async def command(
        self, order: PlaceOrder, step: str, *, direction: str = "action", sendings: int = 1
    ) -> Record:
        """The step's newest command, once it was sent so often."""

        async def sent() -> Record | None:
            await self.read()
            found = self.commands(order, step, direction=direction)
            return found[-1] if len(found) >= sendings else None

        return await until(sent)

    def commands(self, order: PlaceOrder, step: str, *, direction: str = "action") -> list[Record]:
        """All of the step's commands read so far."""
        wanted = (str(order.order_id), step, direction)
        return [
            record
            for record in self.seen
            if (record.key, record.envelope.step, record.envelope.direction) == wanted
        ]

    def snapshots(self, order: PlaceOrder) -> list[SagaSnapshot]:
        """All snapshots of the order read so far."""
        of_order = (r.message for r in self.seen if r.key == str(order.order_id))
        return [message for message in of_order if isinstance(message, SagaSnapshot)]

    async def read(self) -> None:
        """Take in what has been published since."""
        for records in (await self.consumer.getmany(timeout_ms=50)).values():
            for raw in records:
                assert raw.key is not None
                assert raw.value is not None
                self.seen.append(
                    Record(
                        raw.topic,
                        raw.partition,
                        raw.offset,
                        raw.key.decode(),
                        Envelope.parse(raw.headers),
                        self.codec.decode(raw.value),
                        raw.value,
                    )
                )

    async def saga(self, order: PlaceOrder) -> SagaView:
        """How the order's saga stands."""
        return await self.engine.find(self.running.database, saga_of(order))

    async def state(self, order: PlaceOrder) -> SagaState:
        """The saga's row, as the engine reads it."""
        return await self.engine.state(self.running.database, saga_of(order))

    @property
    def engine(self) -> SagaEngine:
        """The orchestrator's engine."""
        return self.running.part(SagaEngine)

    async def stands(
        self, order: PlaceOrder, *, state: str | None = None, **steps: str
    ) -> SagaView:
        """The saga, once its state and these steps' statuses are so."""

        async def reached() -> SagaView | None:
            known = await self.fetch("SELECT 1 FROM saga WHERE saga_id = $1", saga_of(order))
            if not known:
                return None
            saga = await self.saga(order)
            statuses = {step.name: step.status for step in saga.steps}
            reached = all(statuses[name] == status for name, status in steps.items())
            return saga if reached and state in (None, saga.state) else None

        return await until(reached)

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of the orchestrator's database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows
        finally:
            await connection.close()


def saga_of(order: PlaceOrder) -> UUID:
    """The id of the order's saga."""
    return saga_id("place-order", str(order.order_id))


def codec() -> Codec:
    """A codec for the platform's messages."""
    return Codec(schemas.CATALOG)
