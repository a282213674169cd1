"""Quarantined rows go out after all, in the order of their key, or are given up."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

import schemas
from sagaline.chassis import outbox_api, web
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.envelope import Encoded, reply_id
from sagaline.chassis.fresh import Fresh
from sagaline.chassis.lane import Lane
from sagaline.chassis.lane_rows import Verdict
from sagaline.chassis.outbox import Outbox
from sagaline.testing.runtime import TestServer
from tests.http_side import application, client_of
from tests.integration.relay.stage import (
    Writer,
    create_topic,
    eventually,
    first_values,
    is_,
    log_of,
    new_relay,
    running,
)


@asynccontextmanager
async def operators_of(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The service's operators' side, without sockets."""
    outbox = Outbox(
        Codec(schemas.CATALOG),
        service="inventory_service",
        message_bytes_max=262_144,
        clock=lambda: datetime.now(UTC),
    )
    engine = open_engine(database_url, pool_size=2, command_timeout_s=10)
    database = Database(engine, flush=outbox.flush)
    app = application(outbox_api.router)
    app.dependency_overrides[web.database] = lambda: database
    async with client_of(app) as client:
        yield client
    await database.close()


def envelope(key: str, **saga: str) -> Mapping[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": "inventory.replies.StockRefused",
        "ce_source": "/inventory_service",
        "ce_subject": key,
        "ce_time": "2026-01-01T00:00:00Z",
        **{f"ce_{name}": text for name, text in saga.items()},
    }


async def quarantine(writer: Writer) -> None:
    """All that waits was found unpublishable."""
    await writer.connection.execute(
        "UPDATE sagaline.outbox SET quarantined_at = clock_timestamp(), error = 'too large'"
    )


async def interventions(writer: Writer) -> list[tuple[str, str, str]]:
    rows = await writer.connection.fetch(
        "SELECT verb, outcome, reason FROM sagaline.interventions WHERE subject = 'outbox'"
        " ORDER BY id"
    )
    return [(row["verb"], row["outcome"], row["reason"]) for row in rows]


async def test_a_redriven_key_goes_out_whole_and_in_order_once_it_can(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    late = f"{topic}.late"
    await writer.write("bad", "1", topic=late)  # which nobody has created
    async with (
        running(new_relay(database_url, kafka_bootstrap)),
        operators_of(database_url) as client,
    ):
        await eventually(lambda: is_(writer.quarantined(), ["bad"]), within_s=20, what="one")
        await writer.write("bad", "2", "3", topic=late)
        await eventually(lambda: is_(writer.quarantined(), ["bad"] * 3), within_s=20, what="all")
        await create_topic(kafka_bootstrap, late, partitions=1)
        rows = (await client.get("/outbox?state=quarantined")).json()["rows"]
        assert rows[0]["error"] == f"Kafka has no topic {late}"
        answer = await client.post(f"/outbox/{rows[1]['id']}/redrive", json={"reason": "it stands"})
        assert answer.json() == {"ids": [row["id"] for row in rows]}
        await writer.emptied()
    sent = await log_of(kafka_bootstrap, late, partitions=1)
    assert first_values(sent) == {"bad": ["1", "2", "3"]}
    assert await interventions(writer) == [("redrive", "done", "it stands")] * 3


async def test_what_can_still_not_be_sent_is_quarantined_again(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    await writer.write("bad", "1", topic=f"{topic}.never")
    async with (
        running(new_relay(database_url, kafka_bootstrap)),
        operators_of(database_url) as client,
    ):
        await eventually(lambda: is_(writer.quarantined(), ["bad"]), within_s=20, what="one")
        (row,) = (await client.get("/outbox")).json()["rows"]
        assert (await client.post(f"/outbox/{row['id']}/redrive", json={})).status_code == 200
        await eventually(lambda: is_(writer.quarantined(), ["bad"]), within_s=20, what="again")


async def test_what_was_released_meanwhile_is_not_quarantined_behind_nothing(
    writer: Writer, database_url: str
) -> None:
    first, second = await writer.write("order", "bad", "later")
    lane = Lane(database_url, number=0, owner="test", idle_session_timeout_ms=30_000, fresh=Fresh())
    assert await lane.try_take()
    now = datetime.now(UTC)
    (bad, _) = await lane.visible(10)
    assert await lane.quarantine([Verdict(bad, "too large", None)], now)
    (later,) = await lane.followers(10)
    notice = Encoded("replies", "order", "test", uuid4(), {"ce_type": "test"}, b"")
    behind = Verdict(later, "behind", notice, behind=True)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{first}/redrive", json={})
        assert answer.json() == {"ids": [first]}
    assert await lane.quarantine([behind], now) == []
    assert await writer.quarantined() == []
    assert await writer.count() == 2  # and no notice of it
    assert [row.id for row in await lane.visible(10)] == [first, second]
    assert lane.taken
    assert await lane.quarantine([Verdict(bad, "too large", None), behind], now) == [
        Verdict(bad, "too large", None),
        behind,
    ]
    assert await writer.quarantined() == ["order", "order"]
    await lane.release()


async def test_an_operator_waits_for_a_drainer_that_is_quarantining(
    writer: Writer, postgres_server: TestServer, database_url: str
) -> None:
    first, second = await writer.write("order", "bad", "later")
    await writer.connection.execute("INSERT INTO sagaline.lanes VALUES (0, 1, 'test')")
    await quarantine_one(writer, first)
    name = urlsplit(database_url).path.removeprefix("/")
    drainer = await asyncpg.connect(postgres_server.url(name, "postgres"))
    async with operators_of(database_url) as client:
        async with drainer.transaction():
            await drainer.execute("SELECT FROM sagaline.lanes FOR UPDATE")
            asked = asyncio.create_task(client.post(f"/outbox/{first}/redrive", json={}))
            await eventually(lambda: somebody_waits(writer), within_s=20, what="it waits")
            await quarantine_one(Writer(drainer, "any"), second)
        assert (await asked).json() == {"ids": [first, second]}
    await drainer.close()


async def quarantine_one(writer: Writer, id_: int) -> None:
    await writer.connection.execute(
        "UPDATE sagaline.outbox SET quarantined_at = clock_timestamp(), error = 'x' WHERE id = $1",
        id_,
    )


async def somebody_waits(writer: Writer) -> bool:
    return bool(
        await writer.connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_a_discarded_refusal_tells_its_saga(writer: Writer, database_url: str) -> None:
    key, cause = str(uuid4()), uuid4()
    reply = envelope(
        key,
        sagaid=str(uuid4()),
        sagastep="reserve_stock",
        sagadirection="action",
        sagageneration="1",
        sagaoutcome="refused",
        causationid=str(cause),
    )
    topic = "inventory.replies.v1"
    (id_,) = await writer.write(key, "refused", topic=topic, headers=reply)
    await writer.write(key, "behind", topic=topic, headers=envelope(key))
    await quarantine(writer)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{id_}/discard", json={"reason": "unreadable"})
        assert answer.json() == {"id": id_, "left": 1}
    rows = await writer.connection.fetch("SELECT headers FROM sagaline.outbox ORDER BY id")
    told = json.loads(rows[1]["headers"])
    kept = ("ce_sagaid", "ce_sagastep", "ce_sagadirection", "ce_sagageneration", "ce_causationid")
    assert {name: told[name] for name in kept} == {name: reply[name] for name in kept}
    assert told["ce_sagaoutcome"] == "discarded"
    assert told["ce_id"] == str(reply_id(cause, "discarded"))
    assert await interventions(writer) == [("discard", "done", "unreadable")]


async def test_what_has_happened_can_not_be_unsaid(writer: Writer, database_url: str) -> None:
    key = str(uuid4())
    headers = envelope(key, sagaid=str(uuid4()), sagastep="s", sagaoutcome="succeeded")
    (id_,) = await writer.write(key, "x", headers=headers)
    await quarantine(writer)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{id_}/discard", json={"reason": "away with it"})
    assert answer.status_code == 409
    assert "what has happened (succeeded)" in answer.json()["detail"]
    assert await writer.count() == 1
    assert await interventions(writer) == []


async def test_a_discarded_command_is_only_gone(writer: Writer, database_url: str) -> None:
    key = str(uuid4())
    headers = envelope(key, sagaid=str(uuid4()), sagastep="s", sagadirection="action")
    (id_,) = await writer.write(key, "x", headers=headers)
    await quarantine(writer)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{id_}/discard", json={"reason": "too large"})
    assert answer.json() == {"id": id_, "left": 0}
    assert await writer.count() == 0


@pytest.mark.parametrize("outcome", ["succeeded", "refused", "no outcome at all"])
async def test_a_copy_of_a_parked_reply_can_be_given_up_and_tells_nobody(
    writer: Writer, database_url: str, outcome: str
) -> None:
    key = str(uuid4())
    reply = envelope(
        key,
        sagaid=str(uuid4()),
        sagastep="reserve_stock",
        sagadirection="action",
        sagageneration="1",
        sagaoutcome=outcome,
        causationid=str(uuid4()),
    )
    copy = {**reply, "sagaline-origin": "inventory.replies.v1/0/7"}
    (id_,) = await writer.write(key, "x", topic="sagas.dlq.v1", headers=copy)
    await quarantine(writer)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{id_}/discard", json={"reason": "it is parked"})
    assert answer.json() == {"id": id_, "left": 0}
    assert await writer.count() == 0
    assert await interventions(writer) == [("discard", "done", "it is parked")]


async def test_a_copy_of_no_envelope_can_be_given_up(writer: Writer, database_url: str) -> None:
    headers = {"ce_id": "none", "sagaline-origin": "inventory.replies.v1/0/7"}
    (id_,) = await writer.write("key", "x", topic="sagas.dlq.v1", headers=headers)
    await quarantine(writer)
    async with operators_of(database_url) as client:
        answer = await client.post(f"/outbox/{id_}/discard", json={"reason": "it is parked"})
    assert answer.json() == {"id": id_, "left": 0}


async def test_only_what_is_quarantined_is_touched(writer: Writer, database_url: str) -> None:
    (id_,) = await writer.write("key", "x", headers=envelope("key"))
    async with operators_of(database_url) as client:
        (row,) = (await client.get("/outbox?state=waiting")).json()["rows"]
        assert row["id"] == id_
        assert (await client.get("/outbox?state=quarantined")).json()["rows"] == []
        for verb in ("redrive", "discard"):
            body = {"reason": "impatience"}
            assert (await client.post(f"/outbox/{id_}/{verb}", json=body)).status_code == 409
            assert (await client.post(f"/outbox/{id_ + 1}/{verb}", json=body)).status_code == 404
        assert (await client.post(f"/outbox/{id_}/discard", json={})).status_code == 422
    assert await writer.count() == 1
