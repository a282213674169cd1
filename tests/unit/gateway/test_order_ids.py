"""Order ids: uuid7, always growing."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest

from gateway_service.ids import COUNTER_BITS, OrderIds

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def clock_showing(*times: datetime) -> Callable[[], datetime]:
    left = list(times)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_an_id_is_a_uuid7_of_its_moment() -> None:
    made = OrderIds(clock_showing(NOON), random.Random(1).getrandbits)()
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == int(NOON.timestamp() * 1000)


def test_ids_of_one_millisecond_grow() -> None:
    ids = OrderIds(clock_showing(NOON), random.Random(2).getrandbits)
    made = [ids() for _ in range(10_000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("step", [timedelta(milliseconds=1), timedelta(seconds=-5), timedelta(0)])
def test_ids_grow_when_the_clock_goes_on_steps_back_or_stands(step: timedelta) -> None:
    ids = OrderIds(
        clock_showing(*(NOON + step * n for n in range(100))), random.Random(3).getrandbits
    )
    made = [ids() for _ in range(100)]
    assert made == sorted(set(made))
    assert all(each.version == 7 and each.variant == RFC_4122 for each in made)


def test_a_used_up_counter_borrows_the_next_millisecond() -> None:
    ids = OrderIds(clock_showing(NOON), lambda bits: (1 << bits) - 1)
    first = ids()
    ids._counter = (1 << COUNTER_BITS) - 1
    borrowed = ids()
    assert borrowed > first
    assert borrowed.int >> 80 == int(NOON.timestamp() * 1000) + 1


def test_a_new_millisecond_leaves_half_of_the_counter_to_count_with() -> None:
    ids = OrderIds(clock_showing(NOON), lambda bits: (1 << bits) - 1)
    ids()
    assert ids._counter < 1 << (COUNTER_BITS - 1)


def test_two_gateways_do_not_make_the_same_ids() -> None:
    here = OrderIds(clock_showing(NOON), random.Random(4).getrandbits)
    there = OrderIds(clock_showing(NOON), random.Random(5).getrandbits)
    assert {here() for _ in range(1_000)}.isdisjoint({there() for _ in range(1_000)})
