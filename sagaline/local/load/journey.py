"""One order's way through the gateway, from its POST until an answer shows its end."""

import asyncio
import json
import time
from dataclasses import dataclass

from sagaline.local.client import WAIT_MAX_S
from sagaline.local.load.connection import Answer, Connections

ENDS = ("CONFIRMED", "REJECTED")
LOOK_S = 0.1  # between two looks where the gateway lets nobody wait


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: CONFIRMED, REJECTED, or what went wrong; the id, if it was accepted."""

    status: str
    order_id: str | None = None


async def travel(gateway: Connections, body: bytes, *, within_s: float) -> Ending:
    """Place an order and wait for its end. Nothing is raised: what goes wrong is an ending, too."""
    deadline_s = time.monotonic() + within_s
    order_id: str | None = None
    method, path = "POST", "/orders"
    try:
        while (left_s := deadline_s - time.monotonic()) > 0:
            asked_s = time.monotonic()
            wait_s = min(max(int(left_s), 1), WAIT_MAX_S)
            answer = await gateway.ask(method, path, body=body, wait_s=wait_s, within_s=left_s)
            if answer.status >= 400:
                return Ending(f"HTTP_{answer.status}", order_id)
            found = json.loads(answer.body)
            order_id = found["order_id"]
            if found.get("status") in ENDS:
                return Ending(found["status"], order_id)
            method, path, body = "GET", f"/orders/{order_id}", b""
            if time.monotonic() < asked_s + LOOK_S:
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        pass
    except OSError as error:
        return Ending(type(error).__name__, order_id)
    return Ending("NOT_ENDED", order_id)


async def look(gateway: Connections, order_id: str, *, within_s: float) -> str:
    """Read an order; say OK, or what went wrong."""
    try:
        answer: Answer = await gateway.ask("GET", f"/orders/{order_id}", within_s=within_s)
    except OSError as error:
        return type(error).__name__
    return "OK" if answer.status == 200 else f"HTTP_{answer.status}"
