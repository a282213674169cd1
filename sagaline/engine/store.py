"""Sagas in the database: locked by key, loaded, and saved a batch at a time."""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, cast
from uuid import UUID

import asyncpg

from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine import history_rows, saga_rows, timer_rows
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import Definitions, UnknownDefinition
from sagaline.engine.held import Held, Locked, Timer, Unknown
from sagaline.engine.memory import Memory, Remembered
from sagaline.engine.row import read, write
from sagaline.engine.state import SagaState

OPEN_KEYS = """
    INSERT INTO correlation (key, sequence)
    SELECT key, 0 FROM unnest($1::text[]) AS given(key) ORDER BY key
    ON CONFLICT (key) DO NOTHING
"""

LOCK = """
    SELECT key FROM correlation WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE
"""

LOCK_FREE = """
    SELECT key FROM correlation WHERE key = ANY($1::text[]) ORDER BY key
    FOR UPDATE SKIP LOCKED
"""

# The clock is read here, after the locks: times within a key never run backward.
LOAD = """
    SELECT held.key, held.sequence, clock_timestamp() AS now, saga.saga_id, saga.version,
        saga.updated_at, timer.due_at, CAST(timer.fences AS text) AS fences
    FROM correlation AS held
    LEFT JOIN saga ON saga.key = held.key
    LEFT JOIN timer ON timer.key = saga.key AND timer.saga_id = saga.saga_id
    WHERE held.key = ANY($1::text[])
"""

KEY_OF = "SELECT key FROM saga WHERE saga_id = $1"

COUNT = """
    UPDATE correlation SET sequence = given.sequence
    FROM unnest($1::text[], $2::bigint[]) AS given(key, sequence)
    WHERE correlation.key = given.key
"""


class Tally(Protocol):
    """What the store reports of its work; the service's metrics."""

    def loaded(self, *, remembered: int, read: int) -> None:
        """So many sagas were loaded, from memory and from their rows."""


class Store:
    """Reads and writes sagas; all methods work inside the caller's transaction."""

    def __init__(
        self, definitions: Definitions, codec: Codec, memory: Memory, *, tally: Tally
    ) -> None:
        self._definitions = definitions
        self._codec = codec
        self._memory = memory
        self._tally = tally

    async def lock(
        self, tx: Transaction, keys: Iterable[str], *, opening: Iterable[str] = ()
    ) -> Locked:
        """Lock these keys, in their order, and load their sagas; those of `opening` may be new.

        A key without any saga, that none of `opening` is, stays unlocked and absent.
        """
        fresh = sorted(set(opening))
        if fresh:
            await tx.run(OPEN_KEYS, fresh)
        wanted = sorted(set(keys) | set(fresh))
        await tx.fetch(LOCK, wanted)
        return await self.load(tx, wanted)

    async def lock_free(self, tx: Transaction, keys: Iterable[str]) -> Locked:
        """The same for those of the keys that nobody else holds now."""
        rows = await tx.fetch(LOCK_FREE, sorted(set(keys)))
        return await self.load(tx, [row["key"] for row in rows])

    async def load(self, tx: Transaction, keys: Sequence[str]) -> Locked:
        """The sagas of these keys as they stand; the clock is the database's.

        Where the keys are not locked, nor the transaction frozen, a state may be newer than the
        timer and the sequence that it comes with.
        """
        rows = await tx.fetch(LOAD, list(keys))
        begun = [row for row in rows if row["saga_id"] is not None]
        sagas = {row["saga_id"]: held for row in begun if (held := self._remembered(row))}
        missing = [row for row in begun if row["saga_id"] not in sagas]
        unknown: dict[UUID, Unknown] = {}
        for saga_id, read_now in (await self._read(tx, missing) if missing else {}).items():
            if isinstance(read_now, Unknown):
                unknown[saga_id] = read_now
            else:
                sagas[saga_id] = read_now
        self._tally.loaded(remembered=len(begun) - len(missing), read=len(missing))
        return Locked(
            now=rows[0]["now"] if rows else await self._clock(tx),
            sequences={row["key"]: row["sequence"] for row in rows},
            sagas=sagas,
            unknown=unknown,
        )

    def _remembered(self, row: asyncpg.Record) -> Held | None:
        known = self._memory.of(
            row["saga_id"], version=row["version"], updated_at=row["updated_at"]
        )
        if known is None:
            return None
        return Held(
            known.state,
            known.traceparent,
            _timer(row),
            loaded_version=known.state.version,
            written=known.written,
        )

    async def _read(
        self, tx: Transaction, rows: Sequence[asyncpg.Record]
    ) -> dict[UUID, Held | Unknown]:
        given = {row["saga_id"]: row for row in rows}
        found = await saga_rows.states(tx, [row["key"] for row in rows], list(given))
        return {row["saga_id"]: self._held(row, given[row["saga_id"]]) for row in found}

    async def _clock(self, tx: Transaction) -> datetime:
        now: datetime = (await tx.fetch("SELECT clock_timestamp()"))[0][0]
        return now

    async def find(self, tx: Transaction, saga_id: UUID) -> tuple[Held, int] | None:
        """A saga as it stands, not locked, and its key's sequence; None if there is none.

        Raises UnknownDefinition.
        """
        rows = await tx.fetch(KEY_OF, saga_id)
        if not rows:
            return None
        key = rows[0]["key"]
        found = await self.load(tx, [key])
        if saga_id in found.unknown:
            raise found.unknown[saga_id].why
        return found.sagas[saga_id], found.sequences[key]

    def _held(self, row: asyncpg.Record, beside: asyncpg.Record) -> Held | Unknown:
        try:
            definition = self._definitions.of(row["definition"], row["definition_version"])
        except UnknownDefinition as why:  # its own affair: other sagas are loaded with it
            return Unknown(beside["key"], why)
        state = read(row["state"], definition, self._load_message)
        return Held(state, row["traceparent"], _timer(beside), loaded_version=state.version)

    def _load_message(self, plain: Plain) -> object:
        return self._codec.decode(base64.b64decode(str(plain)))

    async def save(self, tx: Transaction, sagas: Iterable[Held]) -> None:
        """Write what these accepted, with histories and timers; an update finds what was loaded."""
        changed = sorted((h for h in sagas if h.accepted), key=_order)
        # From here until the commit is sure the memory knows nothing of them: after an error, too.
        self._memory.forget(held.state.saga_id for held in changed)
        kept = [self._written(held) for held in changed]
        if new := [held for held in changed if held.loaded_version == 0]:
            await saga_rows.insert(tx, new)
        if old := [held for held in changed if held.loaded_version]:
            await saga_rows.update(tx, old)
        await history_rows.append(tx, changed)
        await timer_rows.set_timers(tx, _timers(changed))
        tx.afterwards(lambda: self._memory.keep(kept))

    def _written(self, held: Held) -> Remembered:
        """The saga with its text, as it is now about to be written."""
        # Messages that have just come are kept as they came, as the history keeps them.
        records = [accepted.record for accepted in held.accepted if accepted.record is not None]
        came = {id(record.message): record.value for record in records}

        def dump(message: object) -> Plain:
            # To the machine messages are opaque; here it is known what they are.
            value = came.get(id(message)) or self._codec.encode(cast(Message, message))
            return base64.b64encode(value).decode()

        held.written = write(held.state, dump, held.written)
        return Remembered(held.state, held.traceparent, held.written)

    async def count(self, tx: Transaction, sequences: dict[str, int]) -> None:
        """Each key's snapshots were numbered up to here."""
        if sequences:
            keys = sorted(sequences)
            await tx.run(COUNT, keys, [sequences[key] for key in keys])


def _order(held: Held) -> tuple[str, object]:
    return (held.state.key, held.state.saga_id)


def _timer(row: asyncpg.Record) -> Timer | None:
    due_at = row["due_at"]
    return None if due_at is None else Timer(due_at, json.loads(row["fences"]))


def _timers(sagas: Iterable[Held]) -> list[tuple[SagaState, Timer | None]]:
    """What has to be set now: a timer that would fire too late, and none for what has ended.

    One that fires too early is left alone; it is set anew when it does.
    """
    set_now: list[tuple[SagaState, Timer | None]] = []
    for held in sagas:
        due_at = held.state.due_at
        if due_at is not None and (held.timer is None or due_at < held.timer.due_at):
            set_now.append((held.state, Timer(due_at)))
        elif held.state.ended and held.timer is not None:
            set_now.append((held.state, None))
    return set_now
