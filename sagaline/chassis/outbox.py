"""The outbox: messages that wait, in the database of their cause, to be published.

See docs/architecture.md, "Outbox and relay". Rows are inserted after their key's row is locked, so
that the order of ids is the order of commits within a key.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction, unnest
from sagaline.chassis.envelope import Encoded, Envelope, Outgoing
from sagaline.chassis.errors import MessageTooLarge, UnroutableMessage

OUTBOX = Table(
    "outbox",
    MetaData(schema="sagaline"),
    Column("id", BigInteger, primary_key=True),
    Column("topic", Text),
    Column("key", Text),
    Column("type", Text),
    Column("message_id", Uuid),
    Column("headers", JSONB),
    Column("payload", LargeBinary),
    Column("created_at", DateTime(timezone=True)),
    Column("quarantined_at", DateTime(timezone=True)),
    Column("error", Text),
)


class Outbox:
    """Writes a transaction's messages, in order, checked for topic and size. Holds no rows."""

    def __init__(
        self,
        codec: Codec,
        *,
        service: str,
        message_bytes_max: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._codec = codec
        self._catalog: Catalog = codec.catalog
        self._service = service
        self._message_bytes_max = message_bytes_max

    async def flush(self, tx: Transaction) -> None:
        """Insert all that `tx` publishes, as its last statement.

        Raises UnroutableMessage or MessageTooLarge, and with them the transaction fails.
        """
        now = self._clock()
        rows = [
            message if isinstance(message, Encoded) else self.encode(message, now)
            for message in tx.outgoing
        ]
        tx.outbox_id_max = await insert_rows(tx, rows, now)

    def encode(self, outgoing: Outgoing, now: datetime) -> Encoded:
        """The message as it will stand in the log."""
        message = outgoing.message
        topic = self._topic(outgoing)
        key = outgoing.key or str(getattr(message, topic.key))
        envelope = Envelope(
            id=outgoing.id or uuid4(),
            type=message.avro_name,
            source=f"/{self._service}",
            subject=key,
            time=now,
            traceparent=outgoing.traceparent,
            saga_id=outgoing.saga_id,
            step=outgoing.step,
            direction=outgoing.direction,
            generation=outgoing.generation,
            action=outgoing.action,
            outcome=outgoing.outcome,
            causation_id=outgoing.causation_id,
        )
        payload = self._codec.encode(message)
        if len(payload) > self._message_bytes_max:
            raise MessageTooLarge(
                type=envelope.type, size_bytes=len(payload), limit_bytes=self._message_bytes_max
            )
        return Encoded(topic.name, key, envelope.type, envelope.id, envelope.headers(), payload)

    def _topic(self, outgoing: Outgoing) -> Topic:
        name = outgoing.message.avro_name
        try:
            if outgoing.topic is None:
                topic = self._catalog.topic_of(name)
            else:
                topic = self._catalog.topics[outgoing.topic]
        except KeyError:
            raise UnroutableMessage(
                service=self._service, type=name, reason="no topic of topics.yaml carries it"
            ) from None
        if topic.owner != self._service:
            reason = f"{topic.name} is written by {topic.owner} alone"
            raise UnroutableMessage(service=self._service, type=name, reason=reason)
        return topic


async def insert_rows(tx: Transaction, rows: Sequence[Encoded], now: datetime) -> int:
    """Insert `rows` in order, in one statement: the highest id among them."""
    given = unnest(
        {
            "topic": (Text, [row.topic for row in rows]),
            "key": (Text, [row.key for row in rows]),
            "type": (Text, [row.type for row in rows]),
            "message_id": (Uuid, [row.id for row in rows]),
            "headers": (Text, [json.dumps(dict(row.headers)) for row in rows]),
            "payload": (LargeBinary, [row.value for row in rows]),
        }
    )
    columns = ("topic", "key", "type", "message_id", "headers", "payload", "created_at")
    chosen = select(
        given.c.topic,
        given.c.key,
        given.c.type,
        given.c.message_id,
        cast(given.c.headers, JSONB),
        given.c.payload,
        cast(now, DateTime(timezone=True)),
    )
    written = insert(OUTBOX).from_select(columns, chosen).returning(OUTBOX.c.id).cte("written")
    highest = await tx.execute(select(func.max(written.c.id)))
    return int(highest.scalar_one())
