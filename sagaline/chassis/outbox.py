"""The outbox: messages that wait, in the database of their cause, to be published.

See docs/architecture.md, "Outbox". Rows are inserted after their key's row is locked, so
that the order of ids is the order of commits within a key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic_core import to_json

from sagaline.chassis import barrier_rows
from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import KEY_CHARACTERS_MAX, Encoded, Envelope, Outgoing
from sagaline.chassis.errors import MessageTooLarge, UnroutableMessage
from sagaline.chassis.fresh import Fresh
from sagaline.chassis.quick_uuid import uuid4

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

WRITTEN = """
    written AS (
        INSERT INTO sagaline.outbox (topic, key, type, message_id, headers, payload, created_at)
        SELECT topic, key, type, message_id, headers::json, payload, $7
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bytea[])
            AS given(topic, key, type, message_id, headers, payload)
        RETURNING id
    )
    SELECT id FROM written ORDER BY id
"""

INSERT = f"WITH {WRITTEN}"
INSERT_PROVEN = f"WITH proven AS ({barrier_rows.PROVE}), {WRITTEN}"


class Outbox:
    """Writes a transaction's messages, in order, checked for topic, key and size.

    `fresh` has those that were committed, for the relay of this process.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        service: str,
        message_bytes_max: int,
        clock: Callable[[], datetime],
        spans: "Spans | None" = None,
    ) -> None:
        self._spans = spans
        self.fresh = Fresh()
        self._clock = clock
        self._codec = codec
        self._catalog: Catalog = codec.catalog
        self._service = service
        self._source = f"/{service}"
        self._message_bytes_max = message_bytes_max

    async def flush(self, tx: Transaction) -> None:
        """Insert all that `tx` publishes, with what it proves, as its last statement.

        Raises UnroutableMessage or MessageTooLarge, and with them the transaction fails.
        """
        now = self._clock()
        rows = [
            message if isinstance(message, Encoded) else self.encode(message, now)
            for message in tx.outgoing
        ]
        ids = await _insert(tx, rows, now)
        tx.outbox_id_max = ids[-1]
        tx.afterwards(lambda: self.fresh.keep(ids, rows, now))

    def encode(self, outgoing: Outgoing, now: datetime) -> Encoded:
        """The message as it will stand in the log."""
        message = outgoing.message
        topic = self._topic(outgoing)
        key = outgoing.key or str(getattr(message, topic.key))
        if len(key) > KEY_CHARACTERS_MAX:  # its readers would park it
            reason = f"its key has more than {KEY_CHARACTERS_MAX} characters"
            raise UnroutableMessage(service=self._service, type=message.avro_name, reason=reason)
        message_id, traceparent = outgoing.id or uuid4(), outgoing.traceparent
        if self._spans is not None:
            traceparent = self._spans.created(
                traceparent,
                topic=topic.name,
                kind=message.avro_name,
                message_id=str(message_id),
                key=key,
            )
        envelope = Envelope(  # by position: with names it takes half as long again
            message_id,
            message.avro_name,
            self._source,
            key,
            now,
            traceparent,
            outgoing.saga_id,
            outgoing.step,
            outgoing.direction,
            outgoing.generation,
            outgoing.action,
            outgoing.outcome,
            outgoing.causation_id,
        )
        payload = outgoing.encoded or self._codec.encode(message)
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


async def _insert(tx: Transaction, rows: Sequence[Encoded], now: datetime) -> list[int]:
    """Insert `rows` in order, in one statement: their ids, which grow in that order."""
    columns = (
        [row.topic for row in rows],
        [row.key for row in rows],
        [row.type for row in rows],
        [row.id for row in rows],
        [to_json(dict(row.headers)).decode() for row in rows],
        [row.value for row in rows],
        now,
    )
    if tx.proofs:
        written = await tx.fetch(INSERT_PROVEN, *columns, *barrier_rows.columns(tx.proofs))
    else:
        written = await tx.fetch(INSERT, *columns)
    return [row[0] for row in written]
