"""A record written once more: what stays, what is added, and what is not ours to write."""

from uuid import UUID

import pytest

from sagaline.chassis.log_records import LogRecord
from sagaline.chassis.replay import again, matches
from tests.unit.topics.records import KEY, MESSAGE_ID, PAYMENT, VALUE, a_record, headers

REPLAY_ID = UUID(int=7)
TYPES = (PAYMENT.avro_name,)


def test_a_copy_keeps_id_time_key_and_bytes_and_says_where_it_stood() -> None:
    copy = again(a_record(), replay_id=REPLAY_ID, types=TYPES, bytes_max=1_000)
    assert copy is not None
    assert (copy.id, copy.key, copy.value, copy.type) == (MESSAGE_ID, KEY, VALUE, TYPES[0])
    original = {name: (value or b"").decode() for name, value in headers()}
    assert {name: copy.headers[name] for name in original} == original
    assert {name: copy.headers[name] for name in copy.headers.keys() - original.keys()} == {
        "ce_replayid": str(REPLAY_ID),
        "ce_origintopic": "payments.commands.v1",
        "ce_originpartition": "3",
        "ce_originoffset": "120",
        "ce_origintime": "2026-11-22T10:30:00.017000Z",
    }


def test_a_copy_of_a_copy_says_where_the_last_one_stood() -> None:
    first = again(a_record(), replay_id=UUID(int=1), types=TYPES, bytes_max=1_000)
    assert first is not None
    as_read = tuple((name, text.encode()) for name, text in first.headers.items())
    second = again(
        a_record(offset=500, headers=as_read), replay_id=REPLAY_ID, types=TYPES, bytes_max=1_000
    )
    assert second is not None
    assert second.headers["ce_originoffset"] == "500"
    assert second.headers["ce_replayid"] == str(REPLAY_ID)


@pytest.mark.parametrize(
    "record",
    [
        a_record(headers=()),
        a_record(headers=(*headers(), ("x", b"\xff"))),
        a_record(headers=(*headers(), ("x", b"a\0b"))),
        a_record(key=b"another key"),
        a_record(key=None),
        a_record(value=None),
        a_record(value=bytes(2_000)),
        a_record(headers=headers(type="inventory.commands.ReserveStock")),
        LogRecord("payments.commands.v1", 3, 121, unread="no UTF-8"),
    ],
    ids=["none", "no UTF-8", "NUL", "other key", "no key", "no value", "large", "type", "unread"],
)
def test_what_the_owner_could_not_have_written_is_not_written_again(record: LogRecord) -> None:
    assert again(record, replay_id=REPLAY_ID, types=TYPES, bytes_max=1_000) is None


def test_records_are_chosen_by_key_and_by_type() -> None:
    record = a_record()
    assert matches(record)
    assert matches(record, keys={KEY}, types=TYPES)
    assert not matches(record, keys={"another"})
    assert not matches(record, types={"inventory.commands.ReserveStock"})
