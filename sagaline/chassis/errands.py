"""Errands: the calls that a batch needs before it can be committed, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sagaline.chassis.barrier import RowKey
from sagaline.chassis.batch import Place
from sagaline.chassis.effects import Call, Effect


@dataclass(frozen=True, slots=True)
class Errand:
    """A call that the record at `place` needs. `row` is its intent's, `traceparent` the record's.

    `fresh`: no call was made yet. `overdue`: one may have been made, but can't be under way still.
    """

    place: Place
    row: RowKey
    generation: int
    effect: Effect[Any, Any]  # any command's, with any result
    call: Call[Any]
    fresh: bool
    overdue: bool
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of errands: a result by the intent's row, or why there is none, by the record.

    `failed` is the record's own fault, `away` passes. `unknown` are the intents of which the other
    side knows nothing, and won't any more.
    """

    results: dict[RowKey, object] = field(default_factory=dict)
    failed: dict[Place, Exception] = field(default_factory=dict)
    away: dict[Place, Exception] = field(default_factory=dict)
    unknown: set[RowKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Intended:
    """What a batch's records need: errands of their own, or first those of actions to be undone."""

    errands: Sequence[Errand] = ()
    before: Sequence[Errand] = ()
