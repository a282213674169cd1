"""Tables and topics of all services, made in one process, so that one Python start pays for all.

Run as `python -m sagaline.local.setup SERVICE...`, with the services' environment. The services are
imported by the names that sagaline.toml gives; the same work is `python -m SERVICE migrate` and
`topics`.
"""

import asyncio
import importlib
import sys
from collections.abc import Sequence

import uvloop

from sagaline.chassis import logs
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.main import created, migrated
from sagaline.chassis.service import Service


async def set_up(services: Sequence[Service]) -> None:
    """Every service's tables are those of this release, and its topics exist."""
    # Topics wait for Kafka, which takes longer to start than the migrations take.
    topics = [asyncio.create_task(created(service)) for service in services]
    try:
        for service in services:  # one at a time: Alembic's `op` is a module
            await migrated(service)
        await asyncio.gather(*topics)
    finally:
        for task in topics:
            task.cancel()


def service_named(name: str) -> Service:
    """Make the service that package `name` composes."""
    made = importlib.import_module(f"{name}.service").service()
    assert isinstance(made, Service), made
    return made


def main(names: Sequence[str]) -> int:
    """Set up the services called `names`; give the exit code."""
    services = [service_named(name) for name in names]
    logs.configure(services[0].settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(set_up(services))
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
