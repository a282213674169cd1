"""Calls end by the deadlines that others count on, or are not begun."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sagaline.chassis.breaker import Breaker
from sagaline.chassis.calls import Calls
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Call, Effect, Port
from sagaline.chassis.errands import Errand
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from schemas.messages import CapturePayment

PORT = Port(name="bank", timeout_ms=1_000, failures_max=100)
PLACE = ("payments.commands.v1", 0, 7)
ROW = (UUID(int=2), "capture_payment", "action")


class Clock:
    """The time, as a test sets it; and what was reported."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.hows: list[str] = []

    def called(self, port: Port, *, how: str, seconds: float) -> None:
        assert port is PORT
        assert seconds >= 0
        self.hows.append(how)

    def calls(self) -> Calls:
        def now() -> float:
            return self.now_s

        breakers = {PORT.name: Breaker(PORT, clock_s=now)}
        return Calls(breakers, attempts_max=3, clock_s=now, tally=self)


class Bank:
    """Answers as it is told to, and counts."""

    def __init__(self, answer: object = "charged") -> None:
        self.answer = answer
        self.called = 0

    async def call(self, _call: Call[CapturePayment]) -> object:
        self.called += 1
        if self.answer == "never":
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def errand(self) -> Errand:
        effect = Effect(port=PORT, call=self.call, settle=settle)
        call = Call(UUID(int=3), CapturePayment(order_id=UUID(int=1)))
        return Errand(PLACE, ROW, 1, effect, call, fresh=True, overdue=False)


async def settle(
    tx: Transaction, batch: Sequence[CapturePayment], results: Sequence[object]
) -> Sequence[Message]:
    raise AssertionError("nothing is settled here")


async def test_a_call_in_time_gives_its_result() -> None:
    bank, clock = Bank(), Clock()
    outcomes = await clock.calls().do([bank.errand()], since_s=99.5)
    assert outcomes.results == {ROW: "charged"}
    assert clock.hows == ["answered"]


async def test_a_process_that_stood_still_does_not_begin_a_call_after_its_deadline() -> None:
    bank, clock = Bank(), Clock()
    outcomes = await clock.calls().do([bank.errand()], since_s=98.9)
    assert isinstance(outcomes.away[PLACE], Overtaken)
    assert (bank.called, clock.hows) == (0, [])


async def test_a_call_ends_at_its_deadline_and_passes() -> None:
    bank, clock = Bank("never"), Clock()
    outcomes = await clock.calls().do([bank.errand()], since_s=99.05)
    assert isinstance(outcomes.away[PLACE], ProviderUnavailable)
    assert (bank.called, clock.hows) == (1, ["unavailable"])


async def test_a_fault_is_tried_a_few_times_and_then_blamed() -> None:
    bank, clock = Bank(ValueError("no such currency")), Clock()
    outcomes = await clock.calls().do([bank.errand()], since_s=100)
    assert isinstance(outcomes.failed[PLACE], ValueError)
    assert (bank.called, outcomes.away) == (3, {})


async def test_a_call_without_a_result_is_a_fault() -> None:
    # None is what `ask` says where there was no call: it would be called for ever.
    outcomes = await Clock().calls().do([Bank(None).errand()], since_s=100)
    assert isinstance(outcomes.failed[PLACE], AssertionError)
