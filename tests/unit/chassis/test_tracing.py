import pytest

from sagaline.chassis.tracing import TraceParent, passed_on

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def ones(count: int) -> bytes:
    return b"\x11" * count


def test_a_traceparent_is_read_as_it_is_written() -> None:
    found = TraceParent.parse(GIVEN)
    assert found == TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1)
    assert str(found) == GIVEN


def test_a_request_in_a_trace_stays_at_its_callers_place() -> None:
    assert passed_on(GIVEN, ones) == TraceParent.parse(GIVEN)


def test_a_request_without_a_trace_begins_one_of_which_nothing_is_recorded() -> None:
    assert passed_on(None, ones) == TraceParent("11" * 16, "11" * 8, 0)


def test_a_later_version_may_have_more_parts() -> None:
    found = TraceParent.parse(GIVEN.replace("00-", "cc-", 1) + "-what-comes")
    assert found is not None
    assert found.span_id == "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        GIVEN + "-more",
        GIVEN.upper(),
        GIVEN.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        GIVEN[:-1],
        "x" * 100_000,
    ],
)
def test_what_the_standard_calls_invalid_is_passed_over(header: str) -> None:
    assert TraceParent.parse(header) is None
