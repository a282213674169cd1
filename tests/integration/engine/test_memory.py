"""What an engine remembers of sagas: never more than what stands in their rows."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from saga_orchestrator.sagas.place_order import PLACE_ORDER
from saga_orchestrator.service import service
from saga_orchestrator.settings import OrchestratorSettings
from sagaline.chassis import main
from sagaline.chassis.envelope import Record
from sagaline.chassis.faults import passing
from sagaline.chassis.messages import Notice
from sagaline.engine import store
from sagaline.engine.history import Entry, events_to_json, folded, input_to_json
from sagaline.engine.state import SagaState, SagaStatus, new_saga
from sagaline.testing.runtime import OWNER, TestServer
from schemas.messages import PlaceOrder
from tests.integration.engine.processes import Process, replied, start, without_times, yes
from tests.integration.engine.stage import placed, saga_of

TIMER = "SELECT 1 FROM saga WHERE saga_id = $1 AND timer_at IS NOT NULL"
COURSE = tuple(
    step.name for group in PLACE_ORDER.groups for step in group
)  # every step of a saga that comes through


class Regretted(Exception):
    """The transaction fails after the engine has done its part."""


@pytest.fixture(scope="module")
def urls(postgres_server: TestServer) -> Iterator[tuple[str, str]]:
    """The addresses of two databases of an orchestrator, migrated."""
    names = ("memory_one", "memory_two")
    for name in names:
        postgres_server.create_database(name)
        settings = OrchestratorSettings.model_validate(
            {"migration_url": postgres_server.url(name, OWNER)}
        )
        asyncio.run(main.migrated(service(settings)))
    one, two = (postgres_server.url(name, "postgres") for name in names)
    yield one, two
    for name in names:
        postgres_server.drop_database(name)


@pytest.fixture
async def process(urls: tuple[str, str]) -> AsyncIterator[Process]:
    process = Process(urls[0])
    yield process
    await process.database.close()


@pytest.fixture
async def other(urls: tuple[str, str]) -> AsyncIterator[Process]:
    """Another process of the same service, on the same database."""
    other = Process(urls[0])
    yield other
    await other.database.close()


def planned(order: PlaceOrder) -> SagaState:
    return new_saga(PLACE_ORDER, saga_id=saga_of(order), key=str(order.order_id))


async def test_a_saga_under_way_is_read_from_its_row_once(process: Process) -> None:
    order = placed()
    await process.told(start(order))
    for step in COURSE:
        await process.told(yes(order, step))
    assert (process.loads.remembered, process.loads.read) == (len(COURSE), 0)


async def test_two_processes_in_turns_each_see_what_the_other_did(
    process: Process, other: Process
) -> None:
    order = placed()
    await process.told(start(order))
    for step, turn in zip(COURSE, (other, process) * len(COURSE), strict=False):
        await turn.told(yes(order, step))
    assert process.loads.remembered + other.loads.remembered == 0
    assert (await other.state(order)).status is SagaStatus.COMPLETED
    assert folded(planned(order), await other.history(order)) == await process.state(order)


async def test_what_was_rolled_back_is_not_remembered_and_comes_again(process: Process) -> None:
    order = placed()
    await process.told(start(order))
    before = await process.state(order)

    async def regret() -> None:
        async with process.database.transaction() as tx:
            await process.handle(tx, [yes(order, COURSE[0])])
            raise Regretted

    with pytest.raises(Regretted):
        await regret()
    assert (len(process.memory), process.loads.inputs) == (0, 1)
    assert await process.state(order) == before
    await process.told(yes(order, COURSE[0]))
    assert len(await process.history(order)) == 2
    assert folded(planned(order), await process.history(order)) == await process.state(order)


async def test_what_a_lost_commit_left_is_read_from_the_row(process: Process) -> None:
    order = placed()
    await process.told(start(order))

    async def lose() -> None:
        async with process.database.transaction() as tx:
            await process.handle(tx, [yes(order, COURSE[0])])
            await process.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises(Exception) as lost:
        await lose()
    assert passing(lost.value)
    assert len(process.memory) == 0
    await process.told(yes(order, COURSE[0]))
    assert len(await process.history(order)) == 2


async def test_the_saga_written_longest_ago_is_forgotten_first(urls: tuple[str, str]) -> None:
    process = Process(urls[0], sagas_max=2)
    first, second, third = placed(), placed(), placed()
    for order in (first, second):
        await process.told(start(order))
    await process.told(yes(first, COURSE[0]))
    await process.told(start(third))
    assert len(process.memory) == 2
    process.loads.remembered = 0
    await process.told(yes(first, COURSE[1]), yes(third, COURSE[0]))
    assert (process.loads.remembered, process.loads.read) == (2, 0)
    await process.told(yes(second, COURSE[0]))
    assert (process.loads.remembered, process.loads.read) == (2, 1)
    await process.database.close()


async def test_a_saga_that_has_ended_is_not_kept(process: Process) -> None:
    order = placed()
    await process.told(start(order))
    for step in COURSE:
        assert len(process.memory) == 1
        await process.told(yes(order, step))
    assert len(process.memory) == 0


async def test_a_saga_that_has_ended_has_no_timer(process: Process) -> None:
    order = placed()
    await process.told(start(order))
    for step in COURSE:
        assert await process.query(TIMER, saga_of(order))
        await process.told(yes(order, step))
    assert not await process.query(TIMER, saga_of(order))


async def test_a_row_changed_by_hand_is_what_the_saga_goes_on_from(process: Process) -> None:
    order = placed()
    await process.told(start(order))
    await process.by_hand(order, "by hand", further=1)
    await process.told(yes(order, COURSE[0]))
    assert (await process.state(order)).steps["create_order"].detail == "by hand"


async def test_a_row_set_back_and_grown_anew_to_the_same_version_is_another_saga(
    process: Process,
) -> None:
    order = placed()
    await process.told(start(order))
    await process.by_hand(order, "another")
    await process.query(
        "UPDATE saga SET updated_at = updated_at - interval '1 second' WHERE saga_id = $1",
        saga_of(order),
    )
    await process.told(yes(order, COURSE[0]))
    assert (await process.state(order)).steps["create_order"].detail == "another"


def happenings(orders: list[PlaceOrder], rng: random.Random) -> Iterator[list[Record]]:
    """Batches in which anybody says anything, most of it when it is due, some of it twice."""
    sayings = [start(order) for order in orders]
    for order in orders:
        for step in PLACE_ORDER.by_name:
            no = Notice(code="no", detail="says the test")
            sayings.append(yes(order, step))
            sayings.append(replied(order, step, no, outcome="undo_noop", direction="undo"))
            if rng.random() < 0.1:
                sayings.append(replied(order, step, no, outcome="blocked"))
    yield [start(order) for order in orders]
    for _ in range(30):
        yield [rng.choice(sayings) for _ in range(rng.randint(1, 12))]
    for order in orders:
        for step in COURSE:
            yield [yes(order, step)]


def plain(history: list[Entry]) -> list[object]:
    """What was accepted and what came of it, whenever that was."""
    accepted = [(input_to_json(e.received), events_to_json(e.events)) for e in history]
    return [[received, without_times(events)] for received, events in accepted]


async def test_with_and_without_memory_the_same_rows_and_histories_come_out(
    urls: tuple[str, str],
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    orders = [placed() for _ in range(6)]
    remembers, reads = Process(urls[0], sagas_max=4), Process(urls[1], sagas_max=0)
    for batch in happenings(orders, random.Random(seed)):
        for process in (remembers, reads):
            await process.told(*batch)
    assert remembers.loads.remembered
    assert not reads.loads.remembered
    for order in orders:
        assert await remembers.row(order) == await reads.row(order)
        told = []
        for process in (remembers, reads):
            history = await process.history(order)
            assert folded(planned(order), history) == await process.state(order)
            told.append(
                [
                    (input_to_json(e.received), without_times(events_to_json(e.events)))
                    for e in history
                ]
            )
        assert told[0] == told[1]
    for process in (remembers, reads):
        await process.database.close()


async def test_a_long_history_is_folded_from_the_state_that_its_row_got(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLDED_MAX", 6)
    process, order = Process(urls[0], sagas_max=0), placed()
    await process.told(start(order))
    kept = []
    for step in COURSE:
        await process.told(yes(order, step))
        kept.append((await process.row(order))["state_version"])
        history = await process.history(order)
        assert await process.state(order) == folded(planned(order), history)
    versions = [len(list(entry.events)) for entry in await process.history(order)]
    assert len(set(kept)) > 2
    assert sum(versions) - int(str(kept[-1])) <= 6
    await process.database.close()
