"""Which rows are found guilty: only those that Kafka refused alone, or that have no topic."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, UnknownError

from sagaline.chassis.envelope import Envelope, reply_id
from sagaline.chassis.fresh import Row
from sagaline.chassis.producer import Failure, Published
from sagaline.chassis.quarantine import Quarantine, notice_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRIES_MAX = 3
RETRY_MS = 500


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def row(id_: int, key: str = "k", headers: dict[str, str] | None = None) -> Row:
    return Row(id_, "topic", key, headers or {}, b"", NOW)


def quarantine(clock: Clock | None = None) -> Quarantine:
    return Quarantine(tries_max=TRIES_MAX, retry_ms=RETRY_MS, clock=clock or Clock())


def refused(error: Exception, *rows: Row) -> Published:
    return Published([], [Failure(rows, error)], {})


def acked(*rows: Row) -> Published:
    return Published([one.id for one in rows], [], {})


def homeless(*rows: Row) -> Published:
    return Published([], [], {"topic": rows})


def test_a_refused_batch_goes_out_row_by_row_until_the_guilty_one_is_refused_alone() -> None:
    good, bad = row(1), row(2)
    court = quarantine()
    assert court.judge([good, bad], refused(MessageSizeTooLargeError(), good, bad)) == []
    assert set(court.alone) == {1, 2}
    assert court.judge([good, bad], acked(good)) == []
    assert set(court.alone) == {2}
    ((guilty, error),) = court.judge([bad], refused(MessageSizeTooLargeError(), bad))
    assert guilty == bad
    assert "MessageSizeTooLarge" in error
    assert not court.alone


def test_an_outage_says_nothing_about_a_row() -> None:
    court = quarantine()
    for _ in range(10 * TRIES_MAX):
        assert court.judge([row(1)], refused(KafkaTimeoutError(), row(1))) == []
    assert not court.alone


def test_an_error_without_a_name_counts_after_some_refusals_of_the_row_alone() -> None:
    court = quarantine()
    rows = row(1), row(2)
    assert court.judge(rows, refused(UnknownError(), *rows)) == []
    verdicts = [court.judge(rows[:1], refused(UnknownError(), rows[0])) for _ in range(TRIES_MAX)]
    assert [len(found) for found in verdicts] == [0, 0, 1]


def test_a_missing_topic_is_asked_for_now_and_then_and_given_up_after_some_tries() -> None:
    clock = Clock()
    court = quarantine(clock)
    rows = row(1, "a"), row(2, "a"), row(3, "b")
    for _ in range(TRIES_MAX - 1):
        assert court.judge(rows, homeless(*rows)) == []
        assert court.held_topics() == ["topic"]
        clock.now += timedelta(milliseconds=RETRY_MS)
        assert court.held_topics() == []
    guilty = [found.id for found, _ in court.judge(rows, homeless(*rows))]
    assert sorted(guilty) == [1, 3], "the first of each key: the rest waits behind it"


def test_a_topic_that_came_is_held_no_more_and_its_tries_are_forgotten() -> None:
    clock = Clock()
    court = quarantine(clock)
    for _ in range(2 * TRIES_MAX):
        assert court.judge([row(1)], homeless(row(1))) == []
        assert court.judge([row(1)], acked(row(1))) == []
        assert court.held_topics() == []


def envelope(outcome: str | None) -> Envelope:
    return Envelope(
        id=uuid4(),
        type="t",
        source="/s",
        subject="k",
        time=NOW,
        saga_id=uuid4(),
        step="step",
        direction="undo",
        generation=2,
        outcome=outcome,
        causation_id=uuid4(),
    )


def test_a_reply_parks_its_step_under_the_id_that_it_always_has() -> None:
    reply = envelope("undone")
    notice = notice_of(row(1, headers=reply.headers()), "too large")
    assert notice is not None
    assert reply.causation_id is not None
    assert notice.id == reply_id(reply.causation_id, "parked")
    assert notice.outcome == "parked"
    step = (notice.saga_id, notice.step, notice.direction, notice.generation, notice.causation_id)
    assert step == (reply.saga_id, "step", "undo", 2, reply.causation_id)


def test_commands_and_notices_of_parking_are_nobodys_reply() -> None:
    assert notice_of(row(1, headers=envelope(None).headers()), "too large") is None
    assert notice_of(row(1, headers=envelope("parked").headers()), "too large") is None
