"""Notes that are published when they are written, and heard again from Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, insert, select, update

import schemas
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.envelope import Outgoing, Record
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.service import Running, Service
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.web import Problem, database, part, traceparent
from schemas.messages import OrderRejected

TOPIC = "echo.events.v1"
METADATA = MetaData()
NOTE = Table(
    "note",
    METADATA,
    Column("order_id", Uuid, primary_key=True),
    Column("text", Text),
    Column("heard", Integer),
)
CATALOG = replace(
    schemas.CATALOG,
    topics={
        TOPIC: schemas.Topic(
            name=TOPIC,
            owner="tests.integration.echo",
            readers=("tests.integration.echo",),
            key="order_id",
            messages=(OrderRejected.avro_name,),
            partitions=3,
            retention_ms=3_600_000,
            cleanup_policy="delete",
            pii="none",
        )
    },
    messages={OrderRejected.avro_name: OrderRejected},
)

router = APIRouter()


class NoteNotFound(PlatformError):
    """There is no note {order_id}."""

    status = 404


class InkFrozen(PlatformError):
    """The ink is frozen until spring: {secret}."""


class Line(BaseModel):
    """A part of a note."""

    model_config = ConfigDict(extra="forbid", strict=True)
    quantity: int = Field(ge=1, le=10_000)


class NewNote(BaseModel):
    """A note to be written."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1)
    lines: list[Line] = Field(default=[], max_length=100)


@dataclass(frozen=True)
class Doors:
    """Lets a test hold a request open, and see in which order things end."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    story: list[str] = field(default_factory=list)


@asynccontextmanager
async def doors(running: Running) -> AsyncIterator[Doors]:
    """The doors, while the service runs."""
    opened = Doors()
    opened.story.append("open")
    yield opened
    opened.story.append("closed")


@router.put("/notes/{order_id}", status_code=201, responses={422: {"model": Problem}})
async def put_note(
    order_id: UUID,
    note: NewNote,
    db: Annotated[Database, Depends(database)],
    trace: Annotated[str, Depends(traceparent)],
) -> dict[str, str]:
    """Write a note, and tell everybody."""
    message = OrderRejected(
        order_id=order_id, customer_id="somebody", rejected_at=datetime.now(UTC)
    )
    async with db.transaction() as tx:
        await tx.execute(insert(NOTE), {"order_id": order_id, "text": note.text, "heard": 0})
        tx.publish(Outgoing(message, traceparent=trace))
    return {"text": note.text}


@router.get("/notes/{order_id}")
async def get_note(
    order_id: UUID, db: Annotated[Database, Depends(database)]
) -> dict[str, str | int]:
    """Read a note, and how often it was heard of."""
    async with db.transaction() as tx:
        found = await tx.execute(select(NOTE).where(NOTE.c.order_id == order_id))
        row = found.one_or_none()
    if row is None:
        raise NoteNotFound(order_id=order_id)
    return {"text": row.text, "heard": row.heard}


@router.get("/notes")
async def find_notes(text: Annotated[str, Query()], limit: int = 1) -> list[str]:
    """Find nothing, in a way that has query parameters."""
    return [text] * limit


@router.get("/break/{how}")
async def break_down(how: Literal["bug", "frozen"]) -> None:
    """Meet a bug, or an error that nobody chose to show."""
    if how == "frozen":
        raise InkFrozen(secret="hunter2")
    raise KeyError("hunter2")


@router.get("/held")
async def held(doors: Annotated[Doors, Depends(part(Doors))]) -> dict[str, bool]:
    """Answer when the test says so."""
    doors.entered.set()
    await doors.go_on.wait()
    doors.story.append("answered")
    return {"held": True}


async def hear(tx: Transaction, records: Sequence[Record]) -> list[Outgoing]:
    """Count what is heard."""
    for record in records:
        await tx.execute(
            update(NOTE).where(NOTE.c.order_id == UUID(record.key)).values(heard=NOTE.c.heard + 1)
        )
    return []


class EchoSettings(ServiceSettings):
    """The echo's own."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_ECHO_", frozen=True)
    service: ClassVar[str] = "tests.integration.echo"

    buggy: bool = Field(False, description="A task of the service breaks.")


@asynccontextmanager
async def bug(running: Running) -> AsyncIterator[None]:
    """A background task with a bug, where the settings ask for one."""
    assert isinstance(running.settings, EchoSettings)
    if running.settings.buggy:
        running.background.start("bug", _break())
    yield


async def _break() -> None:
    raise ZeroDivisionError


def service(settings: EchoSettings | None = None) -> Service:
    """Wire the echo service."""
    return Service(
        settings=settings or EchoSettings(),
        catalog=CATALOG,
        metadata=METADATA,
        consumes={TOPIC: hear},
        router=router,
        parts=(doors, bug),
    )
