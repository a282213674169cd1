"""The drill of docs/drill.md: a poison message, seen, mended by a release, redriven."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from sagaline.local.client import INVENTORY
from sagaline.local.supervisor import Supervisor
from sagaline.testing.platform import Platform
from tests.end_to_end.brittle import SKUS
from tests.integration.echo.stage import becomes

WITHIN_S = 60.0
GOOD, BAD = 4, 3
pytestmark = [
    pytest.mark.timeout(300),  # it starts services and commands, one after the other
    pytest.mark.usefixtures("own_processes"),
]


class Ran(NamedTuple):
    """How a command ended."""

    exit_code: int
    output: str

    @property
    def document(self) -> Any:
        return json.loads(self.output)


async def sagactl(platform: Platform, *arguments: object) -> Ran:
    """Run a command as a person does, on this platform."""
    state = ("--state", str(platform.embedded.state.path))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sagaline.cli",
        *map(str, arguments),
        *state,
        cwd=platform.embedded.config.root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, output.decode())


@asynccontextmanager
async def bad_release(platform: Platform, skus: Sequence[str]) -> AsyncIterator[None]:
    """In place of inventory runs a release that can't cope with these SKUs."""
    await platform.stop(INVENTORY)
    good = platform.embedded.program(INVENTORY)
    bad = replace(
        good,
        arguments=("tests.end_to_end.brittle", "run"),
        environment={**good.environment, SKUS: ",".join(skus)},
        log=good.log.with_name("brittle.log"),
    )
    supervisor = Supervisor({INVENTORY: bad}, tell=print)
    supervisor.start()
    try:
        await platform.ready(INVENTORY)
        yield
    finally:
        await asyncio.to_thread(supervisor.stop)
        await platform.start(INVENTORY)


async def parked(platform: Platform, order_id: UUID) -> None:
    """The order's reservation is parked, and its saga knows."""

    async def steps() -> Mapping[str, bool]:
        return {step.name: step.parked for step in (await platform.saga(order_id)).steps}

    await becomes(steps, lambda found: found.get("reserve_stock", False))


async def letters(platform: Platform) -> list[Mapping[str, Any]]:
    """What inventory has parked."""
    answer = await platform.client.ask(INVENTORY, "GET", "/dlq", operator=True)
    found: list[Mapping[str, Any]] = answer.json()["dead_letters"]
    return found


async def test_poison_is_seen_mended_by_a_release_and_redriven(platform: Platform) -> None:
    skus = [await platform.a_sku() for _ in range(BAD)]
    async with bad_release(platform, skus):
        good = [await platform.place() for _ in range(GOOD)]
        bad = [await platform.place({sku: 1}) for sku in skus]
        for order_id in good:  # nobody waits for the poison
            assert (await platform.ended(order_id, within_s=WITHIN_S)).status == "CONFIRMED"
        for order_id in bad:
            await parked(platform, order_id)

        seen = await sagactl(platform, "saga", "get", bad[0])
        assert "parked" in next(row for row in seen.output.splitlines() if "reserve_stock" in row)
        held = (await sagactl(platform, "saga", "list", "--stalled", "--json")).document["sagas"]
        assert {str(order_id) for order_id in bad} <= {line["key"] for line in held}
        found = (await sagactl(platform, "dlq", "list", "--json")).document["dead_letters"]
        assert {letter["key"] for letter in found} == {str(order_id) for order_id in bad}
        assert {letter["error_class"] for letter in found} == {"ValueError"}

        again = await sagactl(platform, "dlq", "redrive", "--error-class", "ValueError")
        assert again.exit_code == 3, again.output  # nothing is mended yet
        assert len(await letters(platform)) == BAD

    redriven = await sagactl(
        platform, "dlq", "redrive", "--error-class", "ValueError", "--reason", "mended"
    )
    assert redriven.exit_code == 0, redriven.output
    for order_id in bad:
        assert (await platform.ended(order_id, within_s=WITHIN_S)).status == "CONFIRMED"
    assert await letters(platform) == []
    quiet = await platform.ledger_when_quiet(within_s=WITHIN_S)
    assert quiet.problems == []
    assert quiet.confirmed_minor == quiet.captured_minor == quiet.committed_minor


async def test_a_discarded_reservation_rejects_its_order(platform: Platform) -> None:
    sku = await platform.a_sku()
    async with bad_release(platform, [sku]):
        order_id = await platform.place({sku: 1})
        await parked(platform, order_id)
        (letter,) = await letters(platform)
        reason = ("--reason", "no size will ever come")
        where = ("--service", INVENTORY)
        gone = await sagactl(platform, "dlq", "discard", letter["id"], *where, *reason)
        assert gone.exit_code == 0, gone.output
        twice = await sagactl(platform, "dlq", "discard", letter["id"], *where, *reason)
        assert twice.exit_code == 1
        assert f"No record {letter['id']} is parked here" in twice.output
        order = await platform.ended(order_id, within_s=WITHIN_S)
    assert order.status == "REJECTED"
    assert order.reason is not None
    assert (order.reason.code, order.reason.detail) == ("discarded", "no size will ever come")
    quiet = await platform.ledger_when_quiet(within_s=WITHIN_S)
    assert quiet.problems == []
