"""A poison record is set aside with what follows it in its key; nobody else stops."""

import random
import string
from dataclasses import replace
from uuid import UUID

import pytest

from sagaline.chassis import wiring
from sagaline.chassis.envelope import KEY_CHARACTERS_MAX
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.interventions import Mandate
from sagaline.chassis.parking import Queue
from schemas.messages import CapturePayment  # of another service
from tests.integration.chassis.parcels import Parcel, order
from tests.integration.chassis.stage import Stage


def undecodable(stage: Stage, number: int) -> Parcel:
    return replace(stage.action(number), value=b"\x00 no Avro")


async def letters(stage: Stage) -> list[tuple[str, str]]:
    """Origin and error class of the dead letters that wait to be sent."""
    rows = await stage.query(
        "SELECT headers ->> 'sagaline-origin', headers ->> 'sagaline-error-class'"
        " FROM sagaline.outbox WHERE topic = :topic ORDER BY id",
        {"topic": stage.letters},
    )
    return [(str(origin), str(error)) for origin, error in rows]


async def test_a_record_that_cant_be_decoded(stage: Stage) -> None:
    await stage.handle_all(stage.action(5), undecodable(stage, 1), stage.action(9), stage.action(2))
    assert await stage.parked() == [(1, "UndecodableRecord")]
    assert await stage.parked_keys() == {1: 1}
    assert await letters(stage) == [(f"{stage.commands}/1/1", "UndecodableRecord")]
    assert await stage.outcomes(1) == ["parked"]
    assert await stage.effects() == {(5, "reserved"): 1, (9, "reserved"): 1, (2, "reserved"): 1}


async def test_a_parked_row_is_the_record_as_it_stood(stage: Stage) -> None:
    poison = undecodable(stage, 1)
    await stage.handle_directly(poison)
    names, values, value = (
        await stage.query("SELECT header_names, header_values, value FROM sagaline.parked")
    )[0]
    assert isinstance(names, list)
    assert isinstance(values, list)
    assert tuple(zip(names, values, strict=True)) == poison.headers
    assert value == poison.value


async def test_the_saga_is_told_of_its_parked_command(stage: Stage) -> None:
    await stage.handle_directly(undecodable(stage, 1))
    rows = await stage.query(
        "SELECT headers FROM sagaline.outbox WHERE topic = :t", {"t": stage.replies}
    )
    headers = rows[0][0]
    assert isinstance(headers, dict)
    command = dict(undecodable(stage, 1).headers)
    for name in (
        "ce_sagaid",
        "ce_sagastep",
        "ce_sagadirection",
        "ce_sagageneration",
        "ce_subject",
        "traceparent",
    ):
        assert headers[name].encode() == command[name]
    assert headers["ce_causationid"].encode() == command["ce_id"]
    assert headers["ce_sagaoutcome"] == "parked"


@pytest.mark.parametrize(
    "header", ["ce_id", "ce_type", "ce_sagaid", "ce_sagastep", "ce_specversion"]
)
async def test_a_record_without_a_header(stage: Stage, header: str) -> None:
    poison = stage.action(1).with_headers(**{header: None})
    await stage.handle_directly(poison, stage.action(5), stage.undo(1, saw="indoubt"))
    assert await stage.parked() == [(1, "MalformedEnvelope"), (1, "Behind")]
    assert await stage.effects() == {(5, "reserved"): 1}
    # Only the undo can say to whom the notice of its parking goes.
    assert [each.direction for each in await stage.answers() if each.order == 1] == ["undo"]


async def test_a_handler_that_fails_for_one_order(stage: Stage) -> None:
    stage.shop.broken = {5}
    await stage.handle_all(stage.action(1), stage.action(5), stage.undo(5), stage.action(9))
    assert await stage.parked() == [(5, "ValueError"), (5, "Behind")]
    assert await stage.parked_keys() == {1: 1}
    assert await stage.outcomes(5) == ["parked", "parked"]
    assert await stage.effects() == {(1, "reserved"): 1, (9, "reserved"): 1}
    alone = [batch for batch in stage.shop.batches if batch == [5]]
    assert len(alone) == 3  # attempts_max


async def test_a_record_of_an_unknown_type(stage: Stage) -> None:
    foreign = stage.parcel(1, CapturePayment(order_id=UUID(int=1)), "action", 1)
    await stage.handle_directly(foreign, stage.action(5))
    assert await stage.parked() == [(1, "UnexpectedMessage")]
    assert await stage.effects() == {(5, "reserved"): 1}


async def test_later_records_of_the_key_park_behind_it_in_order(stage: Stage) -> None:
    stage.shop.broken = {1}
    await stage.handle_all(stage.action(1))
    stage.shop.broken.clear()
    await stage.handle_all(stage.undo(1), stage.action(5))  # after a restart
    await stage.handle_all(stage.revoke(1))
    assert await stage.parked() == [(1, "ValueError"), (1, "Behind"), (1, "Behind")]
    rows = await stage.query('SELECT type FROM sagaline.parked ORDER BY "offset"')
    assert [str(kind).rpartition(".")[2] for (kind,) in rows] == [
        "ReserveStock",
        "ReleaseStock",
        "Revoke",
    ]
    assert await stage.parked_keys() == {1: 1}
    assert await stage.outcomes(1) == ["parked"] * 3
    assert await stage.effects() == {(5, "reserved"): 1}


async def test_parked_keys_are_counted_once_each(stage: Stage) -> None:
    await stage.handle_directly(
        undecodable(stage, 1), undecodable(stage, 5), undecodable(stage, 1), undecodable(stage, 2)
    )
    assert await stage.parked_keys() == {1: 2, 2: 1}
    await stage.handle_directly(undecodable(stage, 5), undecodable(stage, 9))
    assert await stage.parked_keys() == {1: 3, 2: 1}


async def test_the_log_says_what_failed_and_was_parked(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.shop.broken = {5}
    await stage.handle_directly(stage.action(1), stage.action(5), stage.action(9))
    lines = [line.msg for line in caplog.records if isinstance(line.msg, dict)]
    at = {"topic": stage.commands, "partition": 1, "offset": 1, "key": str(order(5))}
    said = {name: value.decode() for name, value in stage.action(5).headers}
    whose = {"saga_id": said["ce_sagaid"], "trace_id": said["traceparent"][3:35]}
    base = {"service": stage.service, "part": "inbox", "error_class": "ValueError", **whose}
    assert [line for line in lines if line["event"] == "parked"] == [
        {"event": "parked", **at, **base}
    ]
    failed = [line for line in lines if line["event"] == "batch failed"]
    assert [line["records"] for line in failed] == [3, 2, 1, 1, 1]  # halved, then attempts_max
    assert failed[-1] == {"event": "batch failed", "records": 1, **at, **base}


async def test_one_bad_record_in_200(stage: Stage) -> None:
    stage.shop.broken = {101}
    await stage.handle_all(*(stage.action(number) for number in range(1, 201)))
    assert await stage.parked() == [(101, "ValueError")]
    expected = {(number, "reserved"): 1 for number in range(1, 201) if number != 101}
    assert await stage.effects() == expected
    answers = [each.order for each in await stage.answers() if each.outcome == "succeeded"]
    assert sorted(answers) == [number for number in range(1, 201) if number != 101]


async def test_a_tombstone_and_a_record_without_a_key(stage: Stage) -> None:
    tombstone = replace(stage.action(1), value=None)
    keyless = replace(stage.action(5), key=None)
    await stage.handle_directly(tombstone, keyless, stage.action(9))
    rows = await stage.query('SELECT key, error_class FROM sagaline.parked ORDER BY "offset"')
    assert rows == [
        (str(UUID(int=1)), "UndecodableRecord"),
        ("", "MalformedEnvelope"),
    ]
    assert await stage.effects() == {(9, "reserved"): 1}


@pytest.mark.parametrize("letters", [range(33, 127), range(0x1F600, 0x1F640), range(0x80, 0x100)])
async def test_a_key_longer_than_an_index_takes_stops_nobody(stage: Stage, letters: range) -> None:
    chosen = random.Random(1).choices(letters, k=9_000)
    endless = bytes(chosen) if max(letters) == 0xFF else "".join(map(chr, chosen)).encode()
    poison = replace(stage.action(1), key=endless)
    other = replace(stage.action(1), key=endless + b"!")
    await stage.handle_directly(poison, other, poison, stage.action(5))
    rows = await stage.query('SELECT key, error_class FROM sagaline.parked ORDER BY "offset"')
    keys = [str(key) for key, _ in rows]
    assert [error for _, error in rows] == ["MalformedEnvelope", "MalformedEnvelope", "Behind"]
    assert keys[0] == keys[2] != keys[1]
    assert all(len(key) == KEY_CHARACTERS_MAX for key in keys)
    copies = await stage.query(
        "SELECT key FROM sagaline.outbox WHERE topic = :topic ORDER BY id", {"topic": stage.letters}
    )
    assert [key for (key,) in copies] == keys
    assert await stage.effects() == {(5, "reserved"): 1}
    held = Queue(stage.commands, poison.partition, keys[0])
    tables = {stage.commands: stage.shop.handlers}
    dead_letters = wiring.dead_letters_of(stage.running(), tables, stage.inbox())
    dealt = await dead_letters.discard(held, Mandate(reason="nobody's"), records_max=9)
    assert (dealt.done, dealt.left) == (2, 0)
    assert await stage.query("SELECT key FROM sagaline.parked") == [(keys[1],)]


async def test_a_subject_longer_than_an_index_takes_keys_no_message(stage: Stage) -> None:
    endless = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
    poison = replace(
        with_header(stage.action(1), "ce_subject", endless.encode()), key=endless.encode()
    )
    await stage.handle_directly(poison, stage.action(5))
    rows = await stage.query("SELECT error_class, error FROM sagaline.parked")
    assert [error for error, _ in rows] == ["MalformedEnvelope"]
    assert await stage.effects() == {(5, "reserved"): 1}
    keys = await stage.query("SELECT key FROM sagaline.outbox")
    assert max(len(str(key)) for (key,) in keys) == KEY_CHARACTERS_MAX  # the dead letter's
    # Whatever waits can be quarantined, too.
    await stage.query("UPDATE sagaline.outbox SET quarantined_at = now() RETURNING id")


async def test_a_step_longer_than_an_index_takes_is_parked_at_once(stage: Stage) -> None:
    endless = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
    await stage.handle_directly(
        with_header(stage.action(1), "ce_sagastep", endless.encode()), stage.action(5)
    )
    assert await stage.parked() == [(1, "MalformedEnvelope")]
    assert await stage.effects() == {(5, "reserved"): 1}


async def test_a_record_under_another_key_than_it_says(stage: Stage) -> None:
    # Keys keep two records of one saga step out of one batch: both would be executed.
    stray = replace(stage.action(5), key=str(UUID(int=9)).encode())
    await stage.handle_directly(stage.action(5), stray)
    assert await stage.effects() == {(5, "reserved"): 1}
    assert await stage.parked() == [(9, "MalformedEnvelope")]


def with_header(parcel: Parcel, name: str, value: bytes) -> Parcel:
    kept = [(each, was) for each, was in parcel.headers if each != name]
    return replace(parcel, headers=(*kept, (name, value)))


HOSTILE = {
    "NUL in a header's name": ("x\0y", b"1"),
    "NUL in an unknown header": ("x", b"\0"),
    "no UTF-8 in an unknown header": ("x", b"\xff\xfe"),
    "NUL in the subject": ("ce_subject", str(UUID(int=1)).encode() + b"\0"),
    "NUL in the step": ("ce_sagastep", b"reserve\0stock"),
    "no UTF-8 in the step": ("ce_sagastep", b"\xff"),
    "NUL in the trace": ("traceparent", b"\0"),
    "NUL in the type": ("ce_type", b"\0"),
    "a generation beyond the column": ("ce_sagageneration", b"99999999999"),
    "a generation below all": ("ce_sagageneration", b"-1"),
    "no number": ("ce_sagageneration", b"one"),
    "a time without a zone": ("ce_time", b"2026-07-01T12:00:00"),
}


@pytest.mark.parametrize("header", HOSTILE)
async def test_hostile_headers_stop_nobody(stage: Stage, header: str) -> None:
    hostile = [
        with_header(each, *HOSTILE[header]) for each in (stage.action(1), undecodable(stage, 9))
    ]
    await stage.handle_directly(*hostile, stage.action(5))
    effects, parked = await stage.effects(), dict(await stage.parked())
    assert effects[5, "reserved"] == 1
    assert (effects[1, "reserved"] == 1) != (1 in parked)
    assert 9 in parked


async def test_a_foreign_header_of_bytes_parks_nothing(stage: Stage) -> None:
    await stage.handle_directly(with_header(stage.action(1), "x-trace-id", b"\xff\xfe\0"))
    assert await stage.outcomes(1) == ["succeeded"]


async def test_an_error_that_no_database_can_store(stage: Stage) -> None:
    stage.shop.broken = {1}
    stage.shop.error = ValueError("half a pair \ud800, a NUL \0")
    await stage.handle_directly(stage.action(1), stage.action(5))
    assert await stage.parked() == [(1, "ValueError")]
    assert await stage.effects() == {(5, "reserved"): 1}


async def test_an_error_of_the_platform_in_a_handler(stage: Stage) -> None:
    class Odd(PlatformError):
        """Something odd."""

    stage.shop.broken = {1}
    stage.shop.error = Odd()
    await stage.handle_directly(stage.action(1), stage.action(5))
    assert await stage.parked() == [(1, "Odd")]
