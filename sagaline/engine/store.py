"""Sagas in the database: locked by key, loaded, and saved a batch at a time."""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, text

from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine import history_rows, timer_rows
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import Definitions
from sagaline.engine.held import Held, Locked, Timer
from sagaline.engine.row import saga_from_json, saga_to_json

OPEN_KEYS = text("""
    INSERT INTO correlation (key, sequence)
    SELECT key, 0 FROM unnest(CAST(:keys AS text[])) AS given(key) ORDER BY key
    ON CONFLICT (key) DO NOTHING
""")

LOCK = text("""
    SELECT key FROM correlation WHERE key = ANY(CAST(:keys AS text[])) ORDER BY key FOR UPDATE
""")

LOCK_FREE = text("""
    SELECT key FROM correlation WHERE key = ANY(CAST(:keys AS text[])) ORDER BY key
    FOR UPDATE SKIP LOCKED
""")

# The clock is read here, after the locks: times within a key never run backward.
LOAD = text("""
    SELECT held.key, held.sequence, clock_timestamp() AS now, saga.saga_id, saga.definition,
        saga.definition_version, CAST(saga.state AS text) AS state, saga.traceparent,
        timer.due_at, CAST(timer.fences AS text) AS fences
    FROM correlation AS held
    LEFT JOIN saga ON saga.key = held.key
    LEFT JOIN timer ON timer.key = saga.key AND timer.saga_id = saga.saga_id
    WHERE held.key = ANY(CAST(:keys AS text[]))
""")

KEY_OF = text("SELECT key FROM saga WHERE saga_id = :saga_id")

INSERT = text("""
    INSERT INTO saga (key, saga_id, definition, definition_version, status, version, state,
        traceparent, started_at, updated_at)
    SELECT key, saga_id, definition, definition_version, status, version, CAST(state AS jsonb),
        traceparent, started_at, updated_at
    FROM unnest(CAST(:keys AS text[]), CAST(:sagas AS uuid[]), CAST(:definitions AS text[]),
            CAST(:definition_versions AS int[]), CAST(:statuses AS text[]),
            CAST(:versions AS bigint[]), CAST(:states AS text[]), CAST(:traceparents AS text[]),
            CAST(:started AS timestamptz[]), CAST(:updated AS timestamptz[]))
        AS given(key, saga_id, definition, definition_version, status, version, state,
            traceparent, started_at, updated_at)
    ORDER BY key, saga_id
""")

UPDATE = text("""
    UPDATE saga SET status = given.status, version = given.version,
        state = CAST(given.state AS jsonb), updated_at = given.updated_at
    FROM unnest(CAST(:keys AS text[]), CAST(:sagas AS uuid[]), CAST(:loaded AS bigint[]),
            CAST(:statuses AS text[]), CAST(:versions AS bigint[]), CAST(:states AS text[]),
            CAST(:updated AS timestamptz[]))
        AS given(key, saga_id, loaded, status, version, state, updated_at)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id AND saga.version = given.loaded
""")

COUNT = text("""
    UPDATE correlation SET sequence = given.sequence
    FROM unnest(CAST(:keys AS text[]), CAST(:sequences AS bigint[])) AS given(key, sequence)
    WHERE correlation.key = given.key
""")


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
            await tx.execute(OPEN_KEYS, {"keys": fresh})
        wanted = sorted(set(keys) | set(fresh))
        await tx.execute(LOCK, {"keys": wanted})
        return await self.load(tx, wanted)

    async def lock_free(self, tx: Transaction, keys: Iterable[str]) -> Locked:
        """The same for those of the keys that nobody else holds now."""
        rows = await tx.execute(LOCK_FREE, {"keys": sorted(set(keys))})
        return await self.load(tx, [row.key for row in rows])

    async def load(self, tx: Transaction, keys: Sequence[str]) -> Locked:
        """The sagas of these keys as they stand; the clock is the database's."""
        rows = (await tx.execute(LOAD, {"keys": list(keys)})).all()
        now = rows[0].now if rows else await self._clock(tx)
        return Locked(
            now=now,
            sequences={row.key: row.sequence for row in rows},
            sagas={row.saga_id: self._held(row) for row in rows if row.saga_id is not None},
        )

    async def _clock(self, tx: Transaction) -> datetime:
        now: datetime = (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return now

    async def find(self, tx: Transaction, saga_id: UUID) -> tuple[Held, int] | None:
        """A saga as it stands, not locked, and its key's sequence; None if there is none."""
        key = (await tx.execute(KEY_OF, {"saga_id": saga_id})).scalar_one_or_none()
        if key is None:
            return None
        found = await self.load(tx, [key])
        return found.sagas[saga_id], found.sequences[key]

    def _held(self, row: Row[Any]) -> Held:
        definition = self._definitions.of(row.definition, row.definition_version)
        state = saga_from_json(json.loads(row.state), definition, self._load_message)
        timer = None if row.due_at is None else Timer(row.due_at, json.loads(row.fences))
        return Held(state, row.traceparent, timer, loaded_version=state.version)

    def _load_message(self, plain: Plain) -> object:
        return self._codec.decode(base64.b64decode(str(plain)))

    def _dump_message(self, message: object) -> Plain:
        # To the machine messages are opaque; here it is known what they are.
        return base64.b64encode(self._codec.encode(cast(Message, message))).decode()

    async def save(self, tx: Transaction, sagas: Iterable[Held]) -> None:
        """Write what these accepted, with histories and timers; an update finds what was loaded."""
        changed = sorted((h for h in sagas if h.accepted), key=_order)
        if new := [held for held in changed if held.loaded_version == 0]:
            await tx.execute(INSERT, self._inserted(new))
        if old := [held for held in changed if held.loaded_version]:
            updated = await tx.execute(UPDATE, self._updated(old))
            assert updated.rowcount == len(old), (updated.rowcount, len(old))
        await history_rows.append(tx, changed)
        sooner = [(held.state, timer) for held in changed if (timer := _sooner(held))]
        await timer_rows.set_timers(tx, sooner)

    def _updated(self, sagas: Sequence[Held]) -> dict[str, object]:
        states = [held.state for held in sagas]
        return {
            "keys": [state.key for state in states],
            "sagas": [state.saga_id for state in states],
            "loaded": [held.loaded_version for held in sagas],
            "statuses": [state.status.value for state in states],
            "versions": [state.version for state in states],
            "states": [json.dumps(saga_to_json(state, self._dump_message)) for state in states],
            "updated": [state.updated_at for state in states],
        }

    def _inserted(self, sagas: Sequence[Held]) -> dict[str, object]:
        states = [held.state for held in sagas]
        given = self._updated(sagas) | {
            "definitions": [state.definition.name for state in states],
            "definition_versions": [state.definition.version for state in states],
            "traceparents": [held.traceparent for held in sagas],
            "started": [state.started_at for state in states],
        }
        return {name: values for name, values in given.items() if name != "loaded"}

    async def count(self, tx: Transaction, sequences: dict[str, int]) -> None:
        """Each key's snapshots were numbered up to here."""
        if sequences:
            keys = sorted(sequences)
            await tx.execute(COUNT, {"keys": keys, "sequences": [sequences[key] for key in keys]})


def _order(held: Held) -> tuple[str, object]:
    return (held.state.key, held.state.saga_id)


def _sooner(held: Held) -> Timer | None:
    """A timer in place of one that fires too late; one that fires early is set anew then."""
    due_at = held.state.due_at
    if due_at is None or (held.timer is not None and held.timer.due_at <= due_at):
        return None
    return Timer(due_at)
