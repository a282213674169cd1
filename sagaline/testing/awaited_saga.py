"""The saga of one key, as a test waits for it: the service that runs it tells its operators."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import httpx
from pydantic import TypeAdapter

from sagaline.chassis.envelope import saga_id
from sagaline.engine.view import SagaView
from sagaline.testing.outages import POLL_S, NotSoon
from sagaline.testing.saga_history import SagaHistory

WITHIN_S = 20.0
ENDED: Final = ("COMPLETED", "COMPENSATED")
SAGA: Final = TypeAdapter(SagaView)


class AwaitedSaga:
    """The saga of `definition` for `key`, which may not have begun; `operators` answers for it."""

    def __init__(self, operators: httpx.AsyncClient, definition: str, key: UUID) -> None:
        self._operators = operators
        self._definition = definition
        self._key = key

    async def view(self) -> SagaView | None:
        """How it stands; None as long as there is none."""
        answer = await self._answer("")
        return None if answer is None else SAGA.validate_json(answer)

    async def ended(self, *, within_s: float = WITHIN_S) -> SagaView:
        """Wait until it has ended, one way or the other; give it. Raises NotSoon."""
        return await self.until(lambda saga: saga.state in ENDED, within_s=within_s)

    async def until(
        self, met: Callable[[SagaView], bool], *, within_s: float = WITHIN_S
    ) -> SagaView:
        """Wait until it is there and `met` says so of it; give it. Raises NotSoon."""
        deadline_s = time.monotonic() + within_s
        while True:
            saga = await self.view()
            if saga is not None and met(saga):
                return saga
            if time.monotonic() > deadline_s:
                raise NotSoon(
                    f"the saga {self._definition} of {self._key} is {_stands(saga)}"
                    f" after {within_s:.0f} s"
                )
            await asyncio.sleep(POLL_S)

    async def history(self) -> SagaHistory:
        """All that it has recorded."""
        answer = await self._answer("/history")
        assert answer is not None, f"there is no saga {self._definition} of {self._key}"
        return SagaHistory.of(json.loads(answer))

    async def _answer(self, part: str) -> bytes | None:
        answer = await self._operators.get(
            f"/sagas/{saga_id(self._definition, str(self._key))}{part}"
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return answer.raise_for_status().content


def _stands(saga: SagaView | None) -> str:
    if saga is None:
        return "unknown"
    steps = ", ".join(f"{step.name} {step.status}" for step in saga.steps)
    return f"{saga.state} ({steps})"
