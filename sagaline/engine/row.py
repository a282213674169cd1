"""A saga's row: its state as a JSON-able dict and back; steps still to come are left out."""

from collections.abc import Callable, Mapping
from typing import cast

from sagaline.engine.codec import Codec, Plain
from sagaline.engine.definition import Saga
from sagaline.engine.state import SagaState, StepState, StepStatus

ROW = Codec(SagaState, StepState)


def saga_to_json(saga: SagaState, dump: Callable[[object], Plain]) -> dict[str, Plain]:
    """The saga as a dict; `dump` makes something plain of each message in it."""
    begun = [step for step in saga.steps.values() if step.status is not StepStatus.PLANNED]
    steps = {step.name: ROW.write(step) | _reply(step, dump) for step in begun}
    defined_by = [saga.definition.name, saga.definition.version, saga.definition.hash]
    return ROW.write(saga) | {
        "definition": cast(list[Plain], defined_by),
        "message": dump(saga.message),
        "steps": cast(dict[str, Plain], steps),
    }


def saga_from_json(
    row: Mapping[str, Plain], definition: Saga, load: Callable[[Plain], object]
) -> SagaState:
    """The saga again; `definition` is the one that it runs by, `load` undoes `dump`."""
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


def _reply(step: StepState, dump: Callable[[object], Plain]) -> dict[str, Plain]:
    return {} if step.reply is None else {"reply": dump(step.reply)}


def _step(
    written: Mapping[str, Plain], *, plan: object, load: Callable[[Plain], object]
) -> StepState:
    reply = load(written["reply"]) if "reply" in written else None
    rest = {name: held for name, held in written.items() if name != "reply"}
    return cast(StepState, ROW.read(rest, plan=plan, reply=reply))
