"""One more process of a service, beside the one that the platform runs."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sagaline.local import readiness
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.ports import LOOPBACK, free_port
from sagaline.local.supervisor import Supervisor
from sagaline.testing.outages import POLL_S, NotSoon

WITHIN_S = 60.0


@asynccontextmanager
async def second_process(
    embedded: EmbeddedPlatform, service: str, *, rng: random.Random, slot: int = 1
) -> AsyncIterator[None]:
    """A second process of the service is ready, or a third, in slot 2; it works for the block.

    The platform's own process has slot 0.
    """
    port = free_port(rng)
    config, program = embedded.config.service(service), embedded.program(service)
    prefix = config.settings_prefix
    own = {
        "SAGALINE_PROCESS_SLOT": str(slot),
        f"{prefix}_HTTP_PORT": str(port),
        f"{prefix}_OPERATOR_PORT": "0",
    }
    second = replace(
        program,
        environment={**program.environment, **own},
        log=program.log.with_name(f"{service}-{slot}.log"),
    )
    supervisor = Supervisor({service: second}, tell=print)
    supervisor.start()
    try:
        await _ready(f"http://{LOOPBACK}:{port}", service)
        yield
    finally:
        await asyncio.to_thread(supervisor.stop)


async def _ready(url: str, service: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while lacking := await readiness.missing({service: url}):
        if time.monotonic() > deadline_s:
            raise NotSoon(f"a second {service} after {WITHIN_S:.0f} s: {lacking}")
        await asyncio.sleep(POLL_S)
