"""Rows that the relay's own process has written are not read back; the database has the say."""

from datetime import UTC, datetime
from uuid import uuid4

import schemas
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.envelope import Encoded
from sagaline.chassis.fresh import Fresh
from sagaline.chassis.lane import Lane
from sagaline.chassis.outbox import Outbox
from tests.integration.relay.stage import Writer

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def encoded(key: str, value: bytes) -> Encoded:
    return Encoded("topic", key, "test", uuid4(), {"ce_type": "test"}, value)


def lane_of(database_url: str, fresh: Fresh) -> Lane:
    return Lane(database_url, number=0, owner="me", idle_session_timeout_ms=3_000, fresh=fresh)


async def test_rows_go_out_in_id_order_whether_or_not_they_are_remembered(
    database_url: str, writer: Writer
) -> None:
    outbox = Outbox(
        Codec(schemas.CATALOG),
        service="inventory_service",
        message_bytes_max=262_144,
        clock=lambda: NOW,
    )
    engine = open_engine(database_url, pool_size=1, command_timeout_s=5)
    database = Database(engine, flush=outbox.flush)
    lane = lane_of(database_url, outbox.fresh)
    try:
        assert await lane.try_take()
        await writer.write("a", "theirs 1")
        async with database.transaction() as tx:
            tx.publish(encoded("b", b"ours 1"), encoded("b", b"ours 2"))
        await writer.write("c", "theirs 2")
        # What is remembered is not read: only so can one tell.
        await writer.connection.execute(
            "UPDATE sagaline.outbox SET payload = 'read back' WHERE payload = 'ours 2'"
        )
        rows = await lane.visible(10)
        assert [row.payload for row in rows] == [b"theirs 1", b"ours 1", b"ours 2", b"theirs 2"]
        assert rows == sorted(rows)
        # Not acked: seen again, and remembered no more.
        again = await lane.visible(10)
        assert [row.payload for row in again] == [b"theirs 1", b"ours 1", b"read back", b"theirs 2"]
    finally:
        await lane.release()
        await database.close()


async def test_a_message_that_got_the_id_of_a_remembered_one_is_read(
    database_url: str, writer: Writer
) -> None:
    fresh = Fresh()
    lane = lane_of(database_url, fresh)
    try:
        assert await lane.try_take()
        (id_,) = await writer.write("a", "the row")
        fresh.keep([id_], [encoded("b", b"the memory")], NOW)
        assert [(row.key, row.payload) for row in await lane.visible(10)] == [("a", b"the row")]
    finally:
        await lane.release()
