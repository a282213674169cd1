"""Commands as the orchestrator sends them, on the topics of one service."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import schemas
from sagaline.chassis.catalog import Catalog, Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope, Record, command_id, saga_id
from sagaline.chassis.messages import Revoke
from schemas import Topic
from schemas.messages import (
    CommitStock,
    ReleaseStock,
    ReserveStock,
    StockCommitted,
    StockRefused,
    StockReleased,
    StockReserved,
)

PARTITIONS = 4
STEP = "reserve_stock"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def order(number: int) -> UUID:
    """The id of a test's order of this number."""
    return UUID(int=number)


def saga(number: int) -> UUID:
    """The saga of the order of this number."""
    return saga_id("place-order", str(order(number)))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record to be written."""

    partition: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None

    def with_headers(self, **headers: str | None) -> "Parcel":
        """Other values for some headers; None leaves one out. `_` stands for `-`."""
        changed = {name.replace("content_type", "content-type"): v for name, v in headers.items()}
        kept = [(name, value) for name, value in self.headers if name not in changed]
        added = [(name, v.encode()) for name, v in changed.items() if v is not None]
        return replace(self, headers=(*kept, *added))


class Orchestrator:
    """What commands a service gets; `codec` writes them."""

    commands: str
    codec: Codec

    def action(self, number: int, *, generation: int = 1) -> Parcel:
        message = ReserveStock(order_id=order(number), currency="EUR", lines=())
        return self.parcel(number, message, "action", generation)

    def undo(self, number: int, *, saw: str = "done", generation: int = 1) -> Parcel:
        """The undo of an action that its saga saw `done`, or is `indoubt` about."""
        message = ReleaseStock(order_id=order(number))
        return self.parcel(number, message, "undo", generation, action=saw)

    def revoke(self, number: int, *, generation: int = 1) -> Parcel:
        message = Revoke(key=str(order(number)), saga_id=saga(number), step=STEP)
        return self.parcel(number, message, "revoke", generation)

    def parcel(
        self,
        number: int,
        message: Message,
        direction: str,
        generation: int,
        *,
        action: str | None = None,
        step: str = STEP,
    ) -> Parcel:
        envelope = Envelope(
            id=command_id(saga(number), step, direction, generation),
            type=message.avro_name,
            source="/saga_orchestrator",
            subject=str(order(number)),
            time=NOON,
            traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
            saga_id=saga(number),
            step=step,
            direction=direction,
            generation=generation,
            action=action,
        )
        headers = tuple((name, value.encode()) for name, value in envelope.headers().items())
        key = str(order(number)).encode()
        return Parcel(number % PARTITIONS, key, headers, self.codec.encode(message))

    def record(self, parcel: Parcel, *, offset: int = 0) -> Record:
        """The parcel as a handler meets it."""
        envelope = Envelope.parse(parcel.headers)
        message = self.codec.decode(parcel.value or b"")
        key = (parcel.key or b"").decode()
        value = parcel.value or b""
        return Record(self.commands, parcel.partition, offset, key, envelope, message, value)


def catalog_of(service: str) -> Catalog:
    """The platform's messages, on topics of one service."""

    def topic(name: str, owner: str, reader: str, *messages: type[Message]) -> Topic:
        return Topic(
            name=f"{service}.{name}.v1",
            owner=owner,
            readers=(reader,),
            key="order_id",
            messages=tuple(message.avro_name for message in messages),
            partitions=PARTITIONS,
            retention_ms=604_800_000,
            cleanup_policy="delete",
            pii="none",
        )

    commands: Iterable[type[Message]] = (ReserveStock, ReleaseStock, CommitStock, Revoke)
    replies = (StockReserved, StockRefused, StockReleased, StockCommitted)
    topics = (
        topic("commands", "saga_orchestrator", service, *commands),
        topic("replies", service, "saga_orchestrator", *replies),
        topic("dlq", service, "operators"),
    )
    return replace(schemas.CATALOG, topics={each.name: each for each in topics})
