"""SIGTERM and SIGINT: the first one ends a service in order, the second one at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger


@contextmanager
def signals(stopping: asyncio.Event, log: FilteringBoundLogger) -> Iterator[None]:
    """Within the block, a signal sets `stopping`; another one exits with 128 and its number."""
    loop = asyncio.get_running_loop()
    asked: set[signal.Signals] = set()

    def received(number: signal.Signals) -> None:
        if asked:
            log.warning("exiting at once", signal=number.name)
            os._exit(128 + number)
        asked.add(number)
        log.info("stopping", signal=number.name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
