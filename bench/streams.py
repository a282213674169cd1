"""What streams of orders' progress cost the gateway.

Payment stands still, so that the orders do not end: so many clients each hear of their own order's
progress, and then of nothing. When payment goes on, all of them hear of the end.
"""

import asyncio
import signal
import time
from collections.abc import Mapping
from uuid import UUID

import httpx

from sagaline.local import process_usage
from sagaline.local.client import GATEWAY, PAYMENT, Client
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.events import events
from sagaline.local.process_usage import Usage
from sagaline.local.views import Line, NewOrder

WITHIN_S = 120.0
SKU, CUSTOMER = "LAMP-1", "alice"


async def measure(platform: EmbeddedPlatform, clients: int, idle_s: float) -> Mapping[str, float]:
    """Memory and processor time of the gateway: with no stream, with open ones, at their ends."""
    limits = httpx.Limits(max_connections=None)
    async with (
        Client(platform.urls) as client,
        httpx.AsyncClient(trust_env=False, timeout=WITHIN_S, limits=limits) as http,
    ):
        order_ids = await _orders_that_stand_still(platform, client, clients)
        closed, idle_without = await _idle_percent(platform, idle_s)
        opened = [asyncio.Event() for _ in order_ids]
        streams = [
            asyncio.create_task(_heard_until_the_end(http, platform.urls[GATEWAY], each, event))
            for each, event in zip(order_ids, opened, strict=True)
        ]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in opened)), WITHIN_S)
        idle, idle_with = await _idle_percent(platform, idle_s)
        begin_s = time.monotonic()
        _signal(platform, signal.SIGCONT)
        heard = await asyncio.wait_for(asyncio.gather(*streams), WITHIN_S)
        ended = _gateway(platform)
    return {
        "clients": clients,
        "gateway_mib_before": closed.memory_mib,
        "gateway_mib_open": idle.memory_mib,
        "kib_per_client": round((idle.memory_mib - closed.memory_mib) * 1024 / clients, 1),
        "idle_s": idle_s,
        "idle_percent_of_a_core_without": round(idle_without, 2),
        "idle_percent_of_a_core_open": round(idle_with, 2),
        "events": sum(heard),
        "seconds_until_all_ended": round(time.monotonic() - begin_s, 2),
        "cpu_ms_per_client_until_its_end": round((ended.cpu_s - idle.cpu_s) * 1000 / clients, 2),
    }


async def _orders_that_stand_still(
    platform: EmbeddedPlatform, client: Client, number: int
) -> list[UUID]:
    await client.set_stock(SKU, on_hand=number + 1, price_minor=100, currency="EUR")
    await client.set_account(CUSTOMER, limit_minor=100 * (number + 1), currency="EUR")
    order = NewOrder(customer_id=CUSTOMER, currency="EUR", lines=(Line(sku=SKU, quantity=1),))
    # The first one warms up: its stream is opened and read to its end.
    warm = await client.place(order)
    async for _ in client.progress(warm):
        pass
    _signal(platform, signal.SIGSTOP)
    return [await client.place(order) for _ in range(number)]


async def _heard_until_the_end(
    http: httpx.AsyncClient, url: str, order_id: UUID, opened: asyncio.Event
) -> int:
    """The number of events; `opened` is set at the first one."""
    heard = 0
    async with http.stream("GET", f"{url}/orders/{order_id}/events") as answer:
        answer.raise_for_status()
        async for _ in events(answer.aiter_lines()):
            heard += 1
            opened.set()
    return heard


async def _idle_percent(platform: EmbeddedPlatform, seconds: float) -> tuple[Usage, float]:
    """The gateway after a window in which nothing happens, and its part of a core meanwhile."""
    before = _gateway(platform)
    await asyncio.sleep(seconds)  # a window to measure in has a length
    after = _gateway(platform)
    return after, 100 * (after.cpu_s - before.cpu_s) / seconds


def _gateway(platform: EmbeddedPlatform) -> Usage:
    process = platform.supervisor.process(GATEWAY)
    assert process is not None
    return process_usage.of({GATEWAY: process.pid})[GATEWAY]


def _signal(platform: EmbeddedPlatform, number: signal.Signals) -> None:
    process = platform.supervisor.process(PAYMENT)
    assert process is not None
    process.signal_group(number)
