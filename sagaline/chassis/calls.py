"""Calls to the outside: side by side, each with a deadline, while no transaction is open.

See docs/architecture.md, "Effects". What the first transaction of a batch intended is done here;
what an earlier one had intended is asked about first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sagaline.chassis.breaker import Breaker
from sagaline.chassis.effects import Port
from sagaline.chassis.errands import Errand, Outcomes
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.faults import passing
from sagaline.chassis.tracing import UNTRACED

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

Renew: TypeAlias = Callable[[Sequence[Errand]], Awaitable[float]]


class CallTally(Protocol):
    """What is reported of calls; the service's metrics."""

    def called(self, port: Port, *, how: str, seconds: float) -> None:
        """A call or a question ended: answered, unavailable or failed."""


class Calls:
    """Does errands. Keeps nothing between batches but each port's breaker."""

    def __init__(
        self,
        breakers: Mapping[str, Breaker],
        *,
        attempts_max: int,
        clock_s: Callable[[], float],
        tally: CallTally,
        spans: "Spans | None" = None,
    ) -> None:
        self._breakers = breakers
        self._attempts_max = attempts_max
        self._clock_s = clock_s
        self._tally = tally
        self._spans = spans

    async def do(
        self, errands: Sequence[Errand], *, since_s: float, renew: Renew | None = None
    ) -> Outcomes:
        """What came of each errand; their intents' deadlines count from `since_s`.

        A call of which the other side knows nothing, long after its deadline, is made again once
        `renew` has given it a new one, and said from when.
        """
        outcomes = Outcomes()
        # What was not called yet, or can't be asked about, is called; the rest is asked about.
        await asyncio.gather(
            *(
                self._try(each, partial(self._called, since_s), outcomes)
                if each.fresh or each.effect.ask is None
                else self._try(each, self._known, outcomes)
                for each in errands
            )
        )
        if renew is not None and outcomes.unknown:
            await self._call_again(errands, outcomes, renew)
        return outcomes

    async def _call_again(
        self, errands: Sequence[Errand], outcomes: Outcomes, renew: Renew
    ) -> None:
        never = [each for each in errands if each.row in outcomes.unknown]
        called = partial(self._called, await renew(never))
        outcomes.unknown.clear()
        await asyncio.gather(*(self._try(each, called, outcomes) for each in never))

    async def _called(
        self, since_s: float, errand: Errand, fault: Exception | None
    ) -> object | None:
        """Make the call, within the time that its intent gives it; asked first, after a fault."""
        effect = errand.effect
        if fault is not None and (found := await self._asked(errand)) is not None:
            return found
        until_s = since_s + effect.port.timeout_ms / 1000
        try:
            result = await self._timed("call", errand, lambda: effect.call(errand.call), until_s)
        except Exception as error:
            if fault is not None and passing(error) and self._clock_s() >= until_s:
                # The fault took the time. Were it forgotten, the next round would meet it again,
                # and no record behind it would ever have its turn.
                raise fault  # noqa: B904  # caused by this error it would pass, too
            raise
        assert result is not None, f"a call's result is something: {errand.call}"
        return result

    async def _known(self, errand: Errand, _fault: Exception | None) -> object | None:
        """What came of a call that may have been made; None if it can't arrive any more."""
        found = await self._asked(errand)
        if found is None and not errand.overdue:
            raise Overtaken  # it may be under way: that it isn't there yet proves nothing
        return found

    async def _try(
        self,
        errand: Errand,
        work: Callable[[Errand, Exception | None], Awaitable[object | None]],
        outcomes: Outcomes,
    ) -> None:
        """Do `work` until it ends other than by the record's fault, a few times at most.

        `work` is told by which fault it ended last.
        """
        fault: Exception | None = None
        for _ in range(self._attempts_max):
            try:
                found = await work(errand, fault)
            except Exception as error:  # noqa: BLE001  # a port may raise anything; told apart
                if passing(error):
                    outcomes.away[errand.place] = error
                    return
                fault = error
            else:
                if found is None:
                    outcomes.unknown.add(errand.row)
                else:
                    outcomes.results[errand.row] = found
                return
        assert fault is not None, "no attempt was made"
        outcomes.failed[errand.place] = fault

    async def _asked(self, errand: Errand) -> object | None:
        """What the other side knows; asking has no effect, so it has a time of its own."""
        ask = errand.effect.ask
        if ask is None:
            return None
        until_s = self._clock_s() + errand.effect.port.timeout_ms / 1000
        return await self._timed("ask", errand, lambda: ask(errand.call), until_s)

    async def _timed(
        self,
        what: str,
        errand: Errand,
        work: Callable[[], Awaitable[object | None]],
        until_s: float,
    ) -> object | None:
        """What `work` gives by then, through the port's breaker."""

        async def traced() -> object | None:
            with self._tracing(what, errand):
                return await self._by(errand.effect.port, work, until_s)

        return await self._breakers[errand.effect.port.name].run(traced)

    def _tracing(self, what: str, errand: Errand) -> AbstractContextManager[None]:
        if self._spans is None:
            return UNTRACED
        port = errand.effect.port.name
        return self._spans.call(what, port, str(errand.call.key), errand.traceparent)

    async def _by(
        self, port: Port, work: Callable[[], Awaitable[object | None]], until_s: float
    ) -> object | None:
        began_s = self._clock_s()
        if began_s >= until_s:
            # We were stopped, or waited for a probe: whoever asks may take the call for lost.
            raise Overtaken
        how = "cancelled"
        try:
            async with asyncio.timeout(until_s - began_s):
                found = await work()
            how = "answered"
        except TimeoutError as error:
            how = "unavailable"
            raise ProviderUnavailable(provider=port.name, reason="no answer in time") from error
        except Exception as error:
            how = "unavailable" if passing(error) else "failed"
            raise
        finally:
            self._tally.called(port, how=how, seconds=self._clock_s() - began_s)
        return found
