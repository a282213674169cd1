"""Partitions that move between processes: nothing is handled twice, nothing is lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from sagaline.chassis.batch import Cursors, Raw
from sagaline.chassis.catalog import Message
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.database import Transaction
from sagaline.chassis.inbox import Inbox
from sagaline.testing.runtime import APP, TestServer
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage, running

ORDERS = range(1, 41)


class Late:
    """An inbox that opens its first transaction only when it is let: its process hangs."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.in_hand = asyncio.Event()
        self.go_on = asyncio.Event()
        self.outcome: BaseException | None = None

    async def handle(self, batch: Sequence[Raw], cursors: Cursors) -> None:
        self.in_hand.set()
        await self.go_on.wait()
        try:
            await self._inbox.handle(batch, cursors)
        except BaseException as error:
            self.outcome = error
            raise


async def handled_once(stage: Stage, orders: Sequence[int] = ORDERS) -> None:
    assert await stage.effects() == {(number, "reserved"): 1 for number in orders}
    answers = [each.order for each in await stage.answers()]
    assert sorted(answers) == sorted(orders)


def owned(consumer: Consumer) -> int:
    """How many partitions the consumer has claimed."""
    return len(consumer._session._holding.cursors.epochs) if consumer._session else 0


async def test_two_processes_share_the_partitions_and_one_leaves(stage: Stage) -> None:
    async with stage.consuming(slot=0) as stays:
        async with stage.consuming(slot=1) as leaves:
            await eventually(lambda: (owned(stays), owned(leaves)) == (2, 2), what="shared")
            await stage.send(*(stage.action(number) for number in ORDERS[:20]))
            await stage.all_read()
            rows = await stage.query("SELECT DISTINCT owner FROM sagaline.positions")
            assert {owner for (owner,) in rows} == {f"{stage.service}-{slot}" for slot in (0, 1)}
        await stage.send(*(stage.action(number) for number in ORDERS[20:]))
        await stage.all_read()
        assert owned(stays) == 4
        assert set((await stage.committed()).values()) == {0}  # the answers wait, all of them
    await handled_once(stage)
    assert set(await stage.query("SELECT owner FROM sagaline.positions")) == {(None,)}


async def test_a_batch_in_hand_ends_before_its_partitions_move(stage: Stage) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_tx: Transaction, _batch: Sequence[Message]) -> None:
        entered.set()
        await go_on.wait()

    stage.shop.before = wait
    await stage.send(*(stage.action(number) for number in ORDERS))
    async with stage.consuming(slot=0, batch_rows_max=10) as first:
        await entered.wait()
        async with stage.consuming(slot=1, batch_rows_max=10) as second:
            go_on.set()
            await stage.all_read()
            await eventually(lambda: (owned(first), owned(second)) == (2, 2), what="shared")
    await handled_once(stage)


async def test_a_process_that_hung_before_its_transaction_is_fenced(stage: Stage) -> None:
    await stage.send(*(stage.action(number) for number in ORDERS))
    zombie = stage.consumer(slot=0)
    late = Late(zombie._inbox)
    zombie._inbox = late  # type: ignore[assignment]  # a wrapper of what it stands for
    async with hung(zombie) as stopping:
        await late.in_hand.wait()
        async with stage.consuming(slot=0):  # it was started anew: the group's same member
            await stage.all_read()
            await handled_once(stage)
            stopping.set()
            late.go_on.set()
            await eventually(lambda: late.outcome, what="the zombie's end")
    assert type(late.outcome).__name__ in ("Fenced", "CancelledError")
    await handled_once(stage)


async def test_a_batch_that_outlives_a_rebalance_costs_its_process_no_partition(
    stage: Stage,
) -> None:
    await stage.send(*(stage.action(number) for number in ORDERS))
    slow = stage.consumer(slot=0)
    late = Late(slow._inbox)
    slow._inbox = late  # type: ignore[assignment]  # a wrapper of what it stands for
    async with running(slow):
        await late.in_hand.wait()
        async with stage.consuming(slot=1) as other:
            await eventually(lambda: owned(other) == 2, what="shared", within_s=30)
            late.go_on.set()
            await eventually(lambda: owned(slow) == 2, what="the others are held", within_s=30)
            await stage.all_read(within_s=30)
    await handled_once(stage)


async def test_a_process_that_hangs_in_its_transaction_holds_its_successor(stage: Stage) -> None:
    # The claim waits for the row that the batch has locked; what commits before it, counts.
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_tx: Transaction, _batch: Sequence[Message]) -> None:
        entered.set()
        await go_on.wait()

    stage.shop.before = wait
    await stage.send(*(stage.action(number) for number in ORDERS))
    async with hung(stage.consumer(slot=0)) as stopping:
        await entered.wait()
        async with stage.consuming(slot=0):
            await stage.wait_for_locks(1)
            stopping.set()
            go_on.set()
            await stage.all_read()
    await handled_once(stage)


async def test_a_stopped_process_gives_its_locks_back_and_wakes_up_fenced(
    stage: Stage, postgres_server: TestServer
) -> None:
    postgres_server.execute(
        f"ALTER ROLE {APP} IN DATABASE {stage.service}"
        " SET idle_in_transaction_session_timeout = '1s'"
    )
    await stage.send(*(stage.action(number) for number in ORDERS))
    arguments = ("-m", __name__, stage.service, stage.url, stage.bootstrap)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"in hand\n"  # and then it stopped itself
        async with stage.consuming(slot=1):
            await stage.all_read(within_s=20)
            await handled_once(stage)
            process.send_signal(signal.SIGCONT)
            assert await process.stdout.readline() == b"awake\n"
            await stage.send(*(stage.action(number) for number in range(41, 61)))
            await stage.all_read(within_s=20)
        process.send_signal(signal.SIGTERM)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await stage.effects() == {(number, "reserved"): 1 for number in range(1, 61)}
    assert await stage.parked() == []


async def test_partitions_that_come_while_a_claim_waits(
    stage: Stage, postgres_server: TestServer
) -> None:
    # Slot 0 waits for the lock of a position, for longer than a revoke waits for it, and gets all
    # partitions meanwhile. The claim that ends late does not stand for those that came since.
    await stage.handle_all(*(stage.action(number) for number in ORDERS))
    locks = await asyncpg.connect(postgres_server.url(stage.service, "postgres"))
    early, late = stage.consumer(slot=1), stage.consumer(slot=0, revoke_timeout_ms=100)
    async with hung(late), hung(early) as leave:
        await eventually(lambda: (owned(early), owned(late)) == (2, 2), what="shared")
        await locks.execute("BEGIN; SELECT 1 FROM sagaline.positions FOR UPDATE")
        late_session = late._session
        assert late_session is not None
        holding = late_session._holding
        holding.unclaimed = set(holding.fetched)  # as when it was fenced
        late_session._work.set()
        await stage.wait_for_locks(1)
        leave.set()
        await eventually(lambda: assigned(late) == 4, what="all are assigned to slot 0")
        await locks.execute("ROLLBACK")
        await stage.send(*(stage.action(number) for number in range(41, 61)))
        await stage.all_read()
    await locks.close()
    await handled_once(stage, range(1, 61))


def assigned(consumer: Consumer) -> int:
    return len(consumer._session._kafka.assignment()) if consumer._session else 0


@asynccontextmanager
async def hung(consumer: Consumer) -> AsyncIterator[asyncio.Event]:
    """A consumer that goes its way beside the block, until the event is set."""
    stopping = asyncio.Event()
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield stopping
    finally:
        stopping.set()
        await asyncio.wait_for(task, 20)


async def stopped_process(service: str, url: str, bootstrap: str) -> None:
    """A process that is stopped in mid-batch, and goes on as if nothing were."""
    stage = Stage(service, url, bootstrap)

    async def stop_here(_tx: Transaction, _batch: Sequence[Message]) -> None:
        sys.stdout.write("in hand\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSTOP)
        sys.stdout.write("awake\n")
        sys.stdout.flush()

    stage.shop.after = once(stop_here)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await stage.consumer(slot=0).run(stopping)
    await stage.close()


if __name__ == "__main__":
    asyncio.run(stopped_process(*sys.argv[1:]))
