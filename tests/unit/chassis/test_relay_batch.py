"""A partition's batch is a prefix of its rows: what waits holds back all that comes after it."""

from datetime import UTC, datetime

from aiokafka.producer.message_accumulator import BatchBuilder

from sagaline.chassis.fresh import Row
from sagaline.chassis.producer import Batch


def batch_of(rows: list[Row], *, bytes_max: int = 10_000, alone: tuple[int, ...] = ()) -> list[int]:
    batch = Batch(BatchBuilder(bytes_max, 0))
    for row in rows:
        batch.add(row, alone=row.id in alone)
    return [row.id for row in batch.rows]


def row(id_: int, *, size_bytes: int = 10) -> Row:
    return Row(id_, "topic", "key", {"ce_type": "t"}, b"x" * size_bytes, datetime.now(UTC))


def test_all_rows_that_fit_go_together() -> None:
    assert batch_of([row(1), row(2), row(3)]) == [1, 2, 3]


def test_a_small_row_does_not_overtake_a_large_one_that_does_not_fit() -> None:
    assert batch_of([row(1), row(2, size_bytes=2_000), row(3)], bytes_max=1_000) == [1]


def test_a_row_larger_than_any_batch_goes_first_and_the_broker_decides() -> None:
    assert batch_of([row(1, size_bytes=2_000), row(2)], bytes_max=1_000) == [1]


def test_a_suspect_goes_alone_and_nothing_overtakes_it() -> None:
    assert batch_of([row(1), row(2), row(3)], alone=(2,)) == [1]
    assert batch_of([row(2), row(3)], alone=(2,)) == [2]
