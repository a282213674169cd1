"""The barrier's rules: what a command meets that came before, after its undo, or never.

See docs/architecture.md, "Barrier". Pure: the rows are claimed and written in `barrier_rows`. A row
stands for one direction of one step of one saga; a command looks at its own row, an undo at its
action's too, and a `Revoke` at the action's alone.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

RowKey: TypeAlias = tuple[UUID, str, str]  # saga id, step, "action" or "undo"
Outcome: TypeAlias = Literal["done", "refused", "blocked"]

OUTCOME_OF_ANSWER: dict[str, Outcome] = {
    "succeeded": "done",
    "refused": "refused",
    "discarded": "refused",
    "undone": "done",
    "undo_noop": "done",
    "undo_refused": "refused",
    "blocked": "blocked",
}


@dataclass(frozen=True, slots=True)
class BarrierRow:
    """What is known of one direction of a step; `outcome` None: claimed a moment ago, by us."""

    generation: int
    outcome: str | None = None
    answer: str | None = None
    reply: bytes | None = None

    @property
    def fresh(self) -> bool:
        """Nothing came before."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class Command:
    """What the barrier needs to know of a command; an undo says what its saga saw of the action."""

    saga_id: UUID
    step: str
    direction: str  # action, undo, revoke
    generation: int
    undoes: str | None = None  # done, indoubt; on undos

    @property
    def rows(self) -> tuple[RowKey, ...]:
        """The rows that the command claims."""
        action = (self.saga_id, self.step, "action")
        return (
            (action, (self.saga_id, self.step, "undo")) if self.direction == "undo" else (action,)
        )

    @property
    def own(self) -> RowKey:
        """The row that holds the command's answer."""
        return self.rows[-1]


@dataclass(frozen=True, slots=True)
class Execute:
    """Nothing stands against it: run the handler."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """It was answered before: emit the stored reply, under `generation`."""

    row: BarrierRow
    generation: int


@dataclass(frozen=True, slots=True)
class Block:
    """A revoke came before its action: the action never happens."""


@dataclass(frozen=True, slots=True)
class NothingToUndo:
    """The action had no effect, and from now on never has."""


@dataclass(frozen=True, slots=True)
class ActionMissing:
    """The saga saw the action done, and no trace of it is here: a person has to look."""


Verdict: TypeAlias = Execute | Repeat | Block | NothingToUndo | ActionMissing


def judge(command: Command, action: BarrierRow, undo: BarrierRow | None = None) -> Verdict:
    """What becomes of `command`; `undo` is its own row where it is an undo."""
    if command.direction == "revoke":
        # A retry that never came is not answered by the refusal of the try before it.
        return Block() if _open(command, action) else Repeat(action, action.generation)
    if command.direction == "action":
        return Execute() if _open(command, action) else _repeat(command, action)
    assert undo is not None, command
    return _undo(command, action) if _open(command, undo) else _repeat(command, undo)


def _open(command: Command, row: BarrierRow) -> bool:
    """Never answered; or refused, and a higher generation (an operator's retry) asks again."""
    return row.fresh or (row.outcome == "refused" and command.generation > row.generation)


def _repeat(command: Command, row: BarrierRow) -> Repeat:
    return Repeat(row, max(command.generation, row.generation))


def _undo(command: Command, action: BarrierRow) -> Verdict:
    match action.outcome:
        case "done":
            return Execute()
        case None if command.undoes == "done":
            return ActionMissing()
        case _:  # absent, refused or blocked
            return NothingToUndo()
