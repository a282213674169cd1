"""How long whole sagas took, the steps after the customer's answer included: by a sample of them.

Asked only after the load, so that it costs the measured window nothing.
"""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

from sagaline.local.client import Client
from sagaline.local.load.latencies import Latencies

SAMPLE_MAX, AT_ONCE = 200, 10


async def of(client: Client, order_ids: Sequence[str], *, rng: random.Random) -> Latencies:
    """From the gateway's acceptance until the saga's last change, of some of these orders."""
    chosen = rng.sample(order_ids, min(SAMPLE_MAX, len(order_ids)))
    found = Latencies()
    for begin in range(0, len(chosen), AT_ONCE):
        some = [UUID(order_id) for order_id in chosen[begin : begin + AT_ONCE]]
        for seconds in await asyncio.gather(*(_seconds(client, each) for each in some)):
            if seconds is not None:
                found.add(seconds)
    return found


async def _seconds(client: Client, order_id: UUID) -> float | None:
    order, saga = await asyncio.gather(client.order(order_id), client.saga(order_id))
    if not saga.has_ended or saga.updated_at is None:
        return None
    return (saga.updated_at - order.placed_at).total_seconds()
