"""Rows of the outbox for operators: looked at, sent after all, or given up.

See docs/architecture.md, "Dead letters". Only quarantined rows are touched, which the drainer
never sends; it takes turns with operators when it quarantines more. A key is released whole, by
one statement, and its order stays.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from sagaline.chassis import interventions, quarantine
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import ORIGIN
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.interventions import Mandate, Subject
from sagaline.chassis.messages import Notice

State: TypeAlias = Literal["quarantined", "waiting"]
DONE = frozenset({"succeeded", "undone"})  # outcomes that tell of something that has happened

COLUMNS = """
    id, topic, key, type, message_id, CAST(headers AS text) AS headers, payload, created_at,
    quarantined_at, error
"""

PAGE = f"""
    SELECT {COLUMNS} FROM sagaline.outbox
    WHERE id > $1 AND ($2::bool IS NULL OR (quarantined_at IS NOT NULL) = $2)
        AND ($3::text IS NULL OR topic = $3) AND ($4::text IS NULL OR key = $4)
    ORDER BY id LIMIT $5
"""  # noqa: S608 - all parts are written here

ONE = f"SELECT {COLUMNS} FROM sagaline.outbox WHERE id = $1"  # noqa: S608 - as above

# The drainer quarantines nothing meanwhile: else a row behind a released one would stay, alone.
LOCK_LANES = "SELECT FROM sagaline.lanes ORDER BY lane FOR UPDATE"

# Together with what is quarantined of its key: no drainer may see a later one alone.
LOCK = f"""
    SELECT {COLUMNS} FROM sagaline.outbox
    WHERE quarantined_at IS NOT NULL AND key = (SELECT key FROM sagaline.outbox WHERE id = $1)
    ORDER BY id FOR UPDATE
"""  # noqa: S608 - as above

RELEASE = "UPDATE sagaline.outbox SET quarantined_at = NULL, error = NULL WHERE id = ANY($1)"

DELETE = "DELETE FROM sagaline.outbox WHERE id = $1"


class OutboxRowNotFound(PlatformError):
    """There is no row {id} in the outbox: perhaps it was sent."""

    status = 404


class NotQuarantined(PlatformError):
    """Row {id} is not quarantined: it is sent as soon as Kafka takes it."""

    status = 409


class TellsOfAnEffect(PlatformError):
    """Row {id} tells a saga what has happened ({outcome}), and that can't be unsaid.

    Mend what keeps it from being sent, and redrive it.
    """

    status = 409


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that waits; with the reason, where it waits for a person."""

    id: int
    topic: str
    key: str
    type: str
    message_id: UUID
    headers: Mapping[str, str]
    payload: bytes | None
    created_at: datetime
    quarantined_at: datetime | None
    error: str | None

    @property
    def subject(self) -> Subject:
        """What an intervention keeps of it."""
        return Subject(
            kind="outbox",
            id=self.id,
            topic=self.topic,
            key=self.key,
            type=self.type,
            message_id=str(self.message_id),
        )


async def page(
    tx: Transaction,
    *,
    state: State | None,
    topic: str | None,
    key: str | None,
    after: int,
    limit: int,
) -> list[OutboxRow]:
    """At most `limit` rows with ids above `after`, in the order of their ids."""
    quarantined = None if state is None else state == "quarantined"
    return _rows(await tx.fetch(PAGE, after, quarantined, topic, key, limit))


async def find(tx: Transaction, id_: int) -> OutboxRow:
    """The row; raises OutboxRowNotFound."""
    found = _rows(await tx.fetch(ONE, id_))
    if not found:
        raise OutboxRowNotFound(id=id_)
    return found[0]


async def redrive(tx: Transaction, id_: int, mandate: Mandate) -> list[OutboxRow]:
    """The row and all others of its key that are quarantined go out again, in order.

    Raises OutboxRowNotFound or NotQuarantined.
    """
    _, locked = await _locked(tx, id_)
    await tx.run(RELEASE, [row.id for row in locked])
    for row in locked:
        await interventions.keep(tx, "redrive", row.subject, mandate)
    return locked


async def discard(tx: Transaction, id_: int, mandate: Mandate) -> int:
    """The row is never sent. How many of its key stay quarantined.

    A saga that waits for this reply hears `discarded`. One whose command it is finds out by its
    timer, as of any message that is lost. A dead letter, being a copy, is only gone. Raises as
    `redrive`, and TellsOfAnEffect.
    """
    row, locked = await _locked(tx, id_)
    outcome = row.headers.get("ce_sagaoutcome")
    if outcome in DONE and ORIGIN not in row.headers:
        raise TellsOfAnEffect(id=id_, outcome=outcome)
    notice = Notice(code="discarded", detail=mandate.reason or "")
    if instead := quarantine.in_place_of(row, "discarded", notice):
        tx.publish(instead)
    await tx.run(DELETE, id_)
    await interventions.keep(tx, "discard", row.subject, mandate)
    return len(locked) - 1


async def _locked(tx: Transaction, id_: int) -> tuple[OutboxRow, list[OutboxRow]]:
    await tx.fetch(LOCK_LANES)
    locked = _rows(await tx.fetch(LOCK, id_))
    row = next((row for row in locked if row.id == id_), None)
    if row is None:
        await find(tx, id_)
        raise NotQuarantined(id=id_)
    return row, locked


def _rows(found: Sequence[asyncpg.Record]) -> list[OutboxRow]:
    return [
        OutboxRow(
            row["id"],
            row["topic"],
            row["key"],
            row["type"],
            row["message_id"],
            json.loads(row["headers"]),
            row["payload"],
            row["created_at"],
            row["quarantined_at"],
            row["error"],
        )
        for row in found
    ]
