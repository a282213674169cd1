"""The exhaustive walk: every state that a definition can reach within bounds, and what must hold.

Covered: every order of messages, any number of duplicates, time-outs at any time, refusals by
anyone, commands parked and later handled or discarded, an abort at any time. In each state the
invariants are checked against what the participants' barriers hold; then, that each state leads to
an end by messages alone, however many time-outs were wrong.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from sagaline.engine.command import command
from sagaline.engine.definition import Saga
from sagaline.engine.events import AnyCommandIssued, Ignored, RevokeIssued
from sagaline.engine.inputs import Abort, Delayed, Input, Started, TimedOut, answer
from sagaline.engine.machine import decide, fold
from sagaline.engine.news import is_news
from sagaline.engine.state import SagaState, SagaStatus, StepState, new_saga
from sagaline.testing.invariants import (
    Broken,
    Outline,
    check_move,
    check_silence,
    check_state,
    outline,
)
from sagaline.testing.participants import Desk, Participants, Saying, World
from sagaline.testing.samples import sample_success

Key: TypeAlias = tuple[object, ...]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may go wrong in one saga; orders and duplicates of messages are not bounded."""

    timeouts_per_command: int = 2
    refusals: int = 2
    parkings: int = 1
    delays: int = 1
    aborts: int = 1
    states: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk has seen: states by the saga's status, and the moves tried in them."""

    definition: str
    bounds: Bounds
    moves: int
    states: Mapping[SagaStatus, int]

    def __str__(self) -> str:
        counts = ", ".join(f"{status} {times:,}" for status, times in sorted(self.states.items()))
        return (
            f"{self.definition}: {sum(self.states.values()):,} states ({counts}), "
            f"{self.moves:,} moves; messages in any order and any number, {self.bounds}"
        )


class Node(NamedTuple):
    """One state: the saga, and the world around it."""

    saga: SagaState
    world: World


class Heard(NamedTuple):
    """What came of telling a saga something: nothing, or the saga after it and its commands."""

    before: SagaState
    after: SagaState
    issued: Sequence[AnyCommandIssued]


class Move(NamedTuple):
    """One thing that may happen next. `by_message`: a command or an answer just arrives."""

    what: str
    node: Node
    by_message: bool = False


def walk(
    definition: Saga, message: object, messages: Mapping[str, type], bounds: Bounds | None = None
) -> Walked:
    """Walk everything that `definition` can get into; Broken, with the way there, at a flaw."""
    definition.check(messages)
    return _Walk(definition, message, messages, bounds or Bounds()).run()


class _Walk:
    """The states seen so far, by number, each with the move that first led there."""

    def __init__(
        self, definition: Saga, message: object, messages: Mapping[str, type], bounds: Bounds
    ) -> None:
        self._definition = definition
        self._bounds = bounds
        self._participants = Participants(definition.by_name)
        self._message = message
        self._replies = {
            step.name: sample_success(step, messages, like=message)
            for step in definition.by_name.values()
        }
        self._sayings: dict[tuple[str, Saying], tuple[str, Input]] = {}
        # By a saga's id, which is no other's as long as `before` holds it, and what it was told.
        self._heard: dict[tuple[int, str], Heard] = {}
        self._seen: dict[Key, int] = {}
        self._came_by: list[tuple[int, str]] = []
        self._outlines: list[Outline] = []
        self._message_moves_into: list[list[int]] = []
        self._waiting: deque[tuple[int, Node]] = deque()
        self._moves = 0

    def run(self) -> Walked:
        """Go everywhere, breadth first, so that a flaw is shown by a shortest way to it."""
        self._visit(0, self._beginning())
        while self._waiting:
            here, node = self._waiting.popleft()
            try:
                for move in self._moves_from(node):
                    self._visit(here, move)
            except AssertionError as flaw:
                raise Broken(f"{flaw}\nafter: {self._way_to(here)}") from flaw
        self._check_that_all_end()
        statuses = Counter(outline.status for outline in self._outlines)
        return Walked(self._definition.name, self._bounds, self._moves, statuses)

    def _beginning(self) -> Move:
        planned = new_saga(self._definition, saga_id=UUID(int=1), key="a-key")
        bounds = self._bounds
        quiet = World(
            desks=(Desk(),) * len(self._participants.names),
            refusals_left=bounds.refusals,
            parkings_left=bounds.parkings,
            delays_left=bounds.delays,
            aborts_left=bounds.aborts,
        )
        return self._told("started", Node(planned, quiet), Started(self._message))

    def _visit(self, origin: int, move: Move) -> None:
        self._moves += 1
        there = self._seen.setdefault(_key(move.node), len(self._seen))
        if there == len(self._outlines):
            assert there < self._bounds.states, "there are more states than bounded"
            self._came_by.append((origin, move.what))
            self._outlines.append(outline(move.node.saga))
            self._message_moves_into.append([])
            self._waiting.append((there, move.node))
            self._check(move)
        check_move(self._outlines[origin], self._outlines[there])
        if move.by_message:
            self._message_moves_into[there].append(origin)

    def _check(self, move: Move) -> None:
        saga, world = move.node
        try:
            check_state(saga, lambda step: self._participants.desk(world, step))
        except Broken as flaw:
            raise Broken(f"{flaw}\nat: {move.what}") from flaw

    def _moves_from(self, node: Node) -> Iterator[Move]:
        saga, world = node
        for happening in self._participants.happenings(world):
            what = f"{happening.step} {happening.direction} {happening.what}"
            yield Move(what, Node(saga, happening.world), happening.what == "handled")
        for step in saga.steps.values():
            yield from self._answers(node, step)
            yield from self._timers(node, step)
        if world.aborts_left:
            tried = world._replace(aborts_left=world.aborts_left - 1)
            yield self._told("aborted", Node(saga, tried), Abort())

    def _timers(self, node: Node, step: StepState) -> Iterator[Move]:
        if step.due_at is None:
            return
        asked = (step.name, step.direction, step.generation, step.attempt)
        if step.attempt <= self._bounds.timeouts_per_command:
            yield self._told(f"{step.name} timed out", node, TimedOut(*asked), now=step.due_at)
        if node.world.delays_left:
            world = node.world._replace(delays_left=node.world.delays_left - 1)
            yield self._told(f"{step.name} delayed", Node(node.saga, world), Delayed(*asked))

    def _answers(self, node: Node, step: StepState) -> Iterator[Move]:
        for saying in self._participants.desk(node.world, step.name).said:
            what, said = self._answer(step.name, saying)
            yield self._told(what, node, said)._replace(by_message=True)

    def _answer(self, step: str, saying: Saying) -> tuple[str, Input]:
        if (step, saying) not in self._sayings:
            direction, outcome = saying
            reply = self._replies[step]
            said = answer(outcome, step=step, direction=direction, generation=1, reply=reply)
            self._sayings[step, saying] = (f"{step} {direction} says {outcome}", said)
        return self._sayings[step, saying]

    def _told(self, what: str, node: Node, received: Input, now: datetime = NOON) -> Move:
        """The same saga stands in many worlds: what it makes of its inputs is found out once."""
        heard = self._heard.get((id(node.saga), what))
        if heard is None:
            heard = self._heard[id(node.saga), what] = _hear(node.saga, received, now)
        return Move(what, Node(heard.after, self._participants.asked(node.world, heard.issued)))

    def _check_that_all_end(self) -> None:
        """From every state some way of messages alone leads to an end: nothing hangs."""
        ending = [n for n, outline in enumerate(self._outlines) if outline.ended]
        reached = set(ending)
        while ending:
            origins = set(self._message_moves_into[ending.pop()]) - reached
            reached |= origins
            ending.extend(origins)
        stuck = set(range(len(self._outlines))) - reached
        if stuck:
            raise Broken(f"it hangs\nafter: {self._way_to(min(stuck))}")

    def _way_to(self, there: int) -> str:
        way: list[str] = []
        while there:
            there, what = self._came_by[there]
            way.append(what)
        return ", ".join(reversed(way)) or "its start"


def _hear(before: SagaState, received: Input, now: datetime) -> Heard:
    events = decide(before, received, now)
    if isinstance(events[0], Ignored):
        return Heard(before, before, ())  # all that it leaves is the memory of having heard it
    assert events == decide(before, received, now), "equal arguments give equal events"
    after = fold(before, events)
    if not is_news(before, events, after):
        check_silence(before, after)
    issued = [event for event in events if isinstance(event, AnyCommandIssued)]
    for event in issued:
        if not isinstance(event, RevokeIssued):
            command(after, event)  # its builder has all that it needs
    return Heard(before, after, issued)


def _key(node: Node) -> Key:
    """Equal for states with an equal future: times are left out, and all that is over."""
    steps = tuple(_step_key(step) for step in node.saga.steps.values())
    return (node.saga.status, steps, node.world)


def _step_key(step: StepState) -> Key:
    if step.due_at is None and not step.parked:
        return (step.status,)
    # An answer that came too late can't count later, so that it was heard makes no difference.
    heard = frozenset(a for a in step.heard if a.startswith(step.direction))
    return (step.status, step.attempt, step.certainty, step.parked, heard)
