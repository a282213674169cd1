"""The group's committed offset says: everything before it is answered."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from sagaline.chassis import offsets
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Outgoing, Record
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage


class Looks:
    """Counts the looks at the outbox, and can hold one up after it has seen what it saw."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.held = asyncio.Event()
        self._hold = False
        self._go_on = asyncio.Event()
        self._look = offsets.lowest_waiting
        monkeypatch.setattr(offsets, "lowest_waiting", self._lowest_waiting)

    def hold(self) -> None:
        self._hold = True

    def go_on(self) -> None:
        self._hold = False
        self._go_on.set()

    async def more(self, count: int, *, unless: Callable[[], bool] = lambda: False) -> None:
        """So many more looks are over, and what they found is committed, if anything."""
        until = self.count + count + 1
        await eventually(lambda: self.count >= until or unless(), what="looks at the outbox")

    async def _lowest_waiting(self, tx: Transaction) -> int | None:
        self.count += 1
        lowest = await self._look(tx)
        if self._hold:
            self.held.set()
            await self._go_on.wait()
        return lowest


async def test_it_stays_until_the_answers_are_sent_and_follows_when_idle(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    async with stage.consuming(commit_interval_ms=500):  # as in production
        await stage.send(stage.action(1), stage.action(2), stage.action(5))
        await stage.all_read()
        await looks.more(2)
        assert set((await stage.committed()).values()) == {0}
        await stage.relay_everything()
        await eventually(lambda: committed(stage, {1: 2, 2: 1}), what="committed")


async def test_it_passes_what_left_nothing_to_send(stage: Stage) -> None:
    async def silent(_tx: Transaction, _records: Sequence[Record]) -> Sequence[Outgoing]:
        return []

    async with stage.consuming(consumes={stage.commands: silent}):
        await stage.send(stage.action(1), stage.action(2))
        await eventually(lambda: committed(stage, {1: 1, 2: 1}), what="committed")


async def test_it_passes_quarantined_answers(stage: Stage) -> None:
    async with stage.consuming():
        await stage.send(stage.action(1))
        await stage.all_read()
        await stage.query("UPDATE sagaline.outbox SET quarantined_at = now(), error = 'too large'")
        await eventually(lambda: committed(stage, {1: 1}), what="committed")


async def test_after_a_restart_it_waits_for_the_answers_of_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.handle_all(stage.action(1))
    looks = Looks(monkeypatch)
    async with stage.consuming():
        await looks.more(2)
        assert (await stage.committed())[1] == 0
        await stage.relay_everything()
        await eventually(lambda: committed(stage, {1: 1}), what="committed")


async def test_a_batch_that_commits_during_the_look_at_the_outbox(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    looks.hold()
    async with stage.consuming() as consumer:
        await stage.send(stage.action(1))
        await looks.held.wait()  # it saw an empty outbox
        await stage.all_read()
        looks.go_on()
        await looks.more(2, unless=lambda: all_committed(consumer))
        assert (await stage.committed()).get(1, 0) == 0
        await stage.relay_everything()
        await eventually(lambda: committed(stage, {1: 1}), what="committed")


async def committed(stage: Stage, expected: dict[int, int]) -> bool:
    """These are the committed offsets; partitions that were never written stand at 0."""
    found = await stage.committed()
    return {partition: at for partition, at in found.items() if at} == expected


def all_committed(consumer: Consumer) -> bool:
    """The consumer has nothing left to commit."""
    session = consumer._session
    return session is not None and not session._offsets
