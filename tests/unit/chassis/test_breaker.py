"""The breaker: a port that fails in a row is left alone, then probed by one call at a time."""

import asyncio

import pytest

from sagaline.chassis.breaker import Breaker
from sagaline.chassis.effects import Port
from sagaline.chassis.errors import Overtaken, ProviderUnavailable

PORT = Port(
    name="bank", timeout_ms=1_000, failures_max=3, pause_ms=100, pause_max_ms=300, calls_max=8
)


class Provider:
    """Something to call, that fails as a test says; `now_s` is the time."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0
        self.now_s = 0.0
        self.gate = asyncio.Event()
        self.gate.set()
        self.breaker = Breaker(PORT, clock_s=lambda: self.now_s)

    async def work(self) -> str:
        self.calls += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return "done"

    async def call(self) -> str:
        return await self.breaker.run(self.work)

    async def fails(self, count: int) -> None:
        self.error = ConnectionRefusedError("no bank there")
        for _ in range(count):
            with pytest.raises(ConnectionRefusedError):
                await self.call()


async def test_it_is_left_alone_after_failures_in_a_row() -> None:
    bank = Provider()
    await bank.fails(3)
    assert bank.breaker.problem == "no bank there"
    with pytest.raises(ProviderUnavailable, match="no bank there"):
        await bank.call()
    assert bank.calls == 3


async def test_what_nobody_has_tried_for_long_is_no_problem_any_more() -> None:
    # The records that were to be called for are parked, say, or their partitions moved away.
    bank = Provider()
    await bank.fails(3)
    bank.now_s = 1.39  # the pause, the longest pause, and the time that a probe may take
    assert bank.breaker.problem == "no bank there"
    bank.now_s = 1.41
    assert bank.breaker.problem is None
    await bank.fails(1)  # a probe
    assert bank.breaker.problem == "no bank there"


async def test_an_answer_in_between_begins_the_count_anew() -> None:
    bank = Provider()
    await bank.fails(2)
    bank.error = None
    assert await bank.call() == "done"
    await bank.fails(2)
    assert bank.breaker.problem is None


@pytest.mark.parametrize("error", [ValueError("a record's fault"), Overtaken()])
async def test_what_is_not_the_ports_fault_is_not_counted(error: Exception) -> None:
    bank = Provider()
    bank.error = error
    for _ in range(5):
        with pytest.raises(type(error)):
            await bank.call()
    assert bank.breaker.problem is None


async def test_after_the_pause_one_probes_and_the_others_go_by_what_it_finds() -> None:
    bank = Provider()
    await bank.fails(3)
    bank.now_s, bank.error = 0.1, None
    bank.gate.clear()
    calls = [asyncio.create_task(bank.call()) for _ in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert bank.calls == 4  # the probe alone
    bank.gate.set()
    assert await asyncio.gather(*calls) == ["done"] * 5
    assert bank.breaker.problem is None


async def test_a_probe_that_fails_is_the_only_one() -> None:
    bank = Provider()
    await bank.fails(3)
    bank.now_s = 0.1
    found = await asyncio.gather(*(bank.call() for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [ConnectionRefusedError] + [ProviderUnavailable] * 4
    assert bank.calls == 4


async def test_the_pause_doubles_up_to_its_limit() -> None:
    bank = Provider()
    await bank.fails(3)
    for pause_s in (0.1, 0.2, 0.3, 0.3):
        bank.now_s += pause_s - 0.01
        with pytest.raises(ProviderUnavailable):
            await bank.call()
        bank.now_s += 0.011
        with pytest.raises(ConnectionRefusedError):
            await bank.call()
    bank.now_s, bank.error = bank.now_s + 1, None
    await bank.call()
    await bank.fails(3)
    bank.now_s, bank.error = bank.now_s + 0.11, None  # the first pause again
    assert await bank.call() == "done"
