"""Which `Prefer` fields ask for a wait, and for how long."""

import pytest

from gateway_service import prefer


@pytest.mark.parametrize(
    "field, seconds",
    [
        ("wait=5", 5),
        ("WAIT = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=10", 10),
        ("wait=10; of=nothing", 10),
        ('note="a, wait=7", wait=3', 3),
        ("wait=30", 30),
        ("wait=31", 30),
        ("wait=999999999", 30),
        ("wait=4, wait=9", 4),
    ],
)
def test_a_wait_is_read_wherever_it_stands_and_is_at_most_30_s(field: str, seconds: int) -> None:
    assert prefer.wait_s([field]) == seconds


@pytest.mark.parametrize(
    "field",
    [
        "",
        "wait",
        "wait=",
        "wait=0",
        "wait=-1",
        "wait=1.5",
        "wait=soon",
        "wait=9999999999999",
        "waiting=5",
        "await=5",
        'note="wait=5"',
        "return=minimal",
        "=5",
        ",,;",
        "wait=x, wait=5",  # the first counts, as RFC 7240 has it
        'wait="5',
        "wait=५",
    ],
)
def test_what_is_malformed_or_asks_for_nothing_is_passed_over(field: str) -> None:
    assert prefer.wait_s([field]) is None


def test_of_several_fields_the_first_wait_counts() -> None:
    assert prefer.wait_s(["return=minimal", "wait=3", "wait=8"]) == 3


def test_a_long_field_is_read_at_once() -> None:
    assert prefer.wait_s(['"' * 60_000]) is None
    assert prefer.wait_s(["\\" * 30_000 + '"' + "\\" * 30_000]) is None
    assert prefer.wait_s(["wait" + " " * 60_000]) is None
