"""Participants as a saga sees them: what each step's barrier holds, and all messages ever sent.

Messages are never used up. Whatever was sent can arrive at any time, any number of times, in any
order; to arrive again changes nothing, so all duplicates are covered and none costs a state.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from sagaline.engine.events import AnyCommandIssued, UndoIssued
from sagaline.engine.state import Certainty, Direction

Saying: TypeAlias = tuple[Direction, str]  # an answer's direction and outcome

ACTION, UNDO, REVOKE = Direction.ACTION, Direction.UNDO, Direction.REVOKE
NO_SAYINGS: frozenset[Saying] = frozenset()


class Desk(NamedTuple):
    """One step at its participant: what it was asked, what its barrier rows say, what it said.

    `action` and `undo` are the stored answers; None where the barrier has no row.
    """

    asked: frozenset[Direction] = frozenset()
    certainty: Certainty | None = None
    action: str | None = None
    undo: str | None = None
    said: frozenset[Saying] = NO_SAYINGS

    def saying(self, direction: Direction, outcome: str) -> "Desk":
        """The desk with one more answer under way."""
        return self._replace(said=self.said | {(direction, outcome)})

    @property
    def effect(self) -> bool:
        """Whether the action's effect stands."""
        return self.action == "succeeded" and self.undo != "undone"

    @property
    def never(self) -> bool:
        """Whether no effect stands and none will: not asked for, refused, blocked, undone."""
        if self.action is None:
            return ACTION not in self.asked
        return not self.effect

    def asked_by(self, event: AnyCommandIssued) -> "Desk":
        """The command is under way; the same one again is nothing new."""
        certainty = event.certainty if isinstance(event, UndoIssued) else self.certainty
        return self._replace(asked=self.asked | {event.direction}, certainty=certainty)

    def handled(self, direction: Direction, *, refuse: bool = False) -> "Desk":
        """A command arrives; if it has to be decided on, it is refused or done."""
        match direction:
            case Direction.ACTION:
                action = self.action or ("refused" if refuse else "succeeded")
                return self._replace(action=action).saying(ACTION, action)
            case Direction.UNDO:
                return self._undone(refuse=refuse)
            case Direction.REVOKE:
                action = self.action or "blocked"
                # A revoke is answered as its action would be.
                return self._replace(action=action).saying(ACTION, action)

    def parked(self, direction: Direction) -> "Desk":
        """A command is put aside; it may be handled later, or be discarded."""
        return self.saying(direction, "parked")

    def discarded(self, direction: Direction) -> "Desk":
        """An operator throws a parked command away: the barrier has it as refused."""
        match direction:
            case Direction.ACTION:
                return self._replace(action="discarded").saying(ACTION, "discarded")
            case Direction.UNDO:
                return self._replace(undo="discarded").saying(UNDO, "discarded")
            case Direction.REVOKE:
                return self.saying(REVOKE, "discarded")

    def undecided(self, direction: Direction) -> bool:
        """Whether the barrier has yet to decide on a command in this direction."""
        return (self.undo if direction is UNDO else self.action) is None

    def _undone(self, *, refuse: bool) -> "Desk":
        if self.undo is not None:
            return self.saying(UNDO, self.undo)
        if self.action == "succeeded":
            outcome = "undo_refused" if refuse else "undone"
            return self._replace(undo=outcome).saying(UNDO, outcome)
        surely_done = self.certainty is Certainty.DONE
        assert not surely_done, "an undo calls its action done only if the saga has heard so"
        return self._replace(action="blocked", undo="undo_noop").saying(UNDO, "undo_noop")


class World(NamedTuple):
    """All participants of one saga, a desk a step, and how much may still go wrong."""

    desks: tuple[Desk, ...]
    refusals_left: int
    parkings_left: int
    delays_left: int
    aborts_left: int


class Happening(NamedTuple):
    """One thing that may happen at the participants: `what` in words, and the world after it."""

    what: str
    step: str
    direction: Direction
    world: World


class Participants:
    """The rules by which a world moves on; `names` are the steps, in the desks' order."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._index: Mapping[str, int] = MappingProxyType({n: i for i, n in enumerate(self.names)})

    def desk(self, world: World, step: str) -> Desk:
        """The desk of one step."""
        return world.desks[self._index[step]]

    def asked(self, world: World, events: Iterable[AnyCommandIssued]) -> World:
        """The commands are under way."""
        for event in events:
            desk = self.desk(world, event.step).asked_by(event)
            world = self._with(world, event.step, desk)
        return world

    def happenings(self, world: World) -> Iterator[Happening]:
        """All that can change the world: each command arriving, with each way to take it."""
        for name, desk in zip(self.names, world.desks, strict=True):
            for direction in desk.asked:
                yield from self._arrivals(world, name, desk, direction)

    def _arrivals(
        self, world: World, name: str, desk: Desk, direction: Direction
    ) -> Iterator[Happening]:
        def becomes(what: str, changed: Desk, after: World = world) -> Happening:
            return Happening(what, name, direction, self._with(after, name, changed))

        done = desk.handled(direction)
        if done != desk:
            yield becomes("handled", done)
        if not desk.undecided(direction):
            return
        if world.refusals_left and direction is not REVOKE:
            after = world._replace(refusals_left=world.refusals_left - 1)
            refused = desk.handled(direction, refuse=True)
            if refused != done:
                yield becomes("refused", refused, after)
        if (direction, "parked") in desk.said:
            discarded = desk.discarded(direction)
            if discarded != desk:
                yield becomes("discarded", discarded)
        elif world.parkings_left:
            after = world._replace(parkings_left=world.parkings_left - 1)
            yield becomes("parked", desk.parked(direction), after)

    def _with(self, world: World, step: str, desk: Desk) -> World:
        i = self._index[step]
        return world._replace(desks=(*world.desks[:i], desk, *world.desks[i + 1 :]))
