"""`sagactl topic`, as people and scripts use it, on a running platform."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from sagaline.chassis.partitioner import partition_of
from sagaline.local.views import Order
from sagaline.testing.platform import Platform
from schemas import CATALOG
from tests.integration.forked_command import run_command

pytestmark = pytest.mark.timeout(300)

CHECKOUT = Path(__file__).parents[3]
WITHIN_S = 60.0


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


class Command:
    """`sagactl topic`, for the platform of a test."""

    def __init__(self, platform: Platform) -> None:
        self._state = ("--state", str(platform.embedded.state.path))

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """A process of its own, as people have it."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sagaline.cli", "topic", *arguments, *self._state),
            cwd=CHECKOUT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str) -> Ended:
        """What is left when it has ended."""
        ended = await asyncio.to_thread(
            run_command,
            ["topic", *arguments, *self._state],
            folder=CHECKOUT,
            environment=os.environ,
            timeout_s=WITHIN_S,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    async def done(self, *arguments: str) -> Ended:
        ended = await self(*arguments)
        assert ended.code == 0, ended.err
        return ended

    async def json(self, *arguments: str) -> Any:
        return json.loads((await self.done(*arguments, "--json")).out)


@pytest.fixture
def topic(platform: Platform) -> Command:
    return Command(platform)


@pytest.fixture
async def order(platform: Platform) -> Order:
    return await platform.completed_order(within_s=WITHIN_S)


async def put(
    platform: Platform, name: str, key: UUID, value: bytes, headers: Mapping[str, str]
) -> int:
    """A record that no service wrote; its partition."""
    partition = partition_of(str(key), 4)
    producer = AIOKafkaProducer(bootstrap_servers=platform.embedded.kafka.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(
            name,
            key=str(key).encode(),
            value=value,
            partition=partition,
            headers=[(header, text.encode()) for header, text in headers.items()],
        )
    finally:
        await producer.stop()
    return partition


async def test_list_tells_of_every_topic_who_writes_who_reads_and_what_stands_there(
    platform: Platform, topic: Command, order: Order
) -> None:
    for name in ("inventory.commands.v1", "inventory.replies.v1"):
        await platform.consumed(name, within_s=WITHIN_S)
    listed = {each["name"]: each for each in (await topic.json("list"))["topics"]}
    assert listed.keys() >= CATALOG.topics.keys()
    stock = listed["inventory.commands.v1"]
    assert (stock["written_by"], stock["read_by"]) == ("saga_orchestrator", ["inventory_service"])
    assert stock["partitions"] == 4
    assert stock["records"] >= 2
    assert stock["lag"] == {"inventory_service": 0}
    table = (await topic.done("list")).lines
    assert len(table) == 1 + len(listed)  # a row is a line, for grep
    assert all(line.split()[0] == name for line, name in zip(table[1:], listed, strict=True))


async def test_describe_tells_types_retention_personal_data_and_offsets(
    topic: Command, order: Order
) -> None:
    described = await topic.json("describe", "payments.commands.v1")
    assert (described["key"], described["pii"]) == ("order_id", "pseudonymous")
    assert (described["retention_ms"], described["cleanup_policy"]) == (604_800_000, "delete")
    types = {each["name"]: each for each in described["types"]}
    assert types.keys() == set(CATALOG.topics["payments.commands.v1"].messages)
    authorize = types["payments.commands.AuthorizePayment"]
    assert authorize["personal_fields"] == ["customer_id"]
    message = CATALOG.messages["payments.commands.AuthorizePayment"]
    assert authorize["fingerprint"] == message.fingerprint.hex()
    assert authorize["doc"]
    offsets = described["offsets"]
    assert sum(each["end"] - each["begin"] for each in offsets) == described["records"]
    committed = described["groups"]["payment_service"]
    assert [each["partition"] for each in committed] == [0, 1, 2, 3]
    shown = (await topic.done("describe", "payments.commands.v1")).out
    assert "Personal: customer_id." in shown


async def test_tail_shows_an_orders_records_one_a_line_with_headers_and_payload(
    topic: Command, order: Order
) -> None:
    key = str(order.order_id)
    shown = await topic.done("tail", "inventory.commands.v1", "--key", key)
    reserve, commit = shown.lines
    assert "type=inventory.commands.ReserveStock" in reserve
    assert "step=reserve_stock direction=action generation=1" in reserve
    assert f'{{"order_id": "{key}"' in reserve
    assert "type=inventory.commands.CommitStock" in commit
    only = await topic.done(
        "tail", "inventory.commands.v1", "--key", key, "--type", "CommitStock", "--json"
    )
    (document,) = only.documents
    assert document["payload"] == {"order_id": key}
    assert document["headers"]["ce_sagastep"] == "commit_stock"
    saga = document["headers"]["ce_sagaid"]
    of_saga = await topic.done("tail", "sagas.events.v1", "--saga", saga, "--json")
    assert of_saga.documents[-1]["payload"]["state"] == "COMPLETED"


async def test_tail_takes_ranges_by_offset_and_by_time(topic: Command, order: Order) -> None:
    key = str(order.order_id)
    name = "orders.replies.v1"
    first, second = (await topic.done("tail", name, "--key", key, "--json")).documents
    place = f"{first['partition']}:{first['offset']}"
    (shown,) = (await topic.done("tail", name, "--from", place, "--limit", "1", "--json")).documents
    assert shown == first
    until = f"{second['partition']}:{second['offset']}"
    ranged = await topic.done("tail", name, "--from", place, "--until", until, "--json")
    assert first in ranged.documents
    assert second not in ranged.documents
    since = ("--from", second["timestamp"], "--key", key)
    assert second in (await topic.done("tail", name, *since, "--json")).documents
    assert (await topic.done("tail", name, "--from", "1h", "--until", "30m")).out == ""


async def test_what_cannot_be_decoded_is_shown_as_hex_and_the_tail_goes_on(
    platform: Platform, topic: Command
) -> None:
    name, key = "orders.events.v1", uuid4()  # nobody on the platform reads it
    partition = await put(platform, name, key, b"\x00not avro", {"ce_type": "\x1b[31mevil"})
    await put(platform, name, key, b"\xc3\x01" + bytes(500), {})
    bad, long = (await topic.done("tail", name, "--key", str(key))).lines
    assert bad.startswith(f"{partition}:")
    assert "UNDECODABLE" in bad
    assert b"\x00not avro".hex() in bad
    assert "\x1b" not in bad
    assert "502 bytes" in long
    (document, _) = (await topic.done("tail", name, "--key", str(key), "--json")).documents
    assert "no single-object encoding" in document["error"]
    assert (document["hex"], document["value_bytes"]) == (b"\x00not avro".hex(), 9)


async def test_redact_leaves_no_customer_in_what_is_shown(
    platform: Platform, topic: Command, order: Order
) -> None:
    arguments = ("tail", "payments.commands.v1", "--key", str(order.order_id))
    assert order.customer_id in (await topic.done(*arguments)).out
    redacted = await topic.done(*arguments, "--redact")
    assert order.customer_id not in redacted.out
    assert "(redacted)" in redacted.out
    assert "amount_minor" in redacted.out


async def test_follow_shows_what_comes_and_ctrl_c_ends_it_with_130(
    platform: Platform, topic: Command
) -> None:
    await platform.completed_order(within_s=WITHIN_S)
    process = await topic.start("tail", "sagas.events.v1", "--follow", "--from", "0", "--json")
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        json.loads(await process.stdout.readline())
        order = await platform.completed_order(within_s=WITHIN_S)
        while json.loads(await process.stdout.readline())["key"] != str(order.order_id):
            pass
        process.send_signal(signal.SIGINT)
        rest, err = await process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    for line in rest.splitlines():
        json.loads(line)


async def test_who_reads_only_the_first_line_of_a_tail_gets_no_complaint(
    platform: Platform, topic: Command, order: Order
) -> None:
    process = await topic.start("tail", "sagas.events.v1", "--follow", "--from", "0")
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(WITHIN_S):
        assert await process.stdout.readline()
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # as `head`
        while process.returncode is None:
            await platform.completed_order(within_s=WITHIN_S)
    assert (process.returncode, await process.stderr.read()) == (1, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("tail", "inventory.command.v1"), 1, "Is it inventory.commands.v1"),
        (("describe", "inventory"), 1, "'./sagactl topic list' names them all"),
        (("tail", "inventory.commands.v1", "--type", "ReserveStok"), 1, "Is it ReserveStock"),
        (("tail", "inventory.commands.v1", "--from", "soon"), 2, "--from"),
        (("tail", "inventory.commands.v1", "--from", "9:1"), 1, "its partitions are 0 to 3"),
        (("tail", "inventory.commands.v1", "-f", "--until", "5"), 2, "--until"),
        (("replay", "inventory.commands.v1", "--live"), 2, "--reason"),
        (("replay", "sagas.events.v1", "--live", "--reason", "x"), 1, "never replayed live"),
        (("replay", "orders.dlq.v1", "--live", "--reason", "x"), 1, "never replayed live"),
        (("replay", "inventory.commands.v1", "--to", "orders.commands.v1"), 1, "'sandbox.'"),
        (("replay-stop", "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f"), 1, "No service has a replay"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else None,
)
async def test_what_is_wrong_is_said_with_what_to_do(
    topic: Command, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ended = await topic(*arguments)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert says in " ".join(ended.err.split())
    assert "Traceback" not in ended.err


async def test_a_sandbox_has_the_records_as_they_were_and_where_they_stood(
    topic: Command, order: Order
) -> None:
    name, key = "inventory.commands.v1", str(order.order_id)
    made = await topic.json("replay", name, "--key", key)
    assert (made["copied"], made["unread"]) == (2, 0)
    assert made["sandbox"].startswith(f"sandbox.{name}.")
    originals = (await topic.done("tail", name, "--key", key, "--json")).documents
    copies = (await topic.done("tail", made["sandbox"], "--json")).documents
    assert len(copies) == 2
    for copy, original in zip(copies, originals, strict=True):
        for part in ("partition", "key", "type", "payload"):
            assert copy[part] == original[part]
        added = copy["headers"].items() - original["headers"].items()
        assert original["headers"].items() <= copy["headers"].items()
        assert dict(added).keys() == {"ce_replayid"} | {
            f"ce_origin{part}" for part in ("topic", "partition", "offset", "time")
        }
        assert copy["headers"]["ce_origintopic"] == name
        assert copy["headers"]["ce_originoffset"] == str(original["offset"])
        assert copy["headers"]["ce_origintime"].startswith(original["timestamp"][:19])
    described = await topic.json("describe", made["sandbox"])
    assert (described["partitions"], described["retention_ms"]) == (4, 24 * 3600 * 1000)
    again = await topic.json("replay", name, "--key", key, "--to", made["sandbox"])
    assert again["copied"] == 2
    assert (await topic.json("describe", made["sandbox"]))["records"] == 4


async def test_a_live_replay_is_shown_to_its_end_and_listed_afterwards(
    topic: Command, order: Order
) -> None:
    name, key = "inventory.commands.v1", str(order.order_id)
    arguments = ("replay", name, "--key", key, "--live", "--reason", "a drill", "--yes")
    done = await topic.json(*arguments)
    assert (done["state"], done["sent"], done["reason"]) == ("done", 2, "a drill")
    listed = {each["id"]: each for each in (await topic.json("replays"))["replays"]}
    assert listed[done["id"]]["state"] == "done"
    assert done["id"] in (await topic.done("replays")).out
    records = (await topic.done("tail", name, "--key", key, "--json")).documents
    assert [each["headers"]["ce_id"] for each in records[:2]] == [
        each["headers"]["ce_id"] for each in records[2:]
    ]
    assert [each["headers"].get("ce_replayid") for each in records] == [None, None] + 2 * [
        done["id"]
    ]
    stopped = await topic("replay-stop", done["id"])
    assert (stopped.code, "is done" in stopped.err) == (1, True)
