"""The intake: requests that come at the same time share a transaction (group commit).

While a batch is being committed the next one gathers; nobody waits for a batch to fill up. As
batches follow one another, a request meets what earlier ones of its process committed, and those
with its idempotency key in its own batch; with requests in flight at other processes it can meet
in the database only, and `repository.claim_keys` tells.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import randbits
from typing import TYPE_CHECKING, assert_never
from uuid import UUID

from structlog.typing import FilteringBoundLogger

from gateway_service import domain, placing
from gateway_service.errors import (
    IdempotencyKeyHeld,
    IdempotencyKeyReused,
    IntakeClosed,
    IntakeFull,
    OrdersUnavailable,
)
from gateway_service.ids import OrderIds
from gateway_service.intake_metrics import IntakeMetrics
from gateway_service.settings import GatewaySettings
from sagaline.chassis.database import Database
from sagaline.chassis.faults import passing
from sagaline.chassis.running import Running
from sagaline.chassis.tracing import UNTRACED

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in the intake, and where its answer will be."""

    request: domain.Request
    answer: asyncio.Future[domain.Answer]


class Intake:
    """Accepts orders, many in a transaction. `run` writes until `close`."""

    def __init__(
        self,
        database: Database,
        *,
        batch_max: int,
        waiting_max: int,
        clock: Callable[[], datetime],
        new_order_id: Callable[[], UUID],
        metrics: IntakeMetrics,
        log: FilteringBoundLogger,
        spans: "Spans | None" = None,
    ) -> None:
        self._spans = spans
        self._database = database
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._clock = clock
        self._new_order_id = new_order_id
        self._metrics = metrics
        self._log = log
        self._waiting: deque[Waiting] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many requests wait for a transaction; those of the one in hand are not among them."""
        return len(self._waiting)

    async def accept(
        self, order: domain.Order, *, key: str | None, traceparent: str
    ) -> domain.Accepted:
        """The order is committed under this id: its own, or that of an equal request with its key.

        Raises IdempotencyKeyReused, IdempotencyKeyHeld, IntakeFull, IntakeClosed, and
        OrdersUnavailable when it is not known whether the order was committed.
        """
        self._check_room()
        request = domain.Request(
            order_id=self._new_order_id(),
            order=order,
            key=key,
            placed_at=self._clock(),
            traceparent=traceparent,
        )
        waiting = Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._changed.set()
        return self._told(await waiting.answer)

    def close(self) -> None:
        """Take no more; `run` ends when those that wait have their answers."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        """Commit what waits, batch after batch."""
        while self._waiting or not self._closed:
            await self._changed.wait()
            if batch := self._next_batch():
                await self._answer(batch)
            elif not self._closed:
                self._changed.clear()

    def _check_room(self) -> None:
        if self._closed:
            self._metrics.answers.labels("closed").inc()
            raise IntakeClosed
        if len(self._waiting) >= self._waiting_max:
            self._metrics.answers.labels("full").inc()
            raise IntakeFull(waiting=len(self._waiting))

    def _next_batch(self) -> list[Waiting]:
        self._metrics.waiting.set(len(self._waiting))
        batch: list[Waiting] = []
        while self._waiting and len(batch) < self._batch_max:
            first = self._waiting.popleft()
            if not first.answer.done():  # its client may have gone
                batch.append(first)
        return batch

    async def _answer(self, batch: Sequence[Waiting]) -> None:
        """Each of the batch has an answer or an error."""
        try:
            await self._commit(batch)
        except Exception as error:  # noqa: BLE001  # the top of a loop; _refuse logs and counts
            if len(batch) == 1 or passing(error):
                self._refuse(batch, error)
            else:
                await self._answer_alone(batch)

    async def _answer_alone(self, batch: Sequence[Waiting]) -> None:
        """As `_answer`: for a reason nobody foresaw one can't be written, but the others can."""
        for index, alone in enumerate(batch):
            try:
                await self._commit([alone])
            except Exception as error:  # noqa: BLE001  # as above
                if passing(error):  # each of the others would only wait for a timeout of its own
                    return self._refuse(batch[index:], error)
                self._refuse([alone], error)
        return None

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        self._metrics.batch.observe(len(batch))
        requests = [waiting.request for waiting in batch]
        with self._tracing(requests):
            answers = await self._placed(requests)
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    def _tracing(self, requests: Sequence[domain.Request]) -> AbstractContextManager[None]:
        if self._spans is None:
            return UNTRACED
        return self._spans.joined("accept orders", [each.traceparent for each in requests])

    async def _placed(self, requests: Sequence[domain.Request]) -> Sequence[domain.Answer]:
        async with self._database.transaction() as tx:
            return await placing.place(tx, requests)

    def _refuse(self, batch: Sequence[Waiting], error: Exception) -> None:
        away = passing(error)
        self._metrics.answers.labels("unavailable" if away else "failed").inc(len(batch))
        self._log.warning("orders not accepted", orders=len(batch), reason=repr(error))
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(OrdersUnavailable() if away else error)

    def _told(self, answer: domain.Answer) -> domain.Accepted:
        match answer:
            case domain.Accepted(_, placed):
                self._metrics.answers.labels("accepted" if placed else "repeated").inc()
                return answer
            case domain.KeyReused(key):
                self._metrics.answers.labels("key_reused").inc()
                raise IdempotencyKeyReused(key=key)
            case domain.KeyHeld(key):
                self._metrics.answers.labels("key_held").inc()
                raise IdempotencyKeyHeld(key=key)
            case _:
                assert_never(answer)


@asynccontextmanager
async def opened(running: Running) -> AsyncIterator[Intake]:
    """The service's intake, writing for the block; at its end, those that wait are written."""
    settings = running.settings
    assert isinstance(settings, GatewaySettings), settings

    def clock() -> datetime:
        return datetime.now(UTC)

    intake = Intake(
        running.database,
        batch_max=settings.intake_batch_max,
        waiting_max=settings.intake_waiting_max,
        clock=clock,
        new_order_id=OrderIds(clock, randbits),
        metrics=IntakeMetrics(running.metrics),
        log=running.log,
        spans=running.spans,
    )
    running.background.start("intake", intake.run())
    try:
        yield intake
    finally:
        intake.close()
        await running.background.end("intake", within_ms=settings.shutdown_grace_ms)
