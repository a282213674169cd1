"""Everything that is looked at, in order: the machine first, then what runs on it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sagaline.local import figures, readiness
from sagaline.local.client import Client
from sagaline.local.databases import Databases
from sagaline.local.doctor import listeners, machine, remains, stores, topics
from sagaline.local.doctor.finding import STATUS, Finding, note, unless, wrong
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.state_directory import StateDirectory
from sagaline.local.topics.catalog import catalog

ANSWER_TIMEOUT_S = readiness.ANSWER_TIMEOUT_S


def examine(config: PlatformConfig, state: StateDirectory) -> Iterator[Finding]:
    """Look at the machine and at the platform in `state`, which runs or not. Changes nothing."""
    runs = state.owner() is not None
    run_file = RunFile.read(state.path) if runs else None
    yield from machine.examine(config.root, runs=runs)
    ours = _processes(run_file) if run_file else remains.pids(state)
    yield from listeners.examine(config, runs=run_file is not None, ours=ours)
    if run_file is not None:
        yield from asyncio.run(_running(config, state, run_file))
    elif runs:
        yield note("platform", f"it is starting, or stopping: process {state.owner()}")
    else:
        yield from remains.examine(state)
        yield note("platform", "none runs", "'./sagactl up' starts one")


async def _running(
    config: PlatformConfig, state: StateDirectory, run_file: RunFile
) -> Sequence[Finding]:
    """Ask all at once: whatever stands still holds up nothing but its own answer."""
    databases = Databases(config, state, run_file, timeout_s=ANSWER_TIMEOUT_S)
    services = list(run_file.services)
    found = await asyncio.gather(
        stores.examine(databases, services, lambda: datetime.now(UTC)),
        _topics(config, run_file),
        _services(run_file),
    )
    return [finding for findings in found for finding in findings]


async def _topics(config: PlatformConfig, run_file: RunFile) -> list[Finding]:
    urls = run_file.urls, run_file.operator_urls
    async with Client(*urls, timeout_s=ANSWER_TIMEOUT_S) as client:
        known = await figures.scrape(client, run_file.services)
    timeout_ms = int(ANSWER_TIMEOUT_S * 1000)
    return await topics.examine(
        run_file.kafka.address, catalog(config), known, timeout_ms=timeout_ms
    )


async def _services(run_file: RunFile) -> list[Finding]:
    lacking = await readiness.missing(run_file.urls)
    faults = (wrong("services", f"{name}: {lack}", STATUS) for name, lack in lacking.items())
    return unless(faults, "services", f"{len(run_file.services)} are ready")


def _processes(run_file: RunFile) -> frozenset[int]:
    """The pids that hold the platform's ports."""
    processes = [each.process for each in run_file.services.values()]
    processes += [run_file.kafka.process, run_file.postgres.process, run_file.supervisor]
    return frozenset(each.pid for each in processes if each is not None)
