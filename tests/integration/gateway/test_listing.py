"""Pages of orders: each once, the newest first, whatever comes in between."""

import asyncio
from typing import Any

import pytest

from gateway_service import listing
from tests.integration.gateway.stage import AN_ORDER, Gateway
from tests.integration.gateway.test_projection import project, snapshot


async def several(gateway: Gateway, count: int, *, customer: str = "c-1") -> list[str]:
    """Orders placed one after another; the ids, the newest first."""
    order = AN_ORDER | {"customer_id": customer}
    placed = [str((await gateway.post(order)).json()["order_id"]) for _ in range(count)]
    return placed[::-1]


async def page(gateway: Gateway, **query: str | int | None) -> dict[str, Any]:
    given = {name: value for name, value in query.items() if value is not None}
    answer = await gateway.client.get("/orders", params=given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [order["order_id"] for order in found["orders"]]


async def all_pages(gateway: Gateway, **query: str | int) -> list[str]:
    found = await page(gateway, **query)
    orders = ids(found)
    while found["next"] is not None:
        found = await page(gateway, cursor=found["next"], **query)
        orders += ids(found)
    return orders


async def end(gateway: Gateway, *orders: str) -> None:
    ends = [snapshot(each, 3, state="COMMITTED", verdict="committed") for each in orders]
    await project(gateway, *ends)


async def test_pages_have_every_order_once_the_newest_first(gateway: Gateway) -> None:
    orders = await several(gateway, 7)
    assert await all_pages(gateway, limit=3) == orders
    assert await all_pages(gateway) == orders
    assert await all_pages(gateway, limit=7) == orders


async def test_orders_that_come_meanwhile_shift_no_page(gateway: Gateway) -> None:
    orders = await several(gateway, 4)
    first = await page(gateway, limit=2)
    newer = await several(gateway, 3)
    second = await page(gateway, limit=2, cursor=first["next"])
    assert ids(first) + ids(second) == orders
    assert await all_pages(gateway) == newer + orders


async def test_orders_of_one_moment_are_told_apart(gateway: Gateway) -> None:
    await asyncio.gather(*(gateway.post() for _ in range(20)))
    async with gateway.running.database.transaction() as tx:
        await tx.run("UPDATE order_request SET placed_at = '2026-11-22T12:00:00.000001Z'")
    found = await all_pages(gateway, limit=3)
    assert len(found) == len(set(found)) == 20
    assert found == sorted(found, reverse=True)


async def test_a_customer_sees_its_own(gateway: Gateway) -> None:
    hers, others = await several(gateway, 3, customer="ada"), await several(gateway, 2)
    assert await all_pages(gateway, customer_id="ada", limit=2) == hers
    assert await all_pages(gateway, customer_id="c-1", limit=2) == others
    assert await all_pages(gateway, customer_id="nobody") == []


async def test_orders_are_found_by_how_they_stand(gateway: Gateway) -> None:
    orders = await several(gateway, 5)
    await end(gateway, orders[1], orders[3])
    await project(gateway, snapshot(orders[0], 1))
    assert await all_pages(gateway, status="CONFIRMED", limit=1) == [orders[1], orders[3]]
    assert await all_pages(gateway, status="PENDING") == [orders[0], orders[2], orders[4]]
    assert await all_pages(gateway, status="REJECTED", customer_id="c-1") == []


async def test_what_is_passed_over_for_a_page_has_a_limit(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = await several(gateway, 8)
    await end(gateway, orders[6])
    # The statement as it would be with a smaller number; 2,000 orders would take long.
    short = listing.ALL.replace(str(listing.SCANNED_MAX), "3")
    monkeypatch.setattr(listing, "ALL", short)
    first = await page(gateway, status="CONFIRMED")
    assert first["orders"] == []
    assert first["next"] is not None
    assert await all_pages(gateway, status="CONFIRMED") == [orders[6]]
    assert await all_pages(gateway) == orders


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "WzEsIDJd"},
        {"cursor": "WyIyMDI2LTExLTIyVDEyOjAwOjAwIiwgIm5vIl0"},
        {"limit": 0},
        {"limit": 201},
        {"status": "LOST"},
        {"customer_id": "no spaces"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    gateway: Gateway, query: dict[str, str]
) -> None:
    answer = await gateway.client.get("/orders", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
