"""What a batch needs of the outside, got between its two transactions.

See docs/architecture.md, "Effects". The first transaction moves no position. So whatever happens
before the second one has committed, the records come again, and find their intents.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from sagaline.chassis import intents
from sagaline.chassis.batch import Cursors, Raw, halves, header, place_of
from sagaline.chassis.calls import Calls
from sagaline.chassis.commands import Commands
from sagaline.chassis.database import Database
from sagaline.chassis.errands import Errand, Outcomes
from sagaline.chassis.errors import Overtaken
from sagaline.chassis.faults import passing
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.intending import conclude, intend
from sagaline.chassis.positions import Fenced, Partition
from sagaline.chassis.prepared import Prepared
from sagaline.chassis.tracing import UNTRACED

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans


class Outside:
    """Has an inbox's effects called for, at most `calls_max` side by side."""

    def __init__(
        self,
        database: Database,
        commands: Mapping[str, Commands],
        calls: Calls,
        *,
        calls_max: int,
        attempts_max: int,
        clock_s: Callable[[], float],
        spans: "Spans | None" = None,
    ) -> None:
        self._database = database
        self._commands = commands
        self._calls = calls
        self._calls_max = calls_max
        self._attempts_max = attempts_max
        self._clock_s = clock_s
        self._spans = spans

    async def handle(self, inbox: Inbox, batch: Sequence[Raw], cursors: Cursors) -> None:
        """All of `batch` is committed by `inbox`, with the results of the calls that it needs.

        Raises as Inbox.handle does. Where a call got no result, what doesn't stand behind it is
        committed first: a neighbour's call is not made again for it.
        """
        ordered = sorted(batch, key=place_of)
        for start in range(0, len(ordered), self._calls_max):
            if cursors.leaving:
                raise Overtaken  # calls that end after the release would be made twice
            await self._part(inbox, ordered[start : start + self._calls_max], cursors)

    async def get_for(self, inbox: Inbox, raw: Raw) -> Prepared:
        """The results of the calls that this record needs, which a batch left behind."""
        outcomes = await self._outcomes(inbox, [raw], None)
        for error in (*outcomes.failed.values(), *outcomes.away.values()):
            raise error
        return Prepared(outcomes.results)

    async def _part(self, inbox: Inbox, part: Sequence[Raw], cursors: Cursors) -> None:
        try:
            outcomes = await self._outcomes(inbox, part, cursors)
        except Fenced:
            raise
        except Exception as error:  # an `intend` may raise anything; bisected, as in the inbox
            if passing(error):
                raise
            inbox.failed(part, error)
            if len(part) > 1:
                for half in halves(part):
                    await self._part(inbox, half, cursors)
                return
            outcomes = await self._alone(inbox, part, cursors, error)
        await _commit(inbox, part, cursors, outcomes)
        _raise_first(outcomes)

    async def _alone(
        self, inbox: Inbox, part: Sequence[Raw], cursors: Cursors, error: Exception
    ) -> Outcomes:
        """The record's first transaction fails by itself: try again, then blame it."""
        for _ in range(1, self._attempts_max):
            try:
                return await self._outcomes(inbox, part, cursors)
            except Fenced:
                raise
            except Exception as again:  # as above
                if passing(again):
                    raise
                inbox.failed(part, again)
                error = again
        return Outcomes(failed={place_of(part[0]): error})

    async def _outcomes(
        self, inbox: Inbox, part: Sequence[Raw], cursors: Cursors | None
    ) -> Outcomes:
        """Commit the intents, resolve what stands in their way, and make the calls."""
        ahead = cursors.ahead if cursors else ()
        todo = [raw for raw in part if place_of(raw) not in ahead]
        stopped = Outcomes()  # whose way could not be cleared
        while todo:
            errands: list[Errand] = []
            before: dict[str, Sequence[Errand]] = {}
            with self._tracing(todo):
                async with self._database.transaction() as tx:
                    standing = await inbox.standing(tx, todo, cursors)
                    since_s = self._clock_s()  # before the intents' deadlines begin
                    for topic, records in standing.items():
                        intended = await intend(tx, self._commands[topic], records)
                        errands += intended.errands
                        before |= {topic: intended.before} if intended.before else {}
            if not before:
                renew = partial(self._renew, inbox, todo, cursors)
                outcomes = await self._calls.do(errands, since_s=since_s, renew=renew)
                outcomes.failed.update(stopped.failed)
                outcomes.away.update(stopped.away)
                return outcomes
            await self._resolve(inbox, todo, cursors, before, stopped)
            todo = _beside(todo, stopped)
        return stopped

    def _tracing(self, raws: Sequence[Raw]) -> AbstractContextManager[None]:
        if self._spans is None:
            return UNTRACED
        return self._spans.joined("intend calls", (header(raw, "traceparent") for raw in raws))

    async def _renew(
        self, inbox: Inbox, part: Sequence[Raw], cursors: Cursors | None, errands: Sequence[Errand]
    ) -> float:
        """These may be called for again: the time from which their deadlines count."""
        # Fenced, too: whoever took the partition over may hold the old deadline for the last.
        async with self._database.transaction() as tx:
            await inbox.fence(tx, part, cursors)
            since_s = self._clock_s()
            await intents.renew(tx, {(each.row, each.effect.port.timeout_ms) for each in errands})
        return since_s

    async def _resolve(
        self,
        inbox: Inbox,
        part: Sequence[Raw],
        cursors: Cursors | None,
        before: Mapping[str, Sequence[Errand]],
        stopped: Outcomes,
    ) -> None:
        """No intent of these is open: each was settled, or is known not to have happened.

        Where that can't be found out, or not yet, `stopped` says why.
        """
        for topic, errands in before.items():
            outcomes = await self._calls.do(errands, since_s=self._clock_s())
            known = outcomes.results.keys() | outcomes.unknown
            async with self._database.transaction() as tx:
                await inbox.fence(tx, part, cursors)
                resolved = [errand for errand in errands if errand.row in known]
                await conclude(tx, self._commands[topic], resolved, outcomes.results)
            stopped.failed.update(outcomes.failed)
            stopped.away.update(outcomes.away)


def _beside(part: Sequence[Raw], stopped: Outcomes) -> list[Raw]:
    """What doesn't stand under the key of a record that was stopped."""
    places = stopped.failed.keys() | stopped.away.keys()
    keys = {(raw.topic, raw.key) for raw in part if place_of(raw) in places}
    return [raw for raw in part if (raw.topic, raw.key) not in keys]


def _raise_first(outcomes: Outcomes) -> None:
    for error in outcomes.away.values():
        raise error


async def _commit(inbox: Inbox, part: Sequence[Raw], cursors: Cursors, outcomes: Outcomes) -> None:
    """Commit what doesn't wait for a call, nor stands behind such a record under its key."""
    away = {(raw.topic, raw.key) for raw in part if place_of(raw) in outcomes.away}
    ready = [raw for raw in part if (raw.topic, raw.key) not in away]
    if all(place_of(raw) in cursors.ahead for raw in ready) and away:
        return  # all of it is committed already
    ends: dict[Partition, int] = {}
    for raw in part:
        if (raw.topic, raw.key) in away:
            ends.setdefault((raw.topic, raw.partition), raw.offset)
    await inbox.commit(ready, cursors, Prepared(outcomes.results, outcomes.failed, ends))
