"""The yardstick's work is the same each time."""

from bench import yardstick


def test_work_of_one_size_is_one_work() -> None:
    assert yardstick.work(20) == yardstick.work(20) != yardstick.work(21)


def test_it_takes_some_processor_time() -> None:
    assert yardstick.measure_ms() > 0
