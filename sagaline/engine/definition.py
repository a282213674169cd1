"""What a saga is: steps in order, each with its kind, its commands and its limits.

A saga has compensatable steps, then one pivot, then retriable steps; `when_compensated` steps run
after everything was undone. Definitions are values: nothing here runs a saga.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias, TypedDict, Unpack

from sagaline.engine import checks
from sagaline.engine.recipe import Builder, DefinitionError, Recipe, Refusal, full_name, recipe

__all__ = [
    "DefinitionError",
    "Group",
    "Kind",
    "Limits",
    "Refusal",
    "Saga",
    "Step",
    "compensatable",
    "parallel",
    "pivot",
    "retriable",
]


class Kind(StrEnum):
    """What may happen to a step: be undone, decide the saga, or be repeated until it succeeds."""

    COMPENSATABLE = "compensatable"
    PIVOT = "pivot"
    RETRIABLE = "retriable"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one attempt waits for its answer, and how often a command is sent again.

    Attempt n of n > 1 waits longer by `backoff_min_ms` doubled n - 2 times, at most by
    `backoff_max_ms`. DefinitionError where a limit makes no sense.
    """

    timeout_ms: int = 10_000
    resends_max: int = 5
    backoff_min_ms: int = 1_000
    backoff_max_ms: int = 30_000

    def __post_init__(self) -> None:
        if self.timeout_ms <= 0 or self.resends_max < 0:
            raise DefinitionError(f"timeout_ms must be > 0 and resends_max >= 0: {self}")
        if not 0 < self.backoff_min_ms <= self.backoff_max_ms:
            raise DefinitionError(f"backoff must be 0 < min <= max: {self}")

    def wait_ms(self, attempt: int) -> int:
        """How long the `attempt`-th sending (from 1) waits for an answer."""
        assert attempt >= 1, attempt
        if attempt == 1:
            return self.timeout_ms
        doublings = min(attempt - 2, 30)  # enough for any maximum, and no huge numbers
        return self.timeout_ms + min(self.backoff_min_ms << doublings, self.backoff_max_ms)


class LimitChanges(TypedDict, total=False):
    """The limits that a step sets for itself; see `Limits`."""

    timeout_ms: int
    resends_max: int
    backoff_min_ms: int
    backoff_max_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `action` makes its command, `undo` the one that takes it back (compensatable)."""

    name: str
    kind: Kind
    action: Recipe
    undo: Recipe | None
    limits: Limits


Group: TypeAlias = tuple[Step, ...]  # steps that run side by side; mostly one


def compensatable(
    name: str, action: Builder, *, undo: Builder, **limits: Unpack[LimitChanges]
) -> Step:
    """A step that can be taken back by `undo` as long as the pivot was not reached."""
    return Step(name, Kind.COMPENSATABLE, recipe(action), recipe(undo), Limits(**limits))


def pivot(name: str, action: Builder, **limits: Unpack[LimitChanges]) -> Step:
    """The step that decides: once it succeeds the saga goes on to the end, until then not."""
    return Step(name, Kind.PIVOT, recipe(action), None, Limits(**limits))


def retriable(name: str, action: Builder, **limits: Unpack[LimitChanges]) -> Step:
    """A step that is repeated until it succeeds; a refusal needs a person."""
    return Step(name, Kind.RETRIABLE, recipe(action), None, Limits(**limits))


def parallel(*steps: Step) -> Group:
    """Steps that start together; the saga goes on when all of them succeeded."""
    return steps


@dataclass(frozen=True)
class Saga:
    """A saga's definition; DefinitionError where its steps can't work in this order.

    What needs the message catalog is checked by `check`, once, where definitions are loaded.
    """

    name: str
    version: int
    steps: tuple[Step | Group, ...] = field(kw_only=True)
    when_compensated: tuple[Step | Group, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        checks.check_shape(self)
        checks.check_data_flow(self)

    def check(self, messages: Mapping[str, type]) -> None:
        """Prove that every command is known and declares usable replies, or DefinitionError.

        `messages` gives a message class by Avro full name.
        """
        checks.check_messages(self, messages)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The steps as groups, in the order in which they run."""
        return _groups(self.steps)

    @cached_property
    def closing_groups(self) -> tuple[Group, ...]:
        """The `when_compensated` steps as groups, in the order in which they run."""
        return _groups(self.when_compensated)

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        """Every step by its name, in order, the `when_compensated` ones last."""
        return {s.name: s for group in (*self.groups, *self.closing_groups) for s in group}

    @cached_property
    def pivot(self) -> Step:
        """The step that decides."""
        return next(step for step in self.by_name.values() if step.kind is Kind.PIVOT)

    @cached_property
    def input(self) -> type:
        """The message class that starts the saga: what its first step is built from."""
        return self.groups[0][0].action.needs[0]

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) over all that decides how a saga runs: steps, kinds, limits, data flow."""
        parts = [[_described(s) for s in g] for g in (*self.groups, (), *self.closing_groups)]
        text = json.dumps([self.name, self.version, parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def with_timeouts(self, **limits: Unpack[LimitChanges]) -> "Saga":
        """The same saga with these limits at every step, for tests and for a whole platform."""

        def changed(groups: tuple[Group, ...]) -> tuple[Group, ...]:
            return tuple(
                tuple(replace(s, limits=replace(s.limits, **limits)) for s in group)
                for group in groups
            )

        steps, closing = changed(self.groups), changed(self.closing_groups)
        return Saga(self.name, self.version, steps=steps, when_compensated=closing)


def _groups(steps: tuple[Step | Group, ...]) -> tuple[Group, ...]:
    return tuple((step,) if isinstance(step, Step) else step for step in steps)


def _described(step: Step) -> dict[str, object]:
    def flow(made: Recipe | None) -> list[str]:
        return [full_name(message) for message in (*made.needs, made.makes)] if made else []

    described: dict[str, object] = {"name": step.name, "kind": step.kind.value}
    return described | {"limits": asdict(step.limits), "flow": [flow(step.action), flow(step.undo)]}
