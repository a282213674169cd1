"""Tables and topics of several services, made in one process: one Python start pays for all.

Run as `python -m sagaline.chassis.setup tables|topics|all SERVICE...`, with the services'
environment, each of them a package that can be imported. The same work is `python -m SERVICE
migrate` and `topics`. Exit codes: 0 done, 1 failed, 2 wrong use or setting.
"""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeAlias

import uvloop

from sagaline.chassis import logs
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.main import created, made, migrated
from sagaline.chassis.service import Service

Work: TypeAlias = Callable[[Sequence[Service]], Coroutine[object, object, None]]


async def tables(services: Sequence[Service]) -> None:
    """Every service's tables are those of this release."""
    for service in services:  # one at a time: Alembic's `op` is a module
        await migrated(service)


async def topics(services: Sequence[Service]) -> None:
    """Every service's topics exist, and its schemas are published."""
    async with asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(created(service))


async def everything(services: Sequence[Service]) -> None:
    """Both. Topics wait for Kafka, which takes longer to start than the migrations take."""
    async with asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(created(service))
        tasks.create_task(tables(services))


WORK: dict[str, Work] = {"tables": tables, "topics": topics, "all": everything}


def service_named(name: str) -> Service:
    """Make the service that package `name` composes; wrong settings end the program."""
    return made(importlib.import_module(f"{name}.service").service)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sagaline.chassis.setup", description=__doc__)
    parser.add_argument("work", choices=WORK)
    parser.add_argument("services", nargs="+", metavar="SERVICE")
    given = parser.parse_args(arguments)
    services = [service_named(name) for name in given.services]
    logs.configure(services[0].settings)
    failures: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(WORK[given.work](services))
    except* PlatformError as failed:
        failures += failed.exceptions
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
