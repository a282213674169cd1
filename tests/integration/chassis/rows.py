"""What stands in a service's tables, as a test asks for it."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import text

from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database
from tests.integration.chassis.parcels import saga

Effects: TypeAlias = Counter[tuple[int, str]]


class Answer(NamedTuple):
    """A row of the outbox that answers a command."""

    order: int
    outcome: str
    direction: str
    generation: int
    code: str | None  # of a refusal, or of a notice
    message_id: UUID
    payload: bytes


async def eventually(
    holds: Callable[[], Awaitable[object] | object], *, what: str, within_s: float = 20
) -> None:
    """Return as soon as `holds()` gives something true; fail when that takes too long."""
    until_s = time.monotonic() + within_s
    while True:
        found = holds()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < until_s, f"{what}: not within {within_s} s"
        await asyncio.sleep(0.02)


class Tables:
    """Questions to a service's database."""

    replies: str
    codec: Codec
    database: Database

    async def query(
        self, statement: str, parameters: Mapping[str, object] | None = None
    ) -> list[tuple[object, ...]]:
        """Rows of a statement, in a transaction of its own."""
        async with self.database.transaction() as tx:
            found = await tx.execute(text(statement), parameters)
            return [tuple(row) for row in found] if found.returns_rows else []

    async def positions(self) -> dict[int, int]:
        """How far the topic of commands is read, by partition."""
        rows = await self.query("SELECT partition, next_offset FROM sagaline.positions")
        return {int(str(partition)): int(str(offset)) for partition, offset in rows}

    async def parked_keys(self) -> dict[int, int]:
        """The count of parked keys, where there are any."""
        rows = await self.query(
            "SELECT partition, parked_keys FROM sagaline.positions WHERE parked_keys > 0"
        )
        return {int(str(partition)): int(str(count)) for partition, count in rows}

    async def parked(self) -> list[tuple[int, str]]:
        """Order and error class of the parked records, by partition and offset."""
        rows = await self.query(
            'SELECT key, error_class FROM sagaline.parked ORDER BY partition, "offset"'
        )
        return [(UUID(str(key)).int, str(error)) for key, error in rows]

    async def effects(self) -> Effects:
        """How often each effect happened."""
        rows = await self.query("SELECT order_id, what FROM effect")
        return Counter((UUID(str(order_id)).int, str(what)) for order_id, what in rows)

    async def answers(self) -> list[Answer]:
        """Rows of the outbox that answer commands, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.execute(
                text(
                    "SELECT key, headers, message_id, payload FROM sagaline.outbox"
                    " WHERE topic = :topic ORDER BY id"
                ),
                {"topic": self.replies},
            )
            return [
                Answer(
                    UUID(row.key).int,
                    row.headers["ce_sagaoutcome"],
                    row.headers["ce_sagadirection"],
                    int(row.headers["ce_sagageneration"]),
                    getattr(self.codec.decode(row.payload), "code", None),
                    row.message_id,
                    row.payload,
                )
                for row in rows
            ]

    async def outcomes(self, number: int) -> list[str]:
        """What the answers for this order say, in order."""
        return [each.outcome for each in await self.answers() if each.order == number]

    async def relay_everything(self) -> None:
        """The outbox is empty, as after the broker's acks."""
        await self.query("DELETE FROM sagaline.outbox")

    async def barrier(self) -> dict[tuple[int, str], str | None]:
        """The barrier's rows: outcome by order and direction."""
        rows = await self.query(
            "SELECT held.saga_id, held.direction, held.outcome FROM sagaline.barrier AS held"
        )
        sagas = {saga(number): number for number in range(1_000)}
        return {
            (sagas[UUID(str(saga_id))], str(direction)): None if outcome is None else str(outcome)
            for saga_id, direction, outcome in rows
        }

    async def wait_for_locks(self, count: int) -> None:
        """So many sessions wait for a lock."""
        waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"

        async def waits() -> bool:
            return await self.query(waiting) == [(count,)]

        await eventually(waits, what=f"{count} sessions wait")

    async def sleeping(self) -> None:
        """A session of this database is in `pg_sleep`."""
        sleeps = """
            SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'
        """
        await eventually(lambda: self.query(sleeps), what="a session sleeps")
