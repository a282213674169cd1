"""Operators' routes for dead letters, of every service: what is parked, and what becomes of it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from sagaline.chassis import examples, paging, parked_rows
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.dead_letter_documents import (
    AllDealt,
    Chosen,
    DeadLetter,
    DeadLetterPage,
    DeadLetterShown,
    Discard,
    KeyDealt,
    Redrive,
)
from sagaline.chassis.dead_letters import DeadLetters, Dealt
from sagaline.chassis.discarding import MayHaveHappened
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.openapi import answers
from sagaline.chassis.operating import Text
from sagaline.chassis.paging import Cursor, Limit
from sagaline.chassis.parked_rows import Filter, ParkedRecord
from sagaline.chassis.parking import Queue
from sagaline.chassis.running import Running
from sagaline.chassis.web import database, part, running

BEHIND_SHOWN_MAX = 50
QUEUES_MAX = 100  # that one request deals with
RECORDS_MAX = 200  # likewise; a client comes again for the rest

router = APIRouter(prefix="/dlq", tags=["dead letters"])

Db = Annotated[Database, Depends(database)]
Letters = Annotated[DeadLetters, Depends(part(DeadLetters))]
Id = Annotated[int, Path(ge=1, le=paging.ID_MAX, examples=[7])]


class DeadLetterNotFound(PlatformError):
    """No record {id} is parked here: perhaps it was dealt with."""

    status = 404


@router.get("", responses=answers(examples.DEAD_LETTERS))
async def list_dead_letters(
    db: Db,
    error_class: Annotated[Text | None, Query()] = None,
    topic: Annotated[Text | None, Query()] = None,
    key: Annotated[Text | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = paging.PAGE_ROWS,
) -> DeadLetterPage:
    """What is parked in this service, in the order in which it was."""
    wanted = Filter(topic=topic, key=key, error_class=error_class)
    async with db.reading() as tx:
        found = await parked_rows.page(tx, wanted, after=paging.id_after(cursor), limit=limit)
    after = paging.cursor(found[-1].id) if len(found) == limit else None
    return DeadLetterPage(dead_letters=[*map(DeadLetter.of, found)], next=after)


@router.get("/{id:int}", responses=answers(examples.A_DEAD_LETTER_SHOWN, DeadLetterNotFound))
async def get_dead_letter(
    id: Id,  # noqa: A002 - the path's name for it
    db: Db,
    service: Annotated[Running, Depends(running)],
) -> DeadLetterShown:
    """A parked record: its payload, or its bytes and why they can't be read; what waits for it."""
    async with db.transaction() as tx:
        await tx.freeze()
        record = await _found(tx, id)
        queue, offset = record.queue, record.raw.offset
        behind = await parked_rows.of_queue(tx, queue, offset=offset + 1, limit=BEHIND_SHOWN_MAX)
        count = await parked_rows.size(tx, queue, offset=offset + 1)
    return DeadLetterShown.with_those_behind(record, behind, count, service.codec)


@router.post("/redrive", responses=answers(examples.ALL_DEALT, DeadLetterNotFound))
async def redrive(chosen: Redrive, db: Db, letters: Letters) -> AllDealt:
    """Handle parked records as if they came now: each key's in order, up to one that fails again.

    The record of an id brings all of its key.
    """
    if chosen.id is not None:
        async with db.reading() as tx:
            queue = (await _found(tx, chosen.id)).queue
        dealt = await letters.redrive(queue, chosen.mandate, records_max=RECORDS_MAX)
        return AllDealt(keys=[KeyDealt.of(dealt)], next=None)

    async def deal(queue: Queue, records_max: int) -> Dealt:
        return await letters.redrive(queue, chosen.mandate, records_max=records_max)

    return await _each(chosen, db, deal)


@router.post("/discard", responses=answers(examples.ALL_DEALT, DeadLetterNotFound, MayHaveHappened))
async def discard(chosen: Discard, db: Db, letters: Letters) -> AllDealt:
    """Give parked records up: a command's saga is told `discarded`, and it never runs later.

    Where keys are chosen all of their records are given up, an id is that record alone.
    """
    if chosen.id is not None:
        async with db.reading() as tx:
            record = await _found(tx, chosen.id)
        dealt = await letters.discard_one(record, chosen.mandate)
        return AllDealt(keys=[KeyDealt.of(dealt)], next=None)

    async def deal(queue: Queue, records_max: int) -> Dealt:
        return await letters.discard(queue, chosen.mandate, records_max=records_max)

    return await _each(chosen, db, deal)


async def _each(
    chosen: Chosen, db: Database, deal: Callable[[Queue, int], Awaitable[Dealt]]
) -> AllDealt:
    """Deal with each key that fits, as far as one request goes."""
    after = paging.id_after(chosen.cursor)
    async with db.reading() as tx:
        found = await parked_rows.queues(tx, chosen.wanted, after=after, limit=QUEUES_MAX)
    dealt: list[Dealt] = []
    for queue, first in found:
        room = RECORDS_MAX - sum(each.done for each in dealt)
        if room:
            dealt.append(await deal(queue, room))
        if not room or (dealt[-1].left and dealt[-1].error is None):
            return _answer(dealt, after)  # the rest of it has no room here
        after = first
    return _answer(dealt, after if len(found) == QUEUES_MAX else None)


def _answer(dealt: list[Dealt], after: int | None) -> AllDealt:
    following = None if after is None else paging.cursor(after)
    return AllDealt(keys=[KeyDealt.of(each) for each in dealt], next=following)


async def _found(tx: Transaction, id_: int) -> ParkedRecord:
    found = await parked_rows.find(tx, id_)
    if found is None:
        raise DeadLetterNotFound(id=id_)
    return found
