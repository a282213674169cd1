"""Live replays, on every service's port for operators: of the topics that this service writes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sagaline.chassis import examples, replay_rows
from sagaline.chassis.catalog import Topic
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.messages import SagaSnapshot
from sagaline.chassis.openapi import answers
from sagaline.chassis.operating import Giving
from sagaline.chassis.replay_rows import Replay, State
from sagaline.chassis.replays import Replays
from sagaline.chassis.running import Running
from sagaline.chassis.web import database, part, running

router = APIRouter(prefix="/replays", tags=["replays"])

SHOWN_MAX = 100
PARTITIONS_MAX = 1_000
NAMES_MAX = 1_000
OFFSET_MAX = 2**53 - 1  # what JSON carries everywhere, RFC 7493

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Offset = Annotated[int, Field(ge=0, le=OFFSET_MAX)]


class ReplayNotFound(PlatformError):
    """There is no replay {id} here."""

    status = 404


class TopicNotOurs(PlatformError):
    """{service} does not write {topic}: only its owner replays it."""

    status = 409


class NeverReplayed(PlatformError):
    """{topic} is never replayed live: {reason}."""

    status = 409


class NotRunning(PlatformError):
    """Replay {id} is {state}."""

    status = 409


class Range(BaseModel):
    """Records of one partition, from `first` up to, not including, `until`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    partition: int = Field(ge=0, lt=PARTITIONS_MAX)
    first: Offset
    until: Offset


class NewReplay(Giving):
    """Which records are to be written once more; without keys or types all of the ranges."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.A_NEW_REPLAY]})

    topic: Name
    ranges: list[Range] = Field(min_length=1, max_length=PARTITIONS_MAX)
    keys: list[Name] = Field([], max_length=NAMES_MAX)
    types: list[Name] = Field([], max_length=NAMES_MAX, description="Full names.")
    per_s: int = Field(300, ge=1, le=10_000, description="No more records in a second.")

    def replay(self, replay_id: UUID) -> Replay:
        """The row; of a partition that has no range nothing is replayed."""
        by_partition = {each.partition: each for each in self.ranges}
        none = Range(partition=0, first=0, until=0)
        ranges = [by_partition.get(number, none) for number in range(max(by_partition) + 1)]
        firsts = [each.first for each in ranges]
        return Replay(
            id=replay_id,
            topic=self.topic,
            first_offsets=firsts,
            next_offsets=firsts,
            until_offsets=[max(each.first, each.until) for each in ranges],
            keys=self.keys,
            types=self.types,
            per_s=self.per_s,
            who=self.who,
            reason=self.reason,
        )


class Progress(BaseModel):
    """One partition of a replay: `next` is read next; all before it went to the outbox."""

    partition: int
    first: int
    next: int
    until: int


class ReplayView(BaseModel):
    """A replay: `sent` are out or in the outbox; `passed` have another key or type.

    `skipped` are records that their topic's owner could not have written. `problem` is what keeps
    the replay from going on now.
    """

    id: UUID
    topic: str
    state: State
    who: str | None
    reason: str
    keys: list[str]
    types: list[str]
    per_s: int
    partitions: list[Progress]
    sent: int
    passed: int
    skipped: int
    problem: str | None
    created_at: datetime | None
    ended_at: datetime | None


Db = Annotated[Database, Depends(database)]
Service = Annotated[Running, Depends(running)]
Runner = Annotated[Replays, Depends(part(Replays))]


@router.put(
    "/{replay_id}",
    status_code=202,
    responses=answers(examples.A_REPLAY, TopicNotOurs, NeverReplayed, status=202),
)
async def begin(
    replay_id: UUID, new: NewReplay, service: Service, db: Db, runner: Runner
) -> ReplayView:
    """Begin a live replay under an id of the caller's; again with that id changes nothing."""
    _require_replayable(service, new)
    async with db.transaction() as tx:
        await replay_rows.insert(tx, new.replay(replay_id))
        found = await replay_rows.find(tx, replay_id)
    runner.wake()
    assert found is not None, replay_id
    return _view(found)


@router.get("", responses=answers([examples.A_REPLAY]))
async def newest(db: Db) -> list[ReplayView]:
    """The latest hundred replays, newest first."""
    async with db.reading() as tx:
        return [_view(each) for each in await replay_rows.newest(tx, SHOWN_MAX)]


@router.get("/{replay_id}", responses=answers(examples.A_REPLAY, ReplayNotFound))
async def get(replay_id: UUID, db: Db) -> ReplayView:
    """How far a replay is."""
    async with db.reading() as tx:
        return _view(_required(await replay_rows.find(tx, replay_id), replay_id))


@router.post("/{replay_id}/stop", responses=answers(examples.A_REPLAY, ReplayNotFound, NotRunning))
async def stop(replay_id: UUID, db: Db) -> ReplayView:
    """Stop a replay: what it put into the outbox still leaves, and no more."""
    async with db.transaction() as tx:
        stopped = await replay_rows.stop(tx, replay_id)
        return _changed(await replay_rows.find(tx, replay_id), replay_id, stopped)


@router.post(
    "/{replay_id}/resume", responses=answers(examples.A_REPLAY, ReplayNotFound, NotRunning)
)
async def resume(replay_id: UUID, db: Db, runner: Runner) -> ReplayView:
    """Let a replay that was stopped go on from where it was."""
    async with db.transaction() as tx:
        resumed = await replay_rows.resume(tx, replay_id)
        found = _changed(await replay_rows.find(tx, replay_id), replay_id, resumed)
    runner.wake()
    return found


def _require_replayable(service: Running, new: NewReplay) -> None:
    topic = service.catalog.topics.get(new.topic)
    if topic is None or topic.owner != service.service:
        raise TopicNotOurs(service=service.service, topic=new.topic)
    if reason := why_never(topic):
        raise NeverReplayed(topic=topic.name, reason=reason)


def why_never(topic: Topic) -> str | None:
    """Why a topic must not be replayed live; None where it may be."""
    if SagaSnapshot.avro_name in topic.messages:
        return "an old snapshot says nothing that is still true; current ones are written anew"
    if not topic.messages:
        return "it has copies of what was set aside; 'redrive' handles the records themselves"
    return None


def _required(found: Replay | None, replay_id: UUID) -> Replay:
    if found is None:
        raise ReplayNotFound(id=replay_id)
    return found


def _changed(found: Replay | None, replay_id: UUID, changed: bool) -> ReplayView:  # noqa: FBT001 - what the update said
    replay = _required(found, replay_id)
    if not changed:
        raise NotRunning(id=replay_id, state=replay.state)
    return _view(replay)


def _view(replay: Replay) -> ReplayView:
    offsets = zip(replay.first_offsets, replay.next_offsets, replay.until_offsets, strict=True)
    return ReplayView(
        id=replay.id,
        topic=replay.topic,
        state=replay.state,
        who=replay.who,
        reason=replay.reason,
        keys=list(replay.keys),
        types=list(replay.types),
        per_s=replay.per_s,
        partitions=[
            Progress(partition=number, first=first, next=following, until=until)
            for number, (first, following, until) in enumerate(offsets)
            if until > first
        ],
        sent=replay.sent,
        passed=replay.passed,
        skipped=replay.skipped,
        problem=replay.problem,
        created_at=replay.created_at,
        ended_at=replay.ended_at,
    )
