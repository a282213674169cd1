"""The engine put together for a service: what it consumes, its timers, and its sagas to look at."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.handlers import RecordHandler
from sagaline.chassis.messages import SagaSnapshot
from sagaline.chassis.running import Running
from sagaline.engine import history_rows, listing
from sagaline.engine.broker import Broker
from sagaline.engine.counting import Counting
from sagaline.engine.definition import Saga
from sagaline.engine.definitions import Definitions
from sagaline.engine.held import Held
from sagaline.engine.history_rows import HistoryRow
from sagaline.engine.listing import SagaLine, Wanted
from sagaline.engine.memory import Memory
from sagaline.engine.metrics import EngineMetrics
from sagaline.engine.recipe import full_name
from sagaline.engine.runtime import Engine
from sagaline.engine.state import SagaState
from sagaline.engine.store import Store
from sagaline.engine.timers import Timers
from sagaline.engine.view import SagaView, view


class SagaNotFound(PlatformError):
    """There is no saga {saga_id} here."""

    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerLimits:
    """How often timers are looked at, how many at once, and how long Kafka may take to answer."""

    tick_ms: int = 200
    batch_keys_max: int = 500
    kafka_timeout_ms: int = 5_000


class SagaEngine:
    """Runs `sagas` inside a service: give it `consumes`, and `timers` as a part.

    Raises DefinitionError when a saga and the catalog don't fit.
    """

    def __init__(
        self,
        sagas: Iterable[Saga],
        *,
        catalog: Catalog,
        limits: TimerLimits = TimerLimits(),  # immutable, so that all may share it
        memory_sagas_max: int = 10_000,
        horizon: timedelta = timedelta(days=30),
    ) -> None:
        """Of the sagas under way it keeps at most `memory_sagas_max` in memory.

        A message that is older than the horizon starts no saga: it may have been here before.
        """
        codec = Codec(catalog)
        self._catalog = catalog
        self._limits = limits
        self._codec = codec
        self._metrics = EngineMetrics()
        self._definitions = Definitions(sagas, catalog.messages)
        self._memory = Memory(sagas_max=memory_sagas_max)
        self._store = Store(self._definitions, codec, self._memory, tally=self._metrics)
        self._engine = Engine(
            self._definitions,
            self._store,
            catalog=catalog,
            snapshots_topic=_snapshots_topic(catalog),
            horizon=horizon,
            tally=self._metrics,
        )

    @property
    def consumes(self) -> Mapping[str, RecordHandler]:
        """Where the sagas' inputs and the replies come from: one handler for all topics."""
        names = {full_name(saga.input) for saga in self._definitions}
        for saga in self._definitions:
            for step in saga.by_name.values():
                names.update(step.action.replies)
        # One bound method for all topics: records of one batch are folded together.
        handle = self._engine.handle
        return {self._catalog.topic_of(name).name: handle for name in sorted(names)}

    @asynccontextmanager
    async def timers(self, running: Running) -> AsyncIterator["SagaEngine"]:
        """The service's part: timers run as long as the service does."""
        self._metrics.register(
            running.metrics, self._definitions, in_memory=lambda: len(self._memory)
        )
        timers = Timers(
            self._engine,
            self._store,
            running.database,
            Broker(
                running.settings.kafka_bootstrap,
                client_id=f"{running.service}-timers",
                timeout_ms=self._limits.kafka_timeout_ms,
            ),
            catalog=self._catalog,
            tick_ms=self._limits.tick_ms,
            batch_keys_max=self._limits.batch_keys_max,
            tally=self._metrics,
            log=running.log.bind(part="timers"),
        )
        ended = asyncio.Event()
        counting = Counting(
            {saga.name for saga in self._definitions},
            running.database,
            running.metrics,
            running.log.bind(part="counting"),
        )
        running.background.start("timers", timers.run(ended))
        running.background.start("counting", counting.run(ended))
        try:
            yield self
        finally:
            ended.set()
            await running.background.end("timers", within_ms=2 * self._limits.kafka_timeout_ms)
            await running.background.end("counting", within_ms=self._limits.kafka_timeout_ms)

    async def find(self, database: Database, saga_id: UUID) -> SagaView:
        """How the saga stands; raises SagaNotFound or UnknownDefinition."""
        async with database.transaction() as tx:
            held, sequence = await self._found(tx, saga_id)
        return view(held.state, sequence=sequence)

    async def state(self, database: Database, saga_id: UUID) -> SagaState:
        """The saga's row, with the messages in it; raises SagaNotFound or UnknownDefinition."""
        async with database.transaction() as tx:
            return (await self._found(tx, saga_id))[0].state

    async def page(self, database: Database, wanted: Wanted, *, limit: int) -> list[SagaLine]:
        """At most `limit` sagas that are wanted, the newest first."""
        async with database.transaction() as tx:
            await tx.freeze()
            return await listing.page(tx, self._store, wanted, limit=limit)

    async def history(self, database: Database, saga_id: UUID) -> list[HistoryRow]:
        """All that the saga accepted, in order; raises SagaNotFound or UnknownDefinition."""
        async with database.transaction() as tx:
            held, _ = await self._found(tx, saga_id)
            key = held.state.key
            return await history_rows.read(tx, self._codec, key=key, saga_id=saga_id)

    async def _found(self, tx: Transaction, saga_id: UUID) -> tuple[Held, int]:
        await tx.freeze()  # nothing is locked, and state and sequence have to be of one moment
        found = await self._store.find(tx, saga_id)
        if found is None:
            raise SagaNotFound(saga_id=saga_id)
        return found


def _snapshots_topic(catalog: Catalog) -> str:
    """The topic that carries snapshots; a catalog has one."""
    carrying = [t.name for t in catalog.topics.values() if SagaSnapshot.avro_name in t.messages]
    assert len(carrying) == 1, f"{SagaSnapshot.avro_name} stands on {carrying}"
    return carrying[0]
