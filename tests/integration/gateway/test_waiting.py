"""`Prefer: wait`: who asks for it is answered when the order ends, and never kept for nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from gateway_service import domain
from tests.integration.gateway.stage import AN_ORDER, Gateway, gateway_at, until
from tests.integration.gateway.test_projection import NOON, placed, project, snapshot

UNKNOWN = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"
LOOKS = "sagaline_order_look_requests_count"


async def end(gateway: Gateway, order: str) -> None:
    """The gateway's process shows this order as CONFIRMED."""
    await project(gateway, snapshot(order, 3, state="COMMITTED", verdict="committed"))


async def waiting_post(gateway: Gateway, wait: str, **headers: str) -> "asyncio.Task[Any]":
    before = gateway.watching.waiting
    post = asyncio.create_task(gateway.post(AN_ORDER, Prefer=wait, **headers))
    await until(lambda: gateway.watching.waiting == before + 1 or post.done())
    return post


async def the_order(gateway: Gateway) -> str:
    """The order that was placed last."""
    query = "SELECT order_id FROM order_request ORDER BY order_id DESC LIMIT 1"
    return str((await gateway.rows(query))[0][0])


async def waiting_get(gateway: Gateway, order: str, wait: str) -> "asyncio.Task[httpx.Response]":
    get = asyncio.create_task(gateway.client.get(f"/orders/{order}", headers={"Prefer": wait}))
    await until(lambda: gateway.watching.waiting == 1 or get.done())
    return get


async def test_an_order_is_answered_when_it_ends(gateway: Gateway) -> None:
    post = await waiting_post(gateway, "wait=30")
    order = await the_order(gateway)
    await project(gateway, snapshot(order, 1), snapshot(order, 2))
    await end(gateway, order)
    answer = await post
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == f"/orders/{order}"
    assert answer.json() == (await gateway.client.get(f"/orders/{order}")).json()
    assert answer.json()["status"] == "CONFIRMED"
    assert gateway.watching.waiting == 0


async def test_an_order_that_does_not_end_in_time_is_accepted_all_the_same(
    gateway: Gateway,
) -> None:
    answer = await gateway.post(Prefer="wait=1")
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    assert answer.headers["preference-applied"] == "wait=1"
    assert (answer.headers["retry-after"], gateway.watching.waiting) == ("1", 0)


async def test_a_wish_that_is_none_is_passed_over(gateway: Gateway) -> None:
    for wish in ("wait=0", "wait=soon", "respond-async", ""):
        answer = await gateway.post(Prefer=wish)
        assert answer.status_code == 202
        assert "preference-applied" not in answer.headers


async def test_more_than_30_s_are_not_promised(gateway: Gateway) -> None:
    post = await waiting_post(gateway, "wait=3600")
    await end(gateway, await the_order(gateway))
    assert (await post).headers["preference-applied"] == "wait=30"


async def test_a_repeated_order_that_has_ended_is_answered_at_once(gateway: Gateway) -> None:
    first = await gateway.post(key="k")
    await end(gateway, first.json()["order_id"])
    again = await gateway.post(key="k", Prefer="wait=30")
    assert (again.status_code, again.json()["status"]) == (200, "CONFIRMED")


async def test_a_look_at_an_order_waits_for_its_end(gateway: Gateway) -> None:
    order = await placed(gateway)
    get = await waiting_get(gateway, order, "wait=30")
    await project(gateway, snapshot(order, 1))
    assert not get.done()
    await end(gateway, order)
    answer = await get
    assert (answer.status_code, answer.json()["status"]) == (200, "CONFIRMED")
    assert answer.headers["preference-applied"] == "wait=30"


async def test_a_look_at_an_order_that_goes_on_shows_it_when_the_time_is_over(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 2))
    answer = await gateway.client.get(f"/orders/{order}", headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (200, "PENDING")
    assert answer.json()["saga"]["sequence"] == 2


async def test_an_order_that_has_ended_and_an_unknown_one_keep_nobody_waiting(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    await end(gateway, order)
    wish = {"Prefer": "wait=30"}
    assert (await gateway.client.get(f"/orders/{order}", headers=wish)).status_code == 200
    assert (await gateway.client.get(f"/orders/{UNKNOWN}", headers=wish)).status_code == 404


async def test_what_this_process_shows_is_answered_without_a_look(gateway: Gateway) -> None:
    posts = [asyncio.create_task(gateway.post(Prefer="wait=30")) for _ in range(100)]
    await until(lambda: gateway.watching.waiting == 100)
    orders = [str(row[0]) for row in await gateway.rows("SELECT order_id FROM order_request")]
    before = gateway.figure(LOOKS)
    ends = [snapshot(each, 3, state="COMMITTED", verdict="committed") for each in orders]
    await project(gateway, *ends)
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {200}
    # On a slow day some have had their turn of once a second before.
    assert gateway.figure(LOOKS) - before < 20
    shown = [(await gateway.client.get(f"/orders/{each}")).json() for each in orders]
    assert {each["order_id"]: each for each in shown} == {
        answer.json()["order_id"]: answer.json() for answer in answers
    }


async def test_many_that_wait_are_looked_up_together(gateway: Gateway) -> None:
    orders = [await placed(gateway) for _ in range(100)]
    before = gateway.figure(LOOKS)
    wish = {"Prefer": "wait=30"}
    gets = [
        asyncio.create_task(gateway.client.get(f"/orders/{each}", headers=wish)) for each in orders
    ]
    await until(lambda: gateway.watching.waiting == 100)
    ends = [snapshot(each, 3, state="COMMITTED", verdict="committed") for each in orders]
    await project(gateway, *ends)
    assert {(await get).json()["status"] for get in gets} == {"CONFIRMED"}
    assert gateway.figure(LOOKS) - before < 20


async def test_an_end_that_is_shown_again_by_a_later_state_is_when_it_was(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 1))
    async with gateway.running.database.transaction() as tx:
        await tx.execute(
            text(
                "UPDATE order_view SET sequence = 3, status = 'CONFIRMED', ended_at ="
                " '2026-11-22T12:00:00Z'"
            )
        )
    heard: list[domain.View] = []
    with gateway.news.heard_by(heard.extend):
        later = snapshot(order, 4, state="COMPLETED", verdict="committed")
        await project(gateway, later, at=NOON + timedelta(hours=1))
        await project(gateway, later, snapshot(UNKNOWN, 4))
    assert [(view.sequence, view.ended_at) for view in heard] == [(4, NOON)]


async def test_an_end_that_nobody_told_of_is_found_soon(gateway: Gateway) -> None:
    post = await waiting_post(gateway, "wait=30")
    order = await the_order(gateway)
    async with gateway.running.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO order_view SELECT order_id, 3, 'REJECTED', order_id, 'place-order', 1,"
                " 'COMPENSATED', NULL, NULL, NULL, '[]', now(), now(), now() FROM order_request"
            )
        )
    answer = await post
    assert (answer.status_code, answer.json()["order_id"]) == (200, order)


async def test_who_goes_away_waits_no_more(gateway: Gateway) -> None:
    left = asyncio.Event()
    body = b'{"customer_id":"c-1","currency":"EUR","lines":[{"sku":"LAMP","quantity":1}]}'
    sent = False

    async def receive() -> dict[str, object]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        pass

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/orders",
        "raw_path": b"/orders",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"prefer", b"wait=30")],
    }
    request = asyncio.create_task(gateway.running.app(scope, receive, send))
    await until(lambda: gateway.watching.waiting == 1)
    left.set()
    await request
    assert gateway.watching.waiting == 0


async def test_no_more_wait_than_are_let_and_the_next_is_answered_at_once(
    database_url: str,
) -> None:
    async with gateway_at(database_url, waiting_max=1) as gateway:
        first = await waiting_post(gateway, "wait=30")
        second = await gateway.post(Prefer="wait=30")
        assert (second.status_code, gateway.watching.waiting) == (202, 1)
        assert "preference-applied" not in second.headers
        query = "SELECT order_id FROM order_request ORDER BY order_id"
        await end(gateway, str((await gateway.rows(query))[0][0]))
        assert (await first).status_code == 200


async def test_a_stopping_gateway_answers_who_waits_at_once(gateway: Gateway) -> None:
    post = await waiting_post(gateway, "wait=30")
    order = await the_order(gateway)
    get = asyncio.create_task(gateway.client.get(f"/orders/{order}", headers={"Prefer": "wait=30"}))
    await until(lambda: gateway.watching.waiting == 2)
    gateway.running.stopping.set()
    async with asyncio.timeout(20):
        assert (await post).status_code == 202
        assert (await get).json()["status"] == "PENDING"


async def test_the_api_document_tells_of_the_wish_to_wait(gateway: Gateway) -> None:
    paths = (await gateway.client.get("/openapi.json")).json()["paths"]
    post, get = paths["/orders"]["post"], paths["/orders/{order_id}"]["get"]
    for operation, status in ((post, "200"), (post, "202"), (get, "200")):
        assert "Prefer" in {parameter["name"] for parameter in operation["parameters"]}
        assert "Preference-Applied" in operation["responses"][status]["headers"]
    shown = post["responses"]["200"]["content"]["application/json"]["schema"]
    assert shown["$ref"].endswith("/OrderShown")
