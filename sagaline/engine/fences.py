"""Fences: a timer never outruns a message.

See docs/architecture.md, "Timers". Time is up only for a command that its participant has had and
answered, with every answer that it can have sent read here. The fence of a command is therefore a
chain: out of the outbox; the participant's committed offset past the end that its log had then;
our positions past the ends that the replies' log had after that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast
from uuid import UUID

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.envelope import command_id
from sagaline.chassis.positions import Partition
from sagaline.engine.broker import Broker
from sagaline.engine.codec import Plain
from sagaline.engine.held import Held
from sagaline.engine.sent import command_topic
from sagaline.engine.state import SagaState, StepState

UNPUBLISHED = """
    SELECT message_id, bool_or(quarantined_at IS NOT NULL) AS quarantined
    FROM sagaline.outbox WHERE message_id = ANY($1::uuid[]) GROUP BY message_id
"""

PARKED = """
    SELECT DISTINCT key FROM sagaline.parked WHERE key = ANY($1::text[])
"""

POSITIONS = """
    SELECT topic, partition, next_offset FROM sagaline.positions
    WHERE topic = ANY($1::text[])
"""


class Verdict(Enum):
    """What a due timer may do."""

    FIRE = "fire"  # the participant has had the command, and no answer is on its way
    DELAY = "delay"  # it can't have answered: the attempt's time starts anew
    STALL = "stall"  # the same, and only an operator gets it going
    WAIT = "wait"  # an answer may be on its way to us: look again in a moment


@dataclass(frozen=True, slots=True)
class Fence:
    """One command's chain; `command_end` and `reply_end` are what it has to be waited for."""

    key: str
    command: UUID
    group: str
    command_topic: str
    replies_topic: str
    command_end: int | None = None
    reply_end: int | None = None
    verdict: Verdict = Verdict.WAIT

    def plain(self) -> Plain:
        """What the timer's row keeps of it."""
        return {"command_end": self.command_end, "reply_end": self.reply_end}


def fence_id(step: StepState) -> str:
    """The command, and which sending of it."""
    return f"{step.name}/{step.direction}/{step.generation}/{step.attempt}"


def fence(held: Held, step: StepState, catalog: Catalog) -> Fence:
    """The fence of a step's newest command, as far as the timer's row has seen it."""
    state: SagaState = held.state
    topic = catalog.topics[command_topic(state, step.name, catalog)]
    seen: Mapping[str, Plain] = {}
    if held.timer is not None:
        seen = held.timer.seen(fence_id(step))
    return Fence(
        key=state.key,
        command=command_id(state.saga_id, step.name, step.direction, step.generation),
        group=topic.readers[0],
        command_topic=topic.name,
        replies_topic=catalog.topic_of(step.plan.action.replies[0]).name,
        command_end=cast(int | None, seen.get("command_end")),
        reply_end=cast(int | None, seen.get("reply_end")),
    )


class Fences:
    """Walks fences as far as they go now, a set at a time; no lock is held meanwhile."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database = database
        self._broker = broker

    async def examine(self, fences: Sequence[Fence]) -> list[Fence]:
        """Each fence with its verdict. Raises KafkaError or TimeoutError when Kafka is away."""
        async with self._database.transaction() as tx:
            fences = await _out_of_the_outbox(tx, fences)
        published = await self._past_the_participant(
            [each for each in fences if each.verdict is Verdict.WAIT]
        )
        replied = await self._past_our_positions(published)
        by_command = {each.command: each for each in replied}
        walked = [by_command.get(each.command, each) for each in fences]
        async with self._database.transaction() as tx:
            # Last: an input that our positions are past by now may have been parked meanwhile.
            return await _unless_parked(tx, walked)

    async def _past_the_participant(self, fences: Sequence[Fence]) -> list[Fence]:
        """DELAY where the participant has yet to answer what its log held."""
        places = [await self._broker.partition(each.command_topic, each.key) for each in fences]
        ends = await self._broker.ends(
            {p for p, each in zip(places, fences, strict=True) if each.command_end is None}
        )
        wanted: dict[str, set[Partition]] = {}
        for place, each in zip(places, fences, strict=True):
            wanted.setdefault(each.group, set()).add(place)
        committed = await self._broker.committed(wanted) if wanted else {}
        seen: list[Fence] = []
        for place, each in zip(places, fences, strict=True):
            end = ends[place] if each.command_end is None else each.command_end
            # An offset that nobody knows proves nothing.
            answered = committed.get(place, -1) >= end
            verdict = Verdict.WAIT if answered else Verdict.DELAY
            seen.append(replace(each, command_end=end, verdict=verdict))
        return seen

    async def _past_our_positions(self, fences: Sequence[Fence]) -> list[Fence]:
        """FIRE where all replies that the participant can have sent were handled here."""
        waiting = [each for each in fences if each.verdict is Verdict.WAIT]
        places = [await self._broker.partition(each.replies_topic, each.key) for each in waiting]
        ends = await self._broker.ends(
            {p for p, each in zip(places, waiting, strict=True) if each.reply_end is None}
        )
        positions = await self._positions({topic for topic, _ in places}) if places else {}
        seen = {each.command: each for each in fences}
        for place, each in zip(places, waiting, strict=True):
            end = ends[place] if each.reply_end is None else each.reply_end
            handled = positions.get(place, -1) >= end
            verdict = Verdict.FIRE if handled else Verdict.WAIT
            seen[each.command] = replace(each, reply_end=end, verdict=verdict)
        return list(seen.values())

    async def _positions(self, topics: Collection[str]) -> dict[Partition, int]:
        async with self._database.transaction() as tx:
            rows = await tx.fetch(POSITIONS, sorted(topics))
            return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _out_of_the_outbox(tx: Transaction, fences: Sequence[Fence]) -> list[Fence]:
    """DELAY where the command is not published yet, STALL where it is quarantined."""
    rows = await tx.fetch(UNPUBLISHED, [each.command for each in fences])
    quarantined = {row["message_id"]: row["quarantined"] for row in rows}
    verdicts = {None: Verdict.WAIT, False: Verdict.DELAY, True: Verdict.STALL}
    return [replace(e, verdict=verdicts[quarantined.get(e.command)]) for e in fences]


async def _unless_parked(tx: Transaction, fences: Sequence[Fence]) -> list[Fence]:
    """STALL where an input of the command's saga is parked."""
    rows = await tx.fetch(PARKED, sorted({each.key for each in fences}))
    parked = {row["key"] for row in rows}
    return [replace(e, verdict=Verdict.STALL) if e.key in parked else e for e in fences]
