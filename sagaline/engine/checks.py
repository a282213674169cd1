"""What a definition must fulfil, checked when it is made and when it meets the catalog.

Every check raises DefinitionError with a text that names the step and what to change.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sagaline.engine.recipe import DefinitionError, Recipe, Refusal, full_name

if TYPE_CHECKING:
    from sagaline.engine.definition import Group, Saga, Step

ACTION_OUTCOMES = frozenset({"succeeded", "refused"})
UNDO_OUTCOMES = frozenset({"undone", "undo_refused"})


def check_shape(saga: "Saga") -> None:
    """Names are unique; compensatable steps, one pivot alone, then retriable ones."""
    names = [step.name for group in (*saga.groups, *saga.closing_groups) for step in group]
    for name, times in Counter(names).items():
        _require(times == 1, f"{saga.name}: two steps are named {name!r}")
        _require(name.isidentifier(), f"{saga.name}: {name!r} is no step name: write it snake_case")
    _require(all((*saga.groups, *saga.closing_groups)), f"{saga.name}: a parallel group is empty")
    pivots = [s.name for group in saga.groups for s in group if s.kind == "pivot"]
    _require(len(pivots) == 1, f"{saga.name}: a saga has exactly one pivot, not {pivots}")
    decided = False
    for group in saga.groups:
        for step in group:
            _check_place(step, group, decided=decided)
        decided = decided or group[0].kind == "pivot"
    for step in (step for group in saga.closing_groups for step in group):
        _require(step.kind == "retriable", f"{step.name}: when_compensated takes retriable steps")


def _check_place(step: "Step", group: "Group", *, decided: bool) -> None:
    match step.kind:
        case "compensatable":
            _require(not decided, f"{step.name}: compensatable after the pivot: nothing undoes it")
        case "retriable":
            _require(decided, f"{step.name}: retriable before the pivot: nothing could undo it")
        case "pivot":
            _require(len(group) == 1, f"{step.name}: the pivot stands alone, not in a group")


def check_data_flow(saga: "Saga") -> None:
    """Every builder gets the saga's input or replies that are there when it is called."""
    first = saga.groups[0][0]
    _require(first.action.needs != (), f"{first.name}: the first step is built from the input")
    starts = saga.input is not Refusal and getattr(saga.input, "outcome", None) is None
    _require(starts, f"{first.name}: the first step's first parameter is the saga's input")
    earlier: list[Step] = []
    for group in saga.groups:
        for step in group:
            _check_needs(saga, step, step.action, earlier, turned_back=False)
            if step.undo is not None:
                _check_needs(saga, step, step.undo, earlier, turned_back=True)
        earlier.extend(group)
    earlier = []  # of the steps before, nobody knows which ones ever succeeded
    for group in saga.closing_groups:
        for step in group:
            _check_needs(saga, step, step.action, earlier, turned_back=True)
        earlier.extend(group)


def _check_needs(
    saga: "Saga", step: "Step", made: Recipe, earlier: Sequence["Step"], *, turned_back: bool
) -> None:
    what = f"{step.name}: {full_name(made.makes)}"
    for need in made.needs:
        if need is saga.input:
            continue
        if need is Refusal:
            _require(turned_back, f"{what} can't ask for a Refusal: nothing was refused by then")
            continue
        _check_reply_needed(saga, what, step, need, earlier)


def _check_reply_needed(
    saga: "Saga", what: str, step: "Step", need: type, earlier: Sequence["Step"]
) -> None:
    name = full_name(need)
    givers = [giver for giver in earlier if name in giver.action.replies]
    if givers:
        names = " and ".join(giver.name for giver in givers)
        _require(len(givers) == 1, f"{what}: {name} is ambiguous, {names} declare it")
        outcome = getattr(need, "outcome", None)
        _require(outcome == "succeeded", f"{what}: {name} has outcome {outcome}, not succeeded")
        return
    own = name in step.action.replies
    _require(not own, f"{what} can't be built from its own action's reply {name}")
    siblings = next((group for group in saga.groups if step in group), ())
    _require(
        not any(name in sibling.action.replies for sibling in siblings),
        f"{what} can't be built from {name}: a sibling's reply, they run side by side",
    )
    raise DefinitionError(
        f"{what} asks for {name}, which is neither the saga's input {full_name(saga.input)} "
        "nor declared as a reply by a step that has surely succeeded before"
    )


def check_messages(saga: "Saga", messages: Mapping[str, type]) -> None:
    """Commands and their replies are in the catalog, with outcomes that fit their direction."""
    _require(
        messages.get(full_name(saga.input)) is saga.input,
        f"{saga.name}: its input {full_name(saga.input)} is not in the catalog",
    )
    needed = {n for s in saga.by_name.values() for r in (s.action, s.undo) if r for n in r.needs}
    for step in saga.by_name.values():
        outcomes = _outcomes(step, step.action, messages, ACTION_OUTCOMES)
        _require("succeeded" in outcomes.values(), f"{step.name}: no reply says succeeded")
        for name in [n for n, outcome in outcomes.items() if outcome == "succeeded"]:
            sole = list(outcomes.values()).count("succeeded") == 1
            _require(
                sole or messages[name] not in needed,
                f"{step.name}: {name} is asked for, but another success may come instead",
            )
        if step.undo is not None:
            undone = _outcomes(step, step.undo, messages, UNDO_OUTCOMES)
            _require("undone" in undone.values(), f"{step.name}: no reply to its undo says undone")


def _outcomes(
    step: "Step", made: Recipe, messages: Mapping[str, type], allowed: frozenset[str]
) -> dict[str, str]:
    command = full_name(made.makes)
    _require(messages.get(command) is made.makes, f"{step.name}: {command} is not in the catalog")
    _require(made.replies != (), f"{step.name}: {command} declares no replies")
    outcomes: dict[str, str] = {}
    for name in made.replies:
        _require(name in messages, f"{step.name}: {command} declares {name}: not in the catalog")
        outcome = getattr(messages[name], "outcome", None)
        _require(outcome is not None, f"{step.name}: {name} has no outcome, so it is no reply")
        _require(
            outcome in allowed,
            f"{step.name}: {name} has outcome {outcome}, {command} takes only {sorted(allowed)}",
        )
        outcomes[name] = str(outcome)
    return outcomes


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise DefinitionError(otherwise)
