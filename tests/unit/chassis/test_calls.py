"""Calls end by the deadlines that others count on, or are not begun."""

import asyncio
from collections.abc import Callable, Sequence
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

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds

    def calls(self) -> Calls:
        def now() -> float:
            return self.now_s

        breakers = {PORT.name: Breaker(PORT, clock_s=now)}
        return Calls(breakers, attempts_max=3, clock_s=now, tally=self)


class Bank:
    """Gives one answer after another, the last for good; `passes` lets time pass at each call."""

    def __init__(self, *answers: object, passes: Callable[[], None] = lambda: None) -> None:
        self.answers = answers or ("charged",)
        self.passes = passes
        self.called = 0

    async def call(self, _call: Call[CapturePayment]) -> object:
        answer = self.answers[min(self.called, len(self.answers) - 1)]
        self.called += 1
        self.passes()
        if answer == "never":
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

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


async def test_a_fault_that_uses_up_its_time_is_blamed_all_the_same() -> None:
    # As if the last try had been the outage: it would begin anew, for ever, and hold up the rest.
    clock = Clock()
    bank = Bank(ValueError("no such currency"), passes=lambda: clock.pass_s(0.6))
    outcomes = await clock.calls().do([bank.errand()], since_s=100)
    assert isinstance(outcomes.failed[PLACE], ValueError)
    assert (bank.called, outcomes.away) == (2, {})


async def test_a_fault_whose_next_try_ends_at_the_deadline_is_blamed() -> None:
    bank, clock = Bank(ValueError("no such currency"), "never"), Clock()
    bank.passes = lambda: clock.pass_s(0.96 if bank.called == 1 else 0.05)
    outcomes = await clock.calls().do([bank.errand()], since_s=100)
    assert isinstance(outcomes.failed[PLACE], ValueError)
    assert (bank.called, outcomes.away) == (2, {})


async def test_a_fault_before_the_other_side_goes_away_is_not_blamed() -> None:
    bank, clock = Bank(ValueError("half an answer"), ConnectionRefusedError("no bank")), Clock()
    outcomes = await clock.calls().do([bank.errand()], since_s=100)
    assert isinstance(outcomes.away[PLACE], ConnectionRefusedError)
    assert (bank.called, outcomes.failed) == (2, {})


async def test_a_call_without_a_result_is_a_fault() -> None:
    # None is what `ask` says where there was no call: it would be called for ever.
    outcomes = await Clock().calls().do([Bank(None).errand()], since_s=100)
    assert isinstance(outcomes.failed[PLACE], AssertionError)
