"""All services in this one process, on one event loop: for debuggers, and for a look at a whole.

It stands where `supervisor` stands otherwise: a service that ends by itself is told of, and started
again. What it logs goes to the same files.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from pydantic import ValidationError

from sagaline.chassis import environment, logs
from sagaline.chassis.deadline import within
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.running import Running
from sagaline.chassis.server import serving
from sagaline.chassis.service import Service
from sagaline.chassis.setup import service_named
from sagaline.local import log_files, service_log
from sagaline.local.child import BACKOFF_FIRST_S, BACKOFF_MAX_S, STEADY_S, TAIL_LINES
from sagaline.local.happenings import Died, Happening, Started
from sagaline.local.process_key import ProcessKey


class UnusableSettings(PlatformError):
    """Settings of {service} can't be used: {reason}"""


@dataclass(slots=True)
class _Kept:
    """One service, over its starts."""

    name: str
    log: Path
    running: Running | None = None
    deaths: int = 0


class InProcess:
    """The services called `names`, each logging to NAME.log in `folder`, from start() to stop().

    `variables` is the environment in which they are made. `tell` hears what happens to them. It is
    called in the event loop's thread and must not raise.
    """

    def __init__(
        self,
        names: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        *,
        tell: Callable[[Happening], None],
    ) -> None:
        self._kept = {name: _Kept(name, folder / f"{name}.log") for name in names}
        self._folder = folder
        self._variables = variables
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._begun = threading.Event()
        # Beside the main thread, which waits for Ctrl-C there and heals Kafka and PostgreSQL.
        self._thread = threading.Thread(target=self._run, name="services", daemon=True)

    def start(self) -> None:
        """Every service starts soon; `tell` hears of each."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """All services have ended, in good order."""
        if self._thread.is_alive():
            assert self._loop is not None
            assert self._over is not None
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def process(self, service: str) -> ProcessKey | None:
        """Give this process, if `service` runs in it now."""
        runs = self._kept[service].running is not None
        return ProcessKey.of(os.getpid()) if runs else None

    def deaths(self, service: str) -> int:
        """Say how often in a row it ended by itself, short after its start."""
        return self._kept[service].deaths

    def _run(self) -> None:
        try:
            with (
                log_files.kept(self._folder, self._kept),
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                runner.run(self._all())
        finally:
            self._begun.set()  # whoever waits for the begin must not wait for ever

    async def _all(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        async with asyncio.TaskGroup() as tasks:
            for kept in self._kept.values():
                tasks.create_task(self._keep(kept, self._over), name=kept.name)

    async def _keep(self, kept: _Kept, over: asyncio.Event) -> None:
        loop, log = asyncio.get_running_loop(), logs.logger(kept.name)
        while not over.is_set():
            began_s, log_begin = loop.time(), service_log.size(kept.log)
            try:
                await self._serve(kept, over)
            except Exception as error:
                reason = str(error) if isinstance(error, PlatformError) else repr(error)
                log.exception("failed", reason=reason)
            if over.is_set():
                return
            kept.deaths = 1 if loop.time() - began_s >= STEADY_S else kept.deaths + 1
            pause_s = min(BACKOFF_FIRST_S * 2 ** (kept.deaths - 1), BACKOFF_MAX_S)
            tail = service_log.tail(kept.log, TAIL_LINES, since=log_begin)
            self._tell(Died(kept.name, 1, pause_s, kept.deaths, tuple(tail)))
            await within(over, round(pause_s * 1000))

    async def _serve(self, kept: _Kept, over: asyncio.Event) -> None:
        service = self._made(kept.name)
        log_files.configure(service.settings)
        served = asyncio.create_task(self._served(service, kept))
        stopping = asyncio.create_task(over.wait())
        await asyncio.wait({served, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if kept.running is not None:
            kept.running.stopping.set()
        elif not served.done():
            served.cancel()  # it waits for its database, say, and knows of no stop yet
        try:
            await served
        except asyncio.CancelledError:
            if not over.is_set():
                raise

    async def _served(self, service: Service, kept: _Kept) -> None:
        async with service.running() as running, serving(running) as serves:
            kept.running = running
            us = ProcessKey.of(os.getpid())
            assert us is not None
            self._tell(Started(kept.name, us))
            try:
                await running.stopping.wait()
                # In-flight requests end while all that they need is still open.
                await serves.stop(running)
            finally:
                kept.running = None

    def _made(self, name: str) -> Service:
        """The service, made anew: nothing of one that failed is kept."""
        before = dict(os.environ)
        os.environ.update(self._variables)
        try:
            return service_named(name)
        except ValidationError as error:
            reason = "; ".join(environment.complaints(error))  # no value: it may be a secret
            raise UnusableSettings(service=name, reason=reason) from None
        finally:
            os.environ.clear()
            os.environ.update(before)
