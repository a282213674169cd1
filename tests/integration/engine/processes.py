"""Processes of an orchestrator on a real PostgreSQL, without Kafka: records are handed to them."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

import schemas
from saga_orchestrator.sagas.place_order import PLACE_ORDER
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Database, Transaction, open_engine
from sagaline.chassis.envelope import Envelope, Record, reply_id
from sagaline.chassis.outbox import Outbox
from sagaline.engine import history_rows, row
from sagaline.engine.definitions import Definitions
from sagaline.engine.events import Event
from sagaline.engine.history import Entry
from sagaline.engine.memory import Memory
from sagaline.engine.runtime import Engine
from sagaline.engine.state import SagaState
from sagaline.engine.store import Store
from sagaline.testing.samples import sample_success
from schemas.messages import PlaceOrder
from tests.integration.engine.stage import codec, saga_of

CODEC = codec()


class Loads:
    """How many sagas came from memory, how many from their rows, and what they decided."""

    def __init__(self) -> None:
        self.remembered = 0
        self.read = 0
        self.inputs = 0

    def loaded(self, *, remembered: int, read: int) -> None:
        self.remembered += remembered
        self.read += read

    def decided(self, state: SagaState, events: Sequence[Event]) -> None:  # noqa: ARG002 - only that
        self.inputs += 1

    def forgotten(self, definition: str) -> None:
        """Of no interest here."""


class Process:
    """One process of the orchestrator: an engine with a memory of its own."""

    def __init__(self, url: str, *, sagas_max: int = 100) -> None:
        self.url = url
        self.loads = Loads()
        self.memory = Memory(sagas_max=sagas_max)
        definitions = Definitions((PLACE_ORDER,), schemas.CATALOG.messages)
        self.store = Store(definitions, CODEC, self.memory, tally=self.loads)
        self.engine = Engine(
            definitions,
            self.store,
            catalog=schemas.CATALOG,
            snapshots_topic="sagas.events.v1",
            horizon=timedelta(days=30),
            tally=self.loads,
        )
        outbox = Outbox(
            CODEC,
            service="saga_orchestrator",
            message_bytes_max=100_000,
            clock=lambda: datetime.now(UTC),
        )
        engine = open_engine(url, pool_size=2, command_timeout_s=20)
        self.database = Database(engine, flush=outbox.flush)

    async def told(self, *records: Record) -> None:
        """A batch is handled and committed."""
        async with self.database.transaction() as tx:
            await self.handle(tx, records)

    async def handle(self, tx: Transaction, records: Sequence[Record]) -> None:
        """A batch is handled; the caller commits, or not."""
        tx.publish(*await self.engine.handle(tx, records))

    async def state(self, order: PlaceOrder) -> SagaState:
        """The saga as the engine would go on from it."""
        async with self.database.transaction() as tx:
            locked = await self.store.lock(tx, [str(order.order_id)])
            return locked.sagas[saga_of(order)].state

    async def history(self, order: PlaceOrder) -> list[Entry]:
        """All that the order's saga accepted."""
        async with self.database.transaction() as tx:
            rows = await history_rows.read(
                tx, CODEC, key=str(order.order_id), saga_id=saga_of(order)
            )
        return [row.entry for row in rows]

    async def query(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement beside the process, on a session of its own."""
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows
        finally:
            await connection.close()

    async def row(self, order: PlaceOrder) -> dict[str, object]:
        """What stands in the saga's row, but for its times."""
        rows = await self.query(
            "SELECT definition, status, version, sequence, stalled, state_version, fences,"
            " timer_at IS NULL AS still FROM saga WHERE saga_id = $1",
            saga_of(order),
        )
        return dict(rows[0])

    async def by_hand(self, order: PlaceOrder, detail: str, *, further: int = 0) -> None:
        """Somebody gives the row a state of his own: create_order has this detail."""
        state = await self.state(order)
        step = replace(state.steps["create_order"], detail=detail)
        version = state.version + further
        changed = replace(state, version=version, steps={**state.steps, step.name: step})
        text = row.write(changed, lambda said: base64.b64encode(CODEC.encode(said)).decode())  # type: ignore[arg-type] # a message
        await self.query(
            "UPDATE saga SET state = $2, state_version = $3, version = $3 WHERE saga_id = $1",
            saga_of(order),
            text,
            version,
        )


def start(order: PlaceOrder) -> Record:
    """The record that starts the order's saga."""
    return _record("orders.requests.v1", order, order, id=order.order_id)


def yes(order: PlaceOrder, step: str) -> Record:
    """The record by which the step succeeds; the same one each time."""
    plan = PLACE_ORDER.by_name[step]
    reply = sample_success(plan, schemas.CATALOG.messages, like=order)
    return replied(order, step, reply, outcome="succeeded")  # type: ignore[arg-type] # a message


def replied(
    order: PlaceOrder, step: str, message: Message, *, outcome: str, direction: str = "action"
) -> Record:
    """The record by which the step's participant says so."""
    return _record(
        schemas.CATALOG.topic_of("orders.replies.OrderCreated").name,
        order,
        message,
        id=reply_id(saga_of(order), f"{step}/{direction}/{outcome}"),
        saga_id=saga_of(order),
        step=step,
        direction=direction,
        generation=1,
        outcome=outcome,
    )


def _record(
    topic: str,
    order: PlaceOrder,
    message: Message,
    *,
    id: UUID,  # noqa: A002 - the envelope's name for it
    saga_id: UUID | None = None,
    step: str | None = None,
    direction: str | None = None,
    generation: int | None = None,
    outcome: str | None = None,
) -> Record:
    envelope = Envelope(
        id=id,
        type=message.avro_name,
        source="/test",
        subject=str(order.order_id),
        time=datetime.now(UTC),
        saga_id=saga_id,
        step=step,
        direction=direction,
        generation=generation,
        outcome=outcome,
    )
    value = CODEC.encode(message)
    return Record(topic, 0, 0, str(order.order_id), envelope, CODEC.decode(value), value)


def without_times(plain: object) -> object:
    """Rows of two databases differ in when things happened, and in nothing else."""
    if isinstance(plain, dict):
        kept = (item for item in plain.items() if item[0] != "at" and not item[0].endswith("_at"))
        return {name: without_times(held) for name, held in kept}
    return [without_times(held) for held in plain] if isinstance(plain, list) else plain
