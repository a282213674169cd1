"""The engine's record handler: starts and replies in, commands and snapshots out.

See docs/architecture.md, "Correlation". All sagas of a key are folded under one lock, that of the
key's correlation row, which also numbers the key's snapshots without gaps.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Outgoing, Record
from sagaline.engine import sent
from sagaline.engine.definitions import Definitions
from sagaline.engine.events import Event
from sagaline.engine.held import Held, Locked
from sagaline.engine.inputs import Input, Started
from sagaline.engine.routing import UnknownSaga, answer_in, answered_saga
from sagaline.engine.state import SagaState, new_saga
from sagaline.engine.store import Store


class Tally(Protocol):
    """What the engine reports of its work; the service's metrics."""

    def decided(self, state: SagaState, events: Sequence[Event]) -> None:
        """A saga was given an input, and stands so after these events."""

    def forgotten(self, definition: str) -> None:
        """What would start a saga came too late: whether it was here before is not known."""


class Engine:
    """Runs sagas on the caller's transactions; what is kept between two of them is the store's."""

    def __init__(
        self,
        definitions: Definitions,
        store: Store,
        *,
        catalog: Catalog,
        snapshots_topic: str,
        horizon: timedelta,
        tally: Tally,
    ) -> None:
        self._definitions = definitions
        self._store = store
        self._catalog = catalog
        self._snapshots_topic = snapshots_topic
        self._horizon = horizon
        self._tally = tally

    async def handle(self, tx: Transaction, records: Sequence[Record]) -> list[Outgoing]:
        """Give each record to its saga, each key's in offset order; what the sagas send for it."""
        starts = [record.key for record in records if record.envelope.saga_id is None]
        locked = await self._store.lock(tx, {record.key for record in records}, opening=starts)
        for record in records:
            self._take(tx, locked, record)
        return await self.save(tx, locked)

    def tell(
        self,
        tx: Transaction,
        held: Held,
        received: Input,
        now: datetime,
        record: Record | None = None,
    ) -> None:
        """The saga decided this input, of a record or a timer; counted once `tx` has committed."""
        events = held.take(received, now, record)
        state = held.state
        tx.afterwards(lambda: self._tally.decided(state, events))

    def _take(self, tx: Transaction, locked: Locked, record: Record) -> None:
        saga_id = answered_saga(record, self._definitions)
        starts = record.envelope.saga_id is None
        if saga_id in locked.unknown:
            raise locked.unknown[saga_id].why
        held = locked.sagas.get(saga_id)
        if held is None:
            if not starts:
                raise UnknownSaga(saga_id=saga_id, key=record.key)
            definition = self._definitions.started_by(record.message)
            assert definition is not None, record
            if record.envelope.time < locked.now - self._horizon:
                tx.afterwards(lambda: self._tally.forgotten(definition.name))
                return
            fresh = new_saga(definition, saga_id=saga_id, key=record.key)
            held = locked.sagas[saga_id] = Held(fresh, record.envelope.traceparent)
        received = Started(record.message) if starts else answer_in(record)
        self.tell(tx, held, received, locked.now, record)

    async def save(self, tx: Transaction, locked: Locked) -> list[Outgoing]:
        """Write all that was accepted; the commands to send, and snapshots where there is news."""
        changed = [held for held in locked.sagas.values() if held.accepted]
        outgoing = [out for held in changed for out in sent.commands(held, self._catalog)]
        outgoing += [
            sent.snapshot(held, topic=self._snapshots_topic, sequence=locked.number(held))
            for held in changed
            if held.has_news
        ]
        await self._store.save(tx, changed)
        return outgoing
