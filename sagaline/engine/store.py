"""Sagas in the database: locked by key, loaded, and saved a batch at a time."""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import asyncpg

from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine import history_rows, timer_rows
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import Definitions
from sagaline.engine.held import Held, Locked, Timer
from sagaline.engine.row import saga_from_json, saga_to_json
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
    SELECT held.key, held.sequence, clock_timestamp() AS now, saga.saga_id, saga.definition,
        saga.definition_version, CAST(saga.state AS text) AS state, saga.traceparent,
        timer.due_at, CAST(timer.fences AS text) AS fences
    FROM correlation AS held
    LEFT JOIN saga ON saga.key = held.key
    LEFT JOIN timer ON timer.key = saga.key AND timer.saga_id = saga.saga_id
    WHERE held.key = ANY($1::text[])
"""

KEY_OF = "SELECT key FROM saga WHERE saga_id = $1"

INSERT = """
    INSERT INTO saga (key, saga_id, definition, definition_version, status, version, state,
        traceparent, started_at, updated_at)
    SELECT key, saga_id, definition, definition_version, status, version, CAST(state AS jsonb),
        traceparent, started_at, updated_at
    FROM unnest($1::text[], $2::uuid[], $3::text[],
            $4::int[], $5::text[],
            $6::bigint[], $7::text[], $8::text[],
            $9::timestamptz[], $10::timestamptz[])
        AS given(key, saga_id, definition, definition_version, status, version, state,
            traceparent, started_at, updated_at)
    ORDER BY key, saga_id
"""

UPDATE = """
    UPDATE saga SET status = given.status, version = given.version,
        state = CAST(given.state AS jsonb), updated_at = given.updated_at
    FROM unnest($1::text[], $2::uuid[], $3::bigint[],
            $4::text[], $5::bigint[], $6::text[],
            $7::timestamptz[])
        AS given(key, saga_id, loaded, status, version, state, updated_at)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id AND saga.version = given.loaded
"""

COUNT = """
    UPDATE correlation SET sequence = given.sequence
    FROM unnest($1::text[], $2::bigint[]) AS given(key, sequence)
    WHERE correlation.key = given.key
"""


class Store:
    """Reads and writes sagas; all methods work inside the caller's transaction."""

    def __init__(self, definitions: Definitions, codec: Codec) -> None:
        self._definitions = definitions
        self._codec = codec

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
        """The sagas of these keys as they stand; the clock is the database's."""
        rows = await tx.fetch(LOAD, list(keys))
        now = rows[0]["now"] if rows else await self._clock(tx)
        return Locked(
            now=now,
            sequences={row["key"]: row["sequence"] for row in rows},
            sagas={row["saga_id"]: self._held(row) for row in rows if row["saga_id"] is not None},
        )

    async def _clock(self, tx: Transaction) -> datetime:
        now: datetime = (await tx.fetch("SELECT clock_timestamp()"))[0][0]
        return now

    async def find(self, tx: Transaction, saga_id: UUID) -> tuple[Held, int] | None:
        """A saga as it stands, not locked, and its key's sequence; None if there is none."""
        rows = await tx.fetch(KEY_OF, saga_id)
        if not rows:
            return None
        key = rows[0]["key"]
        found = await self.load(tx, [key])
        return found.sagas[saga_id], found.sequences[key]

    def _held(self, row: asyncpg.Record) -> Held:
        definition = self._definitions.of(row["definition"], row["definition_version"])
        state = saga_from_json(json.loads(row["state"]), definition, self._load_message)
        due_at = row["due_at"]
        timer = None if due_at is None else Timer(due_at, json.loads(row["fences"]))
        return Held(state, row["traceparent"], timer, loaded_version=state.version)

    def _load_message(self, plain: Plain) -> object:
        return self._codec.decode(base64.b64decode(str(plain)))

    def _dump_message(self, message: object) -> Plain:
        # To the machine messages are opaque; here it is known what they are.
        return base64.b64encode(self._codec.encode(cast(Message, message))).decode()

    async def save(self, tx: Transaction, sagas: Iterable[Held]) -> None:
        """Write what these accepted, with histories and timers; an update finds what was loaded."""
        changed = sorted((h for h in sagas if h.accepted), key=_order)
        if new := [held for held in changed if held.loaded_version == 0]:
            await tx.run(INSERT, *self._inserted(new))
        if old := [held for held in changed if held.loaded_version]:
            updated = await tx.run(UPDATE, *self._updated(old))
            assert updated == len(old), (updated, len(old))
        await history_rows.append(tx, changed)
        sooner = [(held.state, timer) for held in changed if (timer := _sooner(held))]
        await timer_rows.set_timers(tx, sooner)

    def _updated(self, sagas: Sequence[Held]) -> tuple[list[object], ...]:
        states = [held.state for held in sagas]
        return (
            [state.key for state in states],
            [state.saga_id for state in states],
            [held.loaded_version for held in sagas],
            [state.status.value for state in states],
            [state.version for state in states],
            [self._dumped(state) for state in states],
            [state.updated_at for state in states],
        )

    def _inserted(self, sagas: Sequence[Held]) -> tuple[list[object], ...]:
        states = [held.state for held in sagas]
        return (
            [state.key for state in states],
            [state.saga_id for state in states],
            [state.definition.name for state in states],
            [state.definition.version for state in states],
            [state.status.value for state in states],
            [state.version for state in states],
            [self._dumped(state) for state in states],
            [held.traceparent for held in sagas],
            [state.started_at for state in states],
            [state.updated_at for state in states],
        )

    def _dumped(self, state: SagaState) -> str:
        return json.dumps(saga_to_json(state, self._dump_message))

    async def count(self, tx: Transaction, sequences: dict[str, int]) -> None:
        """Each key's snapshots were numbered up to here."""
        if sequences:
            keys = sorted(sequences)
            await tx.run(COUNT, keys, [sequences[key] for key in keys])


def _order(held: Held) -> tuple[str, object]:
    return (held.state.key, held.state.saga_id)


def _sooner(held: Held) -> Timer | None:
    """A timer in place of one that fires too late; one that fires early is set anew then."""
    due_at = held.state.due_at
    if due_at is None or (held.timer is not None and held.timer.due_at <= due_at):
        return None
    return Timer(due_at)
