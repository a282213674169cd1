"""The envelope travels as headers, and comes back as it was, or not at all."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagaline.chassis.envelope import (
    CHARACTERS_MAX,
    Envelope,
    command_id,
    reply_id,
    saga_id,
)
from sagaline.chassis.errors import MalformedEnvelope

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
times = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001  # the zones come from beside
)
envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    type=words,
    source=words,
    subject=words,
    time=times,
    traceparent=st.none() | words,
    saga_id=st.none() | st.uuids(),
    step=st.none() | words,
    direction=st.none() | words,
    generation=st.none() | st.integers(1, 2**31 - 1),
    action=st.none() | words,
    outcome=st.none() | words,
    causation_id=st.none() | st.uuids(),
)


def on_the_wire(envelope: Envelope) -> list[tuple[str, bytes | None]]:
    return [(name, value.encode()) for name, value in envelope.headers().items()]


@given(envelopes)
@settings(max_examples=100, deadline=None)
def test_it_comes_back_as_it_was(envelope: Envelope) -> None:
    assert Envelope.parse(on_the_wire(envelope)) == envelope


@given(envelopes, st.lists(st.tuples(words, st.none() | st.binary()), max_size=3))
@settings(max_examples=100, deadline=None)
def test_foreign_headers_change_nothing(
    envelope: Envelope, foreign: list[tuple[str, bytes | None]]
) -> None:
    others = [(f"x-{name}", value) for name, value in foreign]
    assert Envelope.parse([*others, *on_the_wire(envelope), *others]) == envelope


NAMES = st.sampled_from(
    [
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_subject",
        "ce_time",
        "ce_sagaid",
        "ce_sagastep",
        "ce_sagageneration",
        "ce_causationid",
        "traceparent",
        "content-type",
    ]
)


@given(envelopes, st.lists(st.tuples(NAMES, st.none() | st.binary()), max_size=4))
@settings(max_examples=100, deadline=None)
def test_whatever_the_headers_say_it_is_an_envelope_or_malformed(
    envelope: Envelope, changes: list[tuple[str, bytes | None]]
) -> None:
    headers = dict(on_the_wire(envelope)) | dict(changes)
    try:
        found = Envelope.parse(headers.items())
    except MalformedEnvelope:
        return
    assert Envelope.parse(on_the_wire(found)) == found
    assert not any("\0" in value for value in found.headers().values())


@pytest.mark.parametrize(
    "name", ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"]
)
def test_what_every_event_has_is_required(name: str) -> None:
    headers = dict(on_the_wire(AN_EVENT))
    headers[name] = None
    with pytest.raises(MalformedEnvelope, match=name):
        Envelope.parse(headers.items())


@pytest.mark.parametrize("name", CHARACTERS_MAX)
def test_what_an_index_holds_is_bounded(name: str) -> None:
    headers = dict(on_the_wire(AN_EVENT))
    Envelope.parse({**headers, name: b"x" * CHARACTERS_MAX[name]}.items())
    with pytest.raises(MalformedEnvelope, match=f"{name} has more than"):
        Envelope.parse({**headers, name: b"x" * (CHARACTERS_MAX[name] + 1)}.items())


def test_ids_follow_from_what_they_identify() -> None:
    saga = saga_id("place-order", str(UUID(int=7)))
    first = command_id(saga, "reserve_stock", "action", 1)
    assert first == command_id(saga, "reserve_stock", "action", 1)
    others = {
        command_id(saga, "reserve_stock", "undo", 1),
        command_id(saga, "reserve_stock", "action", 2),
        command_id(saga, "commit_stock", "action", 1),
        command_id(saga_id("other", str(UUID(int=7))), "reserve_stock", "action", 1),
        command_id(saga_id("place-order", str(UUID(int=8))), "reserve_stock", "action", 1),
    }
    assert first not in others
    assert len(others) == 5
    assert reply_id(first, "succeeded") != reply_id(first, "refused")


AN_EVENT = Envelope(UUID(int=1), "a.B", "/a", "key", datetime(2026, 7, 1, tzinfo=UTC))
