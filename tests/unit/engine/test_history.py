"""Folding a history gives the row; deciding it again gives its events; both survive as JSON."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as holds_for
from hypothesis import settings
from hypothesis import strategies as st

from sagaline.engine import machine, row
from sagaline.engine.codec import Plain
from sagaline.engine.definition import Saga
from sagaline.engine.history import (
    Entry,
    HistoryDiverged,
    decided_again,
    events_from_json,
    events_to_json,
    folded,
    input_from_json,
    input_to_json,
)
from sagaline.engine.inputs import (
    ANSWERS,
    Abort,
    Delayed,
    Input,
    Started,
    Succeeded,
    TimedOut,
    answer,
)
from sagaline.engine.state import Direction, SagaState, SagaStatus, new_saga
from sagaline.testing.stories import MORNING, SAGA_ID, Story, given
from tests.unit.engine.shop import (
    AN_ORDER,
    PLACE_ORDER,
    TRIP,
    OutOfStock,
    Reserved,
)

STEPS = st.sampled_from([*PLACE_ORDER.by_name, "nowhere"])
COUNTS = st.integers(1, 3)
RESERVED, OUT_OF_STOCK = Reserved("4711", 4_200), OutOfStock("4711", "out_of_stock", "")


def answers() -> st.SearchStrategy[Input]:
    """Any answer to anything, mostly one that nobody asked for."""
    return st.builds(
        lambda said, step, direction, generation: answer(
            said,
            step=step,
            direction=direction,
            generation=generation,
            # What a reply says follows from its type: no success brings a refusal's.
            reply=RESERVED if ANSWERS[said] is Succeeded else OUT_OF_STOCK,
        ),
        st.sampled_from(sorted(ANSWERS)),
        STEPS,
        st.sampled_from(Direction),
        st.integers(1, 2),
    )


def timers() -> st.SearchStrategy[Input]:
    kinds = st.sampled_from([TimedOut, Delayed])
    return st.builds(
        lambda kind, *rest: kind(*rest),
        kinds,
        STEPS,
        st.sampled_from(Direction),
        st.just(1),
        COUNTS,
    )


INPUTS = st.one_of(answers(), timers(), st.just(Abort("enough")), st.just(Started(AN_ORDER)))
"""Blind inputs reach little of a saga; `a_history` mixes them with what the saga waits for."""


@st.composite
def a_history(draw: st.DrawFn, definition: Saga) -> Story:
    saga = given(definition.with_timeouts(resends_max=1), AN_ORDER)
    for _ in range(draw(st.integers(0, 25))):
        saga.later(seconds=draw(st.integers(0, 20)))
        saga.hears(draw(st.one_of(INPUTS, awaited(saga))))
    return saga


def awaited(saga: Story) -> st.SearchStrategy[Input]:
    """Something that one of the steps under way waits for."""
    likely: list[Input] = [Abort("enough")]
    for step in saga.saga.steps.values():
        if step.due_at is None and not step.parked:
            continue
        name, direction, generation = step.name, step.direction, step.generation
        likely.append(TimedOut(name, direction, generation, step.attempt))
        if direction is Direction.UNDO:
            told = ["undone", "undo_noop", "undo_refused"]
        else:
            told = ["refused", "blocked", "parked"]
            likely += [Succeeded(name, direction, generation, saga.reply_of(name))] * 8
        likely += [
            answer(said, step=name, direction=direction, generation=generation, reply=None)
            for said in told
        ]
    return st.sampled_from(likely)


HISTORIES = st.sampled_from([PLACE_ORDER, TRIP]).flatmap(a_history)


@holds_for(HISTORIES)
@settings(max_examples=200, deadline=None)
def test_folding_a_history_gives_the_row(saga: Story) -> None:
    assert folded(saga.planned, saga.history) == saga.saga


@holds_for(HISTORIES)
@settings(max_examples=200, deadline=None)
def test_deciding_a_history_again_gives_its_events(saga: Story) -> None:
    assert decided_again(saga.planned, saga.history) == saga.saga


@holds_for(HISTORIES)
@settings(max_examples=100, deadline=None)
def test_what_an_input_makes_of_a_saga_is_what_its_events_do(saga: Story) -> None:
    state = saga.planned
    for entry in saga.history:
        turn = machine.told(state, entry.received, entry.now)
        assert all(event.at == entry.now for event in turn.events)
        assert turn.saga == machine.fold(state, entry.events)
        state = turn.saga
    assert state == saga.saga


@holds_for(HISTORIES)
@settings(max_examples=200, deadline=None)
def test_every_input_leaves_an_event(saga: Story) -> None:
    assert all(entry.events for entry in saga.history)


@holds_for(HISTORIES)
@settings(max_examples=100, deadline=None)
def test_a_history_survives_as_json(saga: Story) -> None:
    assert [through_json(entry) for entry in saga.history] == saga.history


def through_json(entry: Entry) -> Entry:
    """What comes back when the message is kept beside, as bytes, and given back."""
    kept = {"input": input_to_json(entry.received), "events": events_to_json(entry.events)}
    read = json.loads(json.dumps(kept))
    message = getattr(entry.received, "message", getattr(entry.received, "reply", None))
    events = events_from_json(read["events"], message, entry.now)
    return Entry(input_from_json(read["input"], message), entry.now, tuple(events))


@holds_for(HISTORIES)
@settings(max_examples=100, deadline=None)
def test_a_row_survives_as_json(saga: Story) -> None:
    messages: list[object] = []

    def dump(message: object) -> Plain:
        messages.append(message)
        return len(messages) - 1

    def load(number: Plain) -> object:
        assert isinstance(number, int)
        return messages[number]

    text = row.write(saga.saga, dump)
    assert row.read(text, saga.saga.definition, load) == saga.saga


def test_a_row_leaves_out_what_is_still_to_come() -> None:
    text = row.write(given(PLACE_ORDER, AN_ORDER).saga, dump=str)
    assert json.loads(text)["steps"].keys() == {"create_order"}


def test_a_row_is_read_by_its_own_definition() -> None:
    text = row.write(given(PLACE_ORDER, AN_ORDER).saga, dump=str)
    with pytest.raises(AssertionError, match="place-order"):
        row.read(text, TRIP, load=str)


def test_a_definition_that_decides_otherwise_is_found() -> None:
    saga = given(PLACE_ORDER, AN_ORDER).succeeded("create_order")
    hasty = PLACE_ORDER.with_timeouts(timeout_ms=1)
    planned = new_saga(hasty, saga_id=SAGA_ID, key="a-key")
    with pytest.raises(HistoryDiverged):
        decided_again(planned, saga.history)


def test_an_event_that_cannot_follow_is_a_mistake_of_ours() -> None:
    saga = given(PLACE_ORDER, AN_ORDER)
    with pytest.raises(AssertionError, match="SagaStarted"):
        machine.fold(saga.saga, saga.history[0].events)


def test_an_unknown_outcome_is_no_answer() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        answer("perhaps", step="a", direction=Direction.ACTION, generation=1, reply=None)


def test_deciding_changes_nothing() -> None:
    saga: SagaState = given(PLACE_ORDER, AN_ORDER).saga
    before = replace(saga, steps=dict(saga.steps))
    machine.decide(saga, Abort(), MORNING + timedelta(seconds=1))
    assert saga == before
    assert saga.status == SagaStatus.RUNNING
