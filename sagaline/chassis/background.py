"""Tasks that live as long as their service; one that ends in an error ends the service."""

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
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """No task is left."""
        left = set(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

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

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task.get_name(), None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._log.error("task failed", task=task.get_name(), exc_info=error)
            self._failures.append(TaskFailed(task=task.get_name(), error=repr(error)))
            self._stopping.set()
