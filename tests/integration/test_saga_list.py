"""The operators' list of sagas: what is in it, in which order, and how its pages fit together."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import httpx

from sagaline.local.client import ORCHESTRATOR, PAYMENT
from sagaline.testing.platform import Platform
from tests.integration.echo.stage import becomes

WITHIN_S = 60.0
Line: TypeAlias = Mapping[str, Any]


async def listed(platform: Platform, **wanted: object) -> httpx.Response:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return await platform.client.ask(ORCHESTRATOR, "GET", f"/sagas?{query}", operator=True)


async def pages(platform: Platform, *, until: UUID, **wanted: object) -> list[Line]:
    """Lines, page by page, up to the order's."""
    lines: list[Line] = []
    while True:
        answer = (await listed(platform, **wanted)).json()
        lines += answer["sagas"]
        if str(until) in keys(lines) or answer["next"] is None:
            return lines
        wanted["cursor"] = answer["next"]


def keys(lines: Sequence[Line]) -> list[str]:
    return [line["key"] for line in lines]


async def test_pages_hold_each_saga_once_newest_first_also_while_others_begin(
    platform: Platform,
) -> None:
    placed = [(await platform.completed_order(within_s=WITHIN_S)).order_id for _ in range(5)]
    first = (await listed(platform, limit=2, state="COMPLETED")).json()
    await platform.completed_order(within_s=WITHIN_S)
    rest = await pages(platform, until=placed[0], limit=2, state="COMPLETED", cursor=first["next"])
    found = keys([*first["sagas"], *rest])
    assert found[:5] == [str(order_id) for order_id in reversed(placed)]


async def test_sagas_are_found_by_how_they_stand(platform: Platform) -> None:
    confirmed = await platform.completed_order(within_s=WITHIN_S)
    poor = await platform.a_customer(limit_minor=1)
    rejected = await platform.place(customer_id=poor)
    await platform.saga_ended(rejected, within_s=WITHIN_S)
    lines = await pages(platform, until=rejected, state="COMPENSATED")
    (line,) = [line for line in lines if line["key"] == str(rejected)]
    assert (line["failed_step"], line["stalled"]) == ("authorize_payment", [])
    assert str(confirmed.order_id) not in keys(lines)
    assert keys(await pages(platform, until=rejected, definition="place-order"))
    assert not keys(await pages(platform, until=rejected, definition="no-such"))
    assert str(rejected) not in keys(await pages(platform, until=rejected, stalled="true"))
    lines_wanted, solvent = {await platform.a_sku(): 1}, await platform.a_customer()
    await platform.stop(PAYMENT)
    waiting = await platform.place(lines_wanted, customer_id=solvent)
    await becomes(
        lambda: pages(platform, until=waiting, state="RUNNING"),
        lambda lines: str(waiting) in keys(lines),
    )
    await platform.start(PAYMENT)
    await platform.saga_ended(waiting, within_s=WITHIN_S)


async def test_a_cursor_that_nobody_gave_and_a_state_that_is_none_are_refused(
    platform: Platform,
) -> None:
    for wrong in ({"cursor": "x"}, {"cursor": "WzFd"}, {"state": "GONE"}, {"limit": "0"}):
        assert (await listed(platform, **wrong)).status_code == 422, wrong
