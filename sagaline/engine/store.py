"""Sagas in the database: locked by key, loaded, and saved a batch at a time."""

import base64
from collections.abc import Iterable, Sequence
from typing import Protocol, cast
from uuid import UUID

import asyncpg

from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine import history_rows, saga_rows
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import Definitions, UnknownDefinition
from sagaline.engine.events import Event
from sagaline.engine.held import Held, Locked, Timer, Unknown
from sagaline.engine.machine import fold
from sagaline.engine.memory import Memory, Remembered
from sagaline.engine.row import read, write
from sagaline.engine.state import SagaState, new_saga

OPEN_KEYS = """
    INSERT INTO correlation (key) SELECT key FROM unnest($1::text[]) AS given(key) ORDER BY key
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
    SELECT clock.now, saga.key, saga.saga_id, saga.version, saga.updated_at, saga.sequence,
        saga.state_version, saga.timer_at, CAST(saga.fences AS text) AS fences
    FROM (SELECT clock_timestamp() AS now) AS clock
    LEFT JOIN saga ON saga.key = ANY($1::text[])
"""

KEY_OF = "SELECT key FROM saga WHERE saga_id = $1"

FOLDED_MAX = 100  # events that a load folds, about; an order that comes through has 26


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
        self.saves = 0  # transactions that saved sagas, and were committed

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
        sequences = dict.fromkeys(keys, 0)
        for row in begun:
            sequences[row["key"]] = max(sequences[row["key"]], row["sequence"])
        return Locked(now=rows[0]["now"], sequences=sequences, sagas=sagas, unknown=unknown)

    def _remembered(self, row: asyncpg.Record) -> Held | None:
        known = self._memory.of(
            row["saga_id"], version=row["version"], updated_at=row["updated_at"]
        )
        return None if known is None else _held(row, known.state, known.traceparent)

    async def _read(
        self, tx: Transaction, rows: Sequence[asyncpg.Record]
    ) -> dict[UUID, Held | Unknown]:
        given = {row["saga_id"]: row for row in rows}
        found = await saga_rows.states(tx, [row["key"] for row in rows], list(given))
        since = await history_rows.events_since(
            tx, self._codec, [(row["key"], row["saga_id"], row["state_version"]) for row in found]
        )
        return {
            row["saga_id"]: self._folded(row, since[row["saga_id"]], given[row["saga_id"]])
            for row in found
        }

    def _folded(
        self, row: asyncpg.Record, events: Sequence[Event], beside: asyncpg.Record
    ) -> Held | Unknown:
        """The saga as it stands: what the state in its row became by what happened since."""
        try:
            definition = self._definitions.of(row["definition"], row["definition_version"])
        except UnknownDefinition as why:  # its own affair: other sagas are loaded with it
            return Unknown(row["key"], why)
        if row["state"] is None:
            kept = new_saga(definition, saga_id=row["saga_id"], key=row["key"])
        else:
            kept = read(row["state"], definition, self._load_message)
        assert kept.version == row["state_version"], (kept, row["state_version"])
        return _held(beside, fold(kept, events), row["traceparent"])

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

    async def save(self, tx: Transaction, sagas: Iterable[Held]) -> None:
        """Write what these accepted, with histories and timers; an update finds what was loaded."""
        changed = sorted((h for h in sagas if h.accepted), key=_order)
        # From here until the commit is sure the memory knows nothing of them: after an error, too.
        self._memory.forget(held.state.saga_id for held in changed)
        for held in changed:
            held.arm()
        if new := [held for held in changed if held.loaded_version == 0]:
            await saga_rows.insert(tx, new)
        if old := [held for held in changed if held.loaded_version]:
            await saga_rows.update(tx, old)
        long = [h.state for h in old if h.state.version - h.state_version > FOLDED_MAX]
        if long:
            await saga_rows.keep_states(tx, [(s, write(s, self._dump_message)) for s in long])
        await history_rows.append(tx, changed)
        kept = [Remembered(held.state, held.traceparent) for held in changed]
        tx.afterwards(lambda: self._saved(kept))

    def _saved(self, kept: Sequence[Remembered]) -> None:
        self._memory.keep(kept)
        self.saves += 1

    def _dump_message(self, message: object) -> Plain:
        # To the machine messages are opaque; here it is known what they are.
        return base64.b64encode(self._codec.encode(cast(Message, message))).decode()

    def _load_message(self, plain: Plain) -> object:
        return self._codec.decode(base64.b64decode(str(plain)))


def _order(held: Held) -> tuple[str, object]:
    return (held.state.key, held.state.saga_id)


def _held(row: asyncpg.Record, state: SagaState, traceparent: str | None) -> Held:
    """The saga with what its row of LOAD says beside its state."""
    timer_at = row["timer_at"]
    return Held(
        state,
        traceparent,
        None if timer_at is None else Timer(timer_at, row["fences"]),
        loaded_version=state.version,
        sequence=row["sequence"],
        state_version=row["state_version"],
    )
