"""A record that kills the process is found and parked; whoever stops processes blames none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from sagaline.chassis import positions, wiring
from sagaline.chassis.batch import Cursors, Raw
from sagaline.chassis.catalog import Message
from sagaline.chassis.caution import Caution
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.errors import ProviderUnavailable
from tests.integration.chassis.parcels import Parcel
from tests.integration.chassis.stage import Stage

ATTEMPTS_MAX = 2
WHY = {"provider": "the bank", "reason": "it is closed"}
SAME_PARTITION = (1, 5, 9, 13, 17)


class Killed(BaseException):
    """The process ends here; what was not committed never happened."""


class Lives(Database):
    """One process after another reads the same log: what each has in hand, and how it ends.

    As a database it is the stage's, but for a process that was killed: that does nothing any more.
    """

    def __init__(self, stage: Stage, *parcels: Parcel) -> None:
        self.stage = stage
        self.killed = False
        self.consumes = {stage.commands: stage.shop.handlers}
        self.log = [
            Raw(stage.commands, parcel.partition, offset, parcel.key, parcel.headers, parcel.value)
            for offset, parcel in enumerate(parcels)
        ]

    def kill(self) -> None:
        """The process that lives now ends here."""
        self.killed = True
        raise Killed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if self.killed:
            raise Killed
        async with self.stage.database.transaction() as tx:
            yield tx

    async def live(self, *, owner: str = "a process") -> Cursors:
        """A process claims the partitions and handles all that is left. Raises Killed."""
        self.killed = False
        inbox = wiring.inbox_of(self.stage.running(database=self), self.consumes)
        caution = Caution(inbox, self, attempts_max=ATTEMPTS_MAX)
        cursors = Cursors(passed=lambda _spans, _outbox_id: None)
        starts = {(raw.topic, raw.partition): 0 for raw in self.log}
        async with self.stage.database.transaction() as tx:
            cursors.set(await positions.claim(tx, starts, owner=owner))
        if left := cursors.left_of(self.log):
            await caution.handle(left, cursors)
        return cursors

    async def end_cleanly(self, cursors: Cursors) -> None:
        async with self.stage.database.transaction() as tx:
            await positions.release(tx, cursors.epochs)

    async def live_on(self, *, lives_max: int) -> int:
        """Processes are started until one has handled everything: how many were killed."""
        for killed in range(lives_max):
            try:
                await self.live()
            except Killed:
                continue
            return killed
        raise AssertionError(f"not done after {lives_max} lives")


def numbers(batch: Sequence[Message]) -> list[int]:
    return [getattr(each, "order_id").int for each in batch]  # noqa: B009  # any command has one


async def test_a_record_that_kills_the_process_is_parked_and_the_others_are_handled(
    stage: Stage,
) -> None:
    lives = Lives(stage, *(stage.action(number) for number in SAME_PARTITION))

    async def kills(_tx: Transaction, batch: Sequence[Message]) -> None:
        if 9 in numbers(batch):
            lives.kill()

    stage.shop.after = kills
    await lives.live_on(lives_max=8)
    assert await stage.parked() == [(9, "KilledProcess")]
    assert await stage.outcomes(9) == ["parked"]
    assert await stage.effects() == {(n, "reserved"): 1 for n in SAME_PARTITION if n != 9}


async def test_three_kills_while_the_same_batch_is_in_hand_blame_nobody(stage: Stage) -> None:
    lives = Lives(stage, *(stage.action(number) for number in SAME_PARTITION))
    kills_left = 3

    async def is_killed(_tx: Transaction, _batch: Sequence[Message]) -> None:
        nonlocal kills_left
        if kills_left:
            kills_left -= 1
            lives.kill()

    stage.shop.after = is_killed
    assert await lives.live_on(lives_max=4) == 3
    assert await stage.parked() == []
    assert await stage.effects() == {(n, "reserved"): 1 for n in SAME_PARTITION}


async def test_only_what_is_in_a_suspected_partition_is_tried_alone(stage: Stage) -> None:
    lives = Lives(stage, *(stage.action(number) for number in (1, 5, 9)))
    kills_left = 2

    async def is_killed(_tx: Transaction, _batch: Sequence[Message]) -> None:
        nonlocal kills_left
        if kills_left:
            kills_left -= 1
            lives.kill()

    stage.shop.after = is_killed
    assert await lives.live_on(lives_max=3) == 2
    assert stage.shop.batches[-3:] == [[1], [5], [9]]

    # The suspicion ended with that batch.
    later = Lives(stage, *(stage.action(number) for number in (1, 5, 9, 13, 17)))
    cursors = await later.live()
    assert sorted(stage.shop.batches[-1]) == [13, 17]
    await later.end_cleanly(cursors)


async def test_clean_ends_raise_no_suspicion(stage: Stage) -> None:
    nothing = Lives(stage, stage.action(1))
    for _ in range(3):
        await nothing.end_cleanly(await nothing.live())
    cursors = await nothing.live()
    assert cursors.suspects == set()


@pytest.mark.parametrize("end", [ProviderUnavailable, asyncio.CancelledError])
async def test_an_outage_or_a_stop_is_no_attempt(stage: Stage, end: type[BaseException]) -> None:
    lives = Lives(stage, *(stage.action(number) for number in SAME_PARTITION))
    kills_left = 2
    failures_left = 5 * ATTEMPTS_MAX

    async def fails(_tx: Transaction, _batch: Sequence[Message]) -> None:
        nonlocal kills_left, failures_left
        if kills_left:
            kills_left -= 1
            lives.kill()
        if failures_left:
            failures_left -= 1
            raise end(**({} if end is asyncio.CancelledError else WHY))

    stage.shop.after = fails
    for _ in range(2):
        with pytest.raises(Killed):
            await lives.live()
    while failures_left:  # each time in a new process, which finds the partition with an owner
        with pytest.raises(end):
            await lives.live()
    await lives.live()
    assert await stage.parked() == []
    assert await stage.effects() == {(n, "reserved"): 1 for n in SAME_PARTITION}
