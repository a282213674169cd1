"""A saga's state as JSON text and back; steps still to come are left out."""

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from sagaline.engine.codec import Codec, Plain
from sagaline.engine.definition import Saga
from sagaline.engine.state import SagaState, StepState, StepStatus

ROW = Codec(SagaState, StepState)
Dump: TypeAlias = Callable[[object], Plain]


def write(saga: SagaState, dump: Dump) -> str:
    """The saga's text; `dump` makes something plain of each message in it."""
    begun = [step for step in saga.steps.values() if step.status is not StepStatus.PLANNED]
    steps = {step.name: _step_row(step, dump) for step in begun}
    defined_by = [saga.definition.name, saga.definition.version, saga.definition.hash]
    parts = {"definition": defined_by, "message": dump(saga.message), "steps": steps}
    return json.dumps({**ROW.write(saga), **parts})


def _step_row(step: StepState, dump: Dump) -> dict[str, Plain]:
    plain = ROW.write(step)
    if step.reply is not None:
        plain["reply"] = dump(step.reply)
    return plain


def read(text: str, definition: Saga, load: Callable[[Plain], object]) -> SagaState:
    """The saga again; `definition` is the one that it runs by, `load` undoes `dump`."""
    row = cast(Mapping[str, Plain], json.loads(text))
    name, version, _ = cast(list[Plain], row["definition"])
    assert (name, version) == (definition.name, definition.version), (name, version, definition)
    begun = cast(Mapping[str, Mapping[str, Plain]], row["steps"])
    steps = {
        step.name: _step(begun.get(step.name, {"type": StepState.__name__}), plan=step, load=load)
        for step in definition.by_name.values()
    }
    rest = {n: held for n, held in row.items() if n not in ("definition", "message", "steps")}
    message = load(row["message"])
    saga = ROW.read(rest, definition=definition, steps=steps, message=message)
    return cast(SagaState, saga)


def _step(
    written: Mapping[str, Plain], *, plan: object, load: Callable[[Plain], object]
) -> StepState:
    reply = load(written["reply"]) if "reply" in written else None
    rest = {name: held for name, held in written.items() if name != "reply"}
    return cast(StepState, ROW.read(rest, plan=plan, reply=reply))
