"""Interventions: what operators did to records and messages that could not go on by themselves.

A row is written in the transaction of what it tells of, so that neither is there without the other.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sagaline.chassis.database import Transaction

Verb: TypeAlias = Literal["redrive", "discard"]

INSERT = """
    INSERT INTO sagaline.interventions
        (verb, subject, outcome, who, reason, subject_id, topic, partition, "offset", key, type,
         message_id, error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """Who intervenes, as they call themselves, and why."""

    who: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an intervention is about: a `parked` record, or a message in the `outbox`."""

    kind: Literal["parked", "outbox"]
    id: int
    topic: str
    key: str
    partition: int | None = None
    offset: int | None = None
    type: str | None = None
    message_id: str | None = None


async def keep(
    tx: Transaction, verb: Verb, subject: Subject, mandate: Mandate, *, error: str | None = None
) -> None:
    """The intervention is on record; with an `error`, as one that failed."""
    await tx.run(
        INSERT,
        verb,
        subject.kind,
        "done" if error is None else "failed",
        mandate.who,
        mandate.reason,
        subject.id,
        subject.topic,
        subject.partition,
        subject.offset,
        subject.key,
        subject.type,
        subject.message_id,
        error,
    )
