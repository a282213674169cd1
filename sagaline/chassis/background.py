"""Tasks that live as long as their service; one that ends in an error ends the service.

So does one that is cancelled, if not by us: it would be gone, and nobody would know.
"""

import asyncio
from collections.abc import Coroutine

from structlog.typing import FilteringBoundLogger

from sagaline.chassis.errors import PlatformError


class TaskFailed(PlatformError):
    """The task {task} ended in an error that none is meant to end in, a bug: {error}."""


class Background:
    """The tasks of one running service, by name. A failure sets `stopping`."""

    def __init__(self, stopping: asyncio.Event, log: FilteringBoundLogger) -> None:
        self._stopping = stopping
        self._log = log
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()  # by us
        self._failures: list[TaskFailed] = []

    def start(self, name: str, work: Coroutine[object, object, None]) -> None:
        """`work` runs until its end, `end` or the service's end; `name` is its own until then."""
        assert name not in self._tasks, f"two tasks are called {name}"
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._done)
        self._tasks[name] = task

    async def end(self, name: str, *, within_ms: int) -> None:
        """The task is over: by itself within this time, else cancelled."""
        task = self._tasks.get(name)
        if task is None:
            return
        _, late = await asyncio.wait({task}, timeout=within_ms / 1000)
        if late:
            self._log.warning("cancelled", task=name, within_ms=within_ms)
            await self._cancel({task})

    async def close(self) -> None:
        """No task is left."""
        await self._cancel(set(self._tasks.values()))

    async def until(self, event: asyncio.Event) -> None:
        """Wait for the event, or for a stop."""
        waiting = [asyncio.create_task(each.wait()) for each in (event, self._stopping)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    def raise_failure(self) -> None:
        """Raise the first TaskFailed, if there is one."""
        if self._failures:
            raise self._failures[0]

    async def _cancel(self, tasks: set[asyncio.Task[None]]) -> None:
        for task in tasks:
            self._cancelled.add(task.get_name())
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        name = task.get_name()
        self._tasks.pop(name, None)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if task.cancelled() and name in self._cancelled:
            error = None
        self._cancelled.discard(name)
        if error is not None:
            self._log.error("task failed", task=name, exc_info=error)
            self._failures.append(TaskFailed(task=name, error=repr(error)))
            self._stopping.set()
