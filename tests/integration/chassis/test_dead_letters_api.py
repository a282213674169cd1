"""Operators' requests for dead letters: what they see, which they choose, what they are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sagaline.chassis import dead_letters_api, wiring
from tests.http_side import application, client_of
from tests.integration.chassis.parcels import order
from tests.integration.chassis.stage import Stage

GARBAGE = b"\x00 no Avro"


@asynccontextmanager
async def operators_of(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The shop's operators' side, without sockets."""
    running = stage.running()
    tables = {stage.commands: stage.shop.handlers}
    inbox = wiring.inbox_of(running, tables)
    running.parts.append(wiring.dead_letters_of(running, tables, inbox))
    app = application(dead_letters_api.router, registry=running.metrics)
    app.state.running = running
    async with client_of(app) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(client: httpx.AsyncClient, path: str, **body: object) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def break_down(stage: Stage, *numbers: int) -> None:
    """Actions of these orders are parked, though by now they could be handled."""
    stage.shop.broken = set(numbers)
    await stage.handle_directly(*(stage.action(number) for number in numbers))
    stage.shop.broken.clear()


async def test_pages_show_each_record_once_in_the_order_of_parking(stage: Stage) -> None:
    await break_down(stage, *range(1, 6))
    async with operators_of(stage) as client:
        first = await get(client, "/dlq?limit=3")
        rest = await get(client, f"/dlq?limit=3&cursor={first['next']}")
    found = [*first["dead_letters"], *rest["dead_letters"]]
    assert sorted(each["key"] for each in found) == [str(order(n)) for n in range(1, 6)]
    assert [each["id"] for each in found] == sorted(each["id"] for each in found)
    assert rest["next"] is None


async def test_records_are_found_by_error_topic_and_key(stage: Stage) -> None:
    await break_down(stage, 1)
    await stage.handle_directly(replace(stage.action(2), value=GARBAGE))
    queries = {
        "error_class=ValueError": [1],
        "error_class=Behind": [],
        f"topic={stage.commands}": [1, 2],
        "topic=none": [],
        f"key={order(2)}": [2],
    }
    async with operators_of(stage) as client:
        for query, numbers in queries.items():
            found = (await get(client, f"/dlq?{query}"))["dead_letters"]
            assert [each["key"] for each in found] == [str(order(n)) for n in numbers], query


async def test_a_record_is_shown_whole_with_what_waits_behind_it(stage: Stage) -> None:
    await break_down(stage, 1)
    await stage.handle_directly(replace(stage.undo(1), value=GARBAGE))
    async with operators_of(stage) as client:
        action, undo = (await get(client, "/dlq"))["dead_letters"]
        shown = await get(client, f"/dlq/{action['id']}")
        assert shown["payload"]["fields"]["order_id"] == str(order(1))
        assert shown["headers"]["ce_type"] == action["type"] == "inventory.commands.ReserveStock"
        assert (shown["behind_count"], shown["behind"]) == (1, [undo])
        hidden = await get(client, f"/dlq/{undo['id']}")
    assert bytes.fromhex(hidden["payload"]["hex"]) == GARBAGE
    assert "no single-object encoding" in hidden["payload"]["reason"]
    assert hidden["behind"] == []


async def test_a_redrive_of_an_id_brings_its_key_and_no_other(stage: Stage) -> None:
    await break_down(stage, 1, 2)
    await stage.handle_directly(stage.undo(1))
    async with operators_of(stage) as client:
        found = (await get(client, f"/dlq?key={order(1)}"))["dead_letters"]
        answer = await post(client, "/dlq/redrive", id=found[1]["id"], who="ada")
    assert [(each["done"], each["left"]) for each in answer["keys"]] == [(2, 0)]
    assert await stage.parked() == [(2, "ValueError")]


async def test_a_filter_deals_with_each_key_and_says_what_failed(stage: Stage) -> None:
    await break_down(stage, 1, 2, 3)
    await stage.handle_directly(replace(stage.action(4), value=GARBAGE))
    stage.shop.broken = {2}
    async with operators_of(stage) as client:
        answer = await post(client, "/dlq/redrive", error_class="ValueError")
    dealt = {each["key"]: (each["done"], each["error_class"]) for each in answer["keys"]}
    fixed, broken = (1, None), (0, "ValueError")
    assert dealt == {str(order(1)): fixed, str(order(2)): broken, str(order(3)): fixed}
    assert answer["next"] is None
    assert await stage.parked() == [(4, "UndecodableRecord"), (2, "ValueError")]


async def test_a_discard_of_an_id_leaves_what_is_behind_it(stage: Stage) -> None:
    await break_down(stage, 1)
    await stage.handle_directly(stage.undo(1, saw="indoubt"))
    async with operators_of(stage) as client:
        action, _ = (await get(client, "/dlq"))["dead_letters"]
        answer = await post(client, "/dlq/discard", id=action["id"], reason="lost", who="ada")
        assert [(each["done"], each["left"]) for each in answer["keys"]] == [(1, 1)]
        answer = await post(client, "/dlq/redrive", key=str(order(1)))
    assert [(each["done"], each["left"]) for each in answer["keys"]] == [(1, 0)]
    assert await stage.outcomes(1) == ["parked", "parked", "discarded", "undo_noop"]


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/dlq/discard", {"id": 1}, 422),  # without a reason
        ("/dlq/discard", {"id": 1, "reason": "  "}, 422),
        ("/dlq/discard", {"id": 1, "reason": "why not"}, 404),
        ("/dlq/redrive", {"id": 1}, 404),
        ("/dlq/redrive", {}, 422),  # everything, by mistake
        ("/dlq/redrive", {"id": 1, "topic": "t"}, 422),
        ("/dlq/redrive", {"topic": "t", "cursor": "x"}, 422),
        ("/dlq/redrive", {"key": "nobody"}, 200),
    ],
)
async def test_what_is_not_there_or_not_said(
    shared: Stage, path: str, body: dict[str, object], status: int
) -> None:
    async with operators_of(shared) as client:
        assert (await client.post(path, json=body)).status_code == status
