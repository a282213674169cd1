"""How many keys are parked in a while before the consumer holds."""

import pytest

from sagaline.chassis.errors import TooManyParked
from sagaline.chassis.faults import passing
from sagaline.chassis.parking_rate import ParkingRate


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_up_to_the_limit_keys_are_parked_and_then_no_more() -> None:
    rate = ParkingRate(keys_max=3, window_s=60, clock_s=Clock())
    for _ in range(3):
        rate.check(1)
        rate.parked(1)
    with pytest.raises(TooManyParked, match="More than 3 keys"):
        rate.check(1)


def test_what_only_follows_a_parked_record_is_parked_at_any_rate() -> None:
    rate = ParkingRate(keys_max=1, window_s=60, clock_s=Clock())
    rate.parked(1)
    rate.check(0)


def test_the_window_moves_on() -> None:
    clock = Clock()
    rate = ParkingRate(keys_max=2, window_s=60, clock_s=clock)
    rate.parked(1)
    clock.now_s = 30.0
    rate.parked(1)
    clock.now_s = 60.0
    rate.check(1)
    rate.parked(1)
    with pytest.raises(TooManyParked):
        rate.check(1)


def test_more_at_once_than_the_limit_are_not_parked() -> None:
    rate = ParkingRate(keys_max=3, window_s=60, clock_s=Clock())
    with pytest.raises(TooManyParked):
        rate.check(4)


def test_a_consumer_that_holds_blames_no_record_for_it() -> None:
    assert passing(TooManyParked(keys_max=3, window_s=60))
