"""A topic's owner writes its records once more, through its outbox: which ones, and how."""

from uuid import uuid4

import pytest

from tests.integration.echo.replaying import echo, ranges, records, split
from tests.integration.echo.service import TOPIC

pytestmark = pytest.mark.timeout(180)

ADDED = {
    "ce_replayid",
    "ce_origintopic",
    "ce_originpartition",
    "ce_originoffset",
    "ce_origintime",
}


async def test_a_replay_writes_each_record_again_as_it_was_and_says_where_it_stood(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(5)
        replay_id = await service.begin(await ranges(bootstrap, notes))
        done = await service.ended(replay_id)
        assert (done["sent"], done["passed"], done["skipped"], done["problem"]) == (5, 0, 0, None)
        for note in notes:
            await service.heard(note, times=2)  # a record handler without a barrier hears again
        originals, copies = split(await records(bootstrap, notes))
        by_place = {(each.partition, each.offset): each for each in originals}
        assert len(copies) == len(originals) == 5
        for copy in copies:
            headers = dict(copy.headers)
            offset = headers["ce_originoffset"]
            assert offset is not None
            original = by_place[copy.partition, int(offset)]
            assert (copy.key, copy.value) == (original.key, original.value)
            assert {n: v for n, v in headers.items() if n not in ADDED} == dict(original.headers)
            assert headers["ce_origintopic"] == TOPIC.encode()
            assert headers["ce_originpartition"] == str(original.partition).encode()
            assert headers["ce_replayid"] == str(replay_id).encode()


async def test_only_records_of_the_keys_and_types_asked_for_are_written_again(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(4)
        where = await ranges(bootstrap, notes)
        one = await service.begin(where, keys=[str(notes[2])])
        assert (await service.ended(one))["sent"] == 1
        none = await service.begin(where, types=["orders.events.OrderConfirmed"])
        assert (await service.ended(none))["sent"] == 0
        _, copies = split(await records(bootstrap, notes))
        assert [copy.key for copy in copies] == [str(notes[2]).encode()]


async def test_the_same_replay_asked_for_twice_is_one(database_url: str, bootstrap: str) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(1)
        body = {"topic": TOPIC, "ranges": await ranges(bootstrap, notes), "reason": "a test"}
        replay_id = uuid4()
        for _ in range(2):
            answer = await service.operators.put(f"/replays/{replay_id}", json=body)
            assert answer.status_code == 202
            await service.ended(replay_id)
        listed = (await service.operators.get("/replays")).json()
        assert [each["id"] for each in listed] == [str(replay_id)]
        assert listed[0]["sent"] == 1


async def test_a_replay_that_only_others_may_write_or_nobody_is_refused(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        body = {"topic": TOPIC, "ranges": [{"partition": 0, "first": 0, "until": 1}], "reason": "x"}
        for change, status in (
            ({"topic": "orders.commands.v1"}, 409),
            ({"topic": "nowhere.v1"}, 409),
            ({"reason": "  "}, 422),
            ({"ranges": []}, 422),
            ({"ranges": [{"partition": -1, "first": 0, "until": 1}]}, 422),
            ({"per_s": 0}, 422),
        ):
            answer = await service.operators.put(f"/replays/{uuid4()}", json={**body, **change})
            assert answer.status_code == status, answer.text
        missing = await service.operators.get(f"/replays/{uuid4()}")
        assert missing.status_code == 404
        assert (await service.operators.get("/replays")).json() == []


async def test_offsets_that_no_log_holds_hold_up_nobody(database_url: str, bootstrap: str) -> None:
    async with echo(database_url, bootstrap) as service:
        (note,) = await service.notes(1)
        far = [{"partition": 0, "first": 400_000, "until": 400_712}]
        nowhere = [{"partition": 900, "first": 0, "until": 10}]
        first, second = await service.begin(far), await service.begin(nowhere)
        third = await service.begin(await ranges(bootstrap, [note]))
        for replay_id in (first, second):
            assert (await service.ended(replay_id))["sent"] == 0
        assert (await service.ended(third))["sent"] == 1
